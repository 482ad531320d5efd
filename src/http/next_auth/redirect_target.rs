//! Where a sign-in or a sign-out leads: to this service and its allowed origins and URLs only.

use url::Url;

use crate::domain::AllowedReturnUrl;
use crate::domain::return_url::web_page;
use crate::http::settings::Settings;
use crate::service::Services;

/// The `callbackUrl`, if it is on this service, on an allowed origin, or in `ALLOWED_RETURN_URLS`; otherwise our
/// front page.
pub fn callback_url(given: Option<&str>, services: &Services, settings: &Settings) -> Url {
    given
        .and_then(|text| {
            let own = settings.public_url.origin().ascii_serialization();
            let text = if text.starts_with('/') && !text.starts_with("//") {
                format!("{own}{text}")
            } else {
                text.to_owned()
            };
            let allowed = services.return_urls.iter().map(AllowedReturnUrl::as_url);
            web_page(&text, settings.own_places.iter().chain(allowed))
        })
        .unwrap_or_else(|| settings.public("/"))
}

/// The sign-in page or the error page, with these parameters.
pub fn page(path: &str, parameters: &[(&str, &str)], settings: &Settings) -> Url {
    let mut url = settings.public(path);
    url.query_pairs_mut().extend_pairs(parameters);
    url
}
