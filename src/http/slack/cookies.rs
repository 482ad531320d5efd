//! The two cookies of a sign-in with Slack: the browser's key, and the session where that is delivered so.

use actix_web::http::header::{COOKIE, HeaderMap};

use crate::domain::lifetimes;
use crate::http::settings::Settings;
use crate::service::Services;
use crate::service::slack::BrowserKey;

/// The value of the browser's key, if the browser has one.
pub fn browser<'a>(headers: &'a HeaderMap, settings: &Settings) -> Option<&'a str> {
    let wanted = browser_name(settings);
    headers
        .get_all(COOKIE)
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == wanted)
        .map(|(_, value)| value)
}

/// The key the browser has, so that two tabs may sign in at once, or a new one.
pub fn browser_or_new(headers: &HeaderMap, settings: &Settings, services: &Services) -> BrowserKey {
    browser(headers, settings)
        .and_then(BrowserKey::parse)
        .unwrap_or_else(|| services.new_browser_key())
}

/// `Set-Cookie` for the browser's key: as long as its sign-in may take.
pub fn keep_browser(key: &BrowserKey, settings: &Settings) -> String {
    let name = browser_name(settings);
    let seconds = lifetimes::SLACK_STATE.num_seconds();
    cookie(name, key.expose(), seconds, settings)
}

/// `Set-Cookie` for a session, under the name that NextAuth gives it.
pub fn session(token: &str, seconds: i64, settings: &Settings) -> String {
    let name = if settings.is_https() {
        "__Secure-next-auth.session-token"
    } else {
        "next-auth.session-token"
    };
    cookie(name, token, seconds, settings)
}

/// With the prefix no other host, and no page without TLS, can set it (RFC 6265bis §4.1.3).
fn browser_name(settings: &Settings) -> &'static str {
    if settings.is_https() {
        "__Host-hallpass-slack"
    } else {
        "hallpass-slack"
    }
}

fn cookie(name: &str, value: &str, seconds: i64, settings: &Settings) -> String {
    let secure = if settings.is_https() { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;
    use crate::domain::TokenDelivery;

    fn settings(public_url: &str) -> Settings {
        let public_url: ::url::Url = public_url.parse().unwrap();
        Settings::new(
            public_url.clone(),
            public_url,
            &[],
            Vec::new(),
            TokenDelivery::Fragment,
        )
    }

    #[test]
    fn cookies_are_prefixed_and_secure_under_https() {
        let key = BrowserKey::new([0; 32]);
        let value = "A".repeat(43);
        assert_eq!(
            keep_browser(&key, &settings("https://id.example.com")),
            format!(
                "__Host-hallpass-slack={value}; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure"
            )
        );
        assert_eq!(
            session("t", 604_800, &settings("https://id.example.com")),
            "__Secure-next-auth.session-token=t; Path=/; Max-Age=604800; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(
            session("t", 604_800, &settings("http://localhost:8080")),
            "next-auth.session-token=t; Path=/; Max-Age=604800; HttpOnly; SameSite=Lax"
        );
    }

    #[test]
    fn the_browser_s_key_is_found_among_other_cookies() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=b; xhallpass-slack=no"));
        headers.append(
            COOKIE,
            HeaderValue::from_static("c; hallpass-slack=yes; d=e"),
        );
        assert_eq!(
            browser(&headers, &settings("http://localhost")),
            Some("yes")
        );
        assert_eq!(browser(&headers, &settings("https://localhost")), None);
    }
}
