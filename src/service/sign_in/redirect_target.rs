//! Where a sign-in or a sign-out may lead.

use url::Url;

use crate::domain::ReturnUrl;
use crate::domain::return_url::page_at;
use crate::service::Services;

impl Services {
    /// The page at `text`, which may be a path on `public_url`, if it is on one of `origins` or in
    /// `ALLOWED_RETURN_URLS`.
    pub fn redirect_target(&self, text: &str, public_url: &Url, origins: &[Url]) -> Option<Url> {
        let text = if text.starts_with('/') && !text.starts_with("//") {
            format!("{}{text}", public_url.origin().ascii_serialization())
        } else {
            text.to_owned()
        };
        page_at(&text, origins, &self.return_urls)
    }

    /// Whether a sign-in with Slack may lead back to `url`.
    pub fn may_return_to(&self, url: &Url) -> bool {
        ReturnUrl::check(url.as_str(), &self.return_urls).is_ok()
    }
}
