//! The rule against cross-site requests: which page sent this, and whether that page may.
//!
//! `Origin` (RFC 6454) and `Sec-Fetch-Site` (W3C Fetch Metadata) are written by browsers and by no page. Either
//! of them that names a stranger is enough to refuse; where both are silent, a token shows that the form was
//! ours (OWASP Cross-Site Request Forgery Prevention Cheat Sheet).

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{COOKIE, HeaderMap, HeaderName, HeaderValue, ORIGIN};
use actix_web::{FromRequest, HttpRequest};

use super::caller;
use super::cookies::Cookie;
use super::error::ApiError;
use super::error_code::ErrorCode;
use super::settings::Settings;
use crate::service::Services;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Carries a CSRF token where the body has no field for it.
const CSRF_HEADER: &str = "x-csrf-token";

/// What a request's headers tell of its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// A page of ours, of an allowed origin, or the person at the address bar.
    Friend,
    /// Any other page.
    Stranger,
    /// Perhaps a browser, which does not say whose page it shows.
    Silent,
    /// Nothing of what browsers send.
    Program,
}

impl Sender {
    pub fn of(headers: &HeaderMap, settings: &Settings) -> Self {
        let origin = match single(headers, &ORIGIN) {
            Err(TwoHeaders) => return Self::Stranger,
            // What browsers say who are not to tell, or who cannot.
            Ok(Some(origin)) if origin == "null" => None,
            Ok(origin) => origin,
        };
        let is_allowed = origin.is_some_and(|origin| settings.allowed_origins.admit_origin(origin));
        let is_own = origin.is_some_and(|origin| *origin == settings.own_origin);
        let site = match single(headers, &SEC_FETCH_SITE) {
            Err(TwoHeaders) => return Self::Stranger,
            Ok(site) => site.map(HeaderValue::as_bytes),
        };
        match (origin, site) {
            _ if is_allowed => Self::Friend,
            (Some(_), _) if !is_own => Self::Stranger,
            (_, Some(b"same-origin" | b"none")) | (Some(_), None) => Self::Friend,
            (_, Some(_)) => Self::Stranger,
            (None, None) if headers.contains_key(ORIGIN) || headers.contains_key(COOKIE) => {
                Self::Silent
            }
            (None, None) => Self::Program,
        }
    }
}

struct TwoHeaders;

fn single<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a HeaderValue>, TwoHeaders> {
    let mut values = headers.get_all(name);
    let value = values.next();
    match values.next() {
        None => Ok(value),
        Some(_) => Err(TwoHeaders),
    }
}

/// A sign-in that no foreign page has sent: it would fill somebody's browser, or our locks, unseen.
pub struct FromNoStranger;

impl FromRequest for FromNoStranger {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(caller::settings(request).and_then(|settings| {
            match Sender::of(request.headers(), settings) {
                Sender::Stranger => Err(ErrorCode::CrossSiteRequest.into()),
                Sender::Friend | Sender::Silent | Sender::Program => Ok(Self),
            }
        }))
    }
}

/// What a request's CSRF token is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Csrf {
    /// None, or none of ours.
    Missing,
    /// One of ours, which anybody can have.
    Signed,
    /// One of ours, and the one in this browser's cookie.
    Matching,
}

impl Csrf {
    /// `sent` is what the body has; the header counts as well.
    pub fn of(
        headers: &HeaderMap,
        sent: Option<&str>,
        services: &Services,
        settings: &Settings,
    ) -> Self {
        let in_header = headers.get(CSRF_HEADER).and_then(|v| v.to_str().ok());
        let Some(token) = sent.or(in_header).filter(|t| services.is_csrf_token(t)) else {
            return Self::Missing;
        };
        if Cookie::Csrf.only(headers, settings) == Some(token) {
            Self::Matching
        } else {
            Self::Signed
        }
    }
}

/// For a call that changes something and whose credential is a cookie, which browsers send for anybody.
///
/// # Errors
/// `CrossSiteRequest`.
pub fn admit_cookie_call(sender: Sender, csrf: Csrf) -> Result<(), ErrorCode> {
    match (sender, csrf) {
        (Sender::Friend, _) | (Sender::Silent | Sender::Program, Csrf::Matching) => Ok(()),
        _ => Err(ErrorCode::CrossSiteRequest),
    }
}

/// For a sign-in that sets a cookie: nobody is signed in to somebody else's account by a foreign page.
///
/// # Errors
/// `CrossSiteRequest`.
pub fn admit_sign_in(sender: Sender, csrf: Csrf, is_json: bool) -> Result<(), ErrorCode> {
    match (sender, csrf) {
        (Sender::Program, csrf) if is_json || csrf != Csrf::Missing => Ok(()),
        (sender, csrf) => admit_cookie_call(sender, csrf),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::settings::tests::settings_with;

    const OWN: &str = "https://id.example.com";
    const ALLOWED: &str = "https://app.example.net:8443";

    fn sender(sent: &[(&'static str, &'static str)]) -> Sender {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        Sender::of(&headers, &settings_with(OWN, &[ALLOWED]))
    }

    #[test]
    fn a_page_is_known_by_its_origin_byte_for_byte() {
        use Sender::*;
        for (origin, expected) in [
            ("https://id.example.com", Friend),
            ("https://app.example.net:8443", Friend),
            ("null", Silent),
            ("", Stranger),
            ("https://evil.example", Stranger),
            ("https://www.example.com", Stranger),
            ("https://example.com", Stranger),
            ("https://a.id.example.com", Stranger),
            ("https://id.example.com.evil.example", Stranger),
            ("http://id.example.com", Stranger),
            ("https://id.example.com:443", Stranger),
            ("https://id.example.com:8443", Stranger),
            ("https://id.example.com/", Stranger),
            ("https://ID.example.com", Stranger),
            ("HTTPS://id.example.com", Stranger),
            ("https://app.example.net", Stranger),
            ("https://app.example.net:8444", Stranger),
            ("http://app.example.net:8443", Stranger),
            ("https://id.example.com https://evil.example", Stranger),
            ("https://id.example.com, https://evil.example", Stranger),
            ("*", Stranger),
            ("file://", Stranger),
        ] {
            assert_eq!(sender(&[("origin", origin)]), expected, "{origin}");
        }
    }

    #[test]
    fn where_either_header_names_a_stranger_it_is_one() {
        use Sender::*;
        const EVIL: &str = "https://evil.example";
        for (origin, site, expected) in [
            (None, "same-origin", Friend),
            (None, "none", Friend),
            (None, "same-site", Stranger),
            (None, "cross-site", Stranger),
            (None, "SAME-ORIGIN", Stranger),
            (None, "", Stranger),
            (Some(OWN), "same-origin", Friend),
            (Some(OWN), "none", Friend),
            (Some(OWN), "same-site", Stranger),
            (Some(OWN), "cross-site", Stranger),
            (Some(ALLOWED), "cross-site", Friend),
            (Some(ALLOWED), "same-site", Friend),
            (Some(EVIL), "same-origin", Stranger),
            (Some(EVIL), "none", Stranger),
            (Some(EVIL), "cross-site", Stranger),
            (Some("null"), "same-origin", Friend),
            (Some("null"), "cross-site", Stranger),
        ] {
            let mut sent = vec![("sec-fetch-site", site)];
            sent.extend(origin.map(|origin| ("origin", origin)));
            assert_eq!(sender(&sent), expected, "{sent:?}");
        }
    }

    #[test]
    fn a_header_that_comes_twice_is_a_stranger_s() {
        assert_eq!(
            sender(&[("origin", OWN), ("origin", OWN)]),
            Sender::Stranger
        );
        let twice = ("sec-fetch-site", "same-origin");
        assert_eq!(sender(&[twice, twice]), Sender::Stranger);
    }

    #[test]
    fn what_no_browser_sends_is_a_program_s_unless_it_has_cookies() {
        assert_eq!(sender(&[]), Sender::Program);
        assert_eq!(sender(&[("user-agent", "Mozilla/5.0")]), Sender::Program);
        assert_eq!(sender(&[("cookie", "a=b")]), Sender::Silent);
    }

    #[test]
    fn who_may_use_a_cookie_and_who_may_sign_in() {
        use Csrf::{Matching, Missing, Signed};
        use Sender::*;
        // Sender, token: cookie call, sign-in by form, sign-in by JSON.
        for (sender, csrf, cookie_call, form, json) in [
            (Friend, Missing, true, true, true),
            (Friend, Matching, true, true, true),
            (Stranger, Missing, false, false, false),
            (Stranger, Signed, false, false, false),
            (Stranger, Matching, false, false, false),
            (Silent, Missing, false, false, false),
            (Silent, Signed, false, false, false),
            (Silent, Matching, true, true, true),
            (Program, Missing, false, false, true),
            (Program, Signed, false, true, true),
        ] {
            let seen = [
                admit_cookie_call(sender, csrf).is_ok(),
                admit_sign_in(sender, csrf, false).is_ok(),
                admit_sign_in(sender, csrf, true).is_ok(),
            ];
            assert_eq!(seen, [cookie_call, form, json], "{sender:?} {csrf:?}");
        }
    }
}
