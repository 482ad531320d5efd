//! The browser's key during a sign-in with Slack.

use actix_web::http::header::HeaderMap;

use crate::domain::lifetimes;
use crate::http::cookies::Cookie;
use crate::http::settings::Settings;
use crate::service::Services;
use crate::service::slack::BrowserKey;

/// The value of the browser's key, if the browser has one.
pub(super) fn browser<'a>(headers: &'a HeaderMap, settings: &Settings) -> Option<&'a str> {
    Cookie::SlackBrowser.only(headers, settings)
}

/// The browser's key, so that two tabs can sign in at once, or a new one.
pub(super) fn browser_or_new(
    headers: &HeaderMap,
    settings: &Settings,
    services: &Services,
) -> BrowserKey {
    browser(headers, settings)
        .and_then(BrowserKey::parse)
        .unwrap_or_else(|| services.new_browser_key())
}

/// `Set-Cookie` for the browser's key, with the lifetime of a sign-in.
pub(super) fn keep_browser(key: &BrowserKey, settings: &Settings) -> String {
    let seconds = lifetimes::SLACK_STATE.num_seconds();
    Cookie::SlackBrowser.set(key.expose(), seconds, settings)
}
