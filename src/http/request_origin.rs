//! Protection against cross-site requests: which page sent a request, and whether it may.
//!
//! `Origin` (RFC 6454) and `Sec-Fetch-Site` (W3C Fetch Metadata) are set by browsers and not by pages. If either
//! names another site, the request is refused. Without both, a CSRF token shows that the form was ours (OWASP
//! Cross-Site Request Forgery Prevention Cheat Sheet).

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{COOKIE, HeaderMap, HeaderName, HeaderValue, ORIGIN};
use actix_web::{FromRequest, HttpRequest};

use super::app_data::settings;
use super::cookies::Cookie;
use super::error::ApiError;
use super::error_code::ErrorCode;
use super::settings::Settings;
use crate::service::Services;

pub(super) const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Carries the CSRF token if the body has no field for it.
const CSRF_HEADER: &str = "x-csrf-token";

/// What a request's headers say about its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestOrigin {
    /// A page of ours or of an allowed origin, or a navigation by the user.
    SameSite,
    /// Any other page.
    CrossSite,
    /// Possibly a browser, which does not identify the page.
    Unknown,
    /// No header that browsers send.
    NonBrowser,
}

impl RequestOrigin {
    pub(super) fn of(headers: &HeaderMap, settings: &Settings) -> Self {
        let origin = match single(headers, &ORIGIN) {
            Err(TwoHeaders) => return Self::CrossSite,
            // Browsers send it when they must not or cannot tell the origin.
            Ok(Some(origin)) if origin == "null" => None,
            Ok(origin) => origin,
        };
        let is_allowed = origin.is_some_and(|origin| settings.allowed_origins.admit_origin(origin));
        let is_own = origin.is_some_and(|origin| *origin == settings.own_origin);
        let site = match single(headers, &SEC_FETCH_SITE) {
            Err(TwoHeaders) => return Self::CrossSite,
            Ok(site) => site.map(HeaderValue::as_bytes),
        };
        match (origin, site) {
            _ if is_allowed => Self::SameSite,
            (Some(_), _) if !is_own => Self::CrossSite,
            (_, Some(b"same-origin" | b"none")) | (Some(_), None) => Self::SameSite,
            (_, Some(_)) => Self::CrossSite,
            (None, None) if headers.contains_key(ORIGIN) || headers.contains_key(COOKIE) => {
                Self::Unknown
            }
            (None, None) => Self::NonBrowser,
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

/// A sign-in that does not come from another site: that could sign a browser in to an attacker's account, or lock
/// accounts.
pub(super) struct RejectCrossSite;

impl FromRequest for RejectCrossSite {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(settings(request).and_then(|settings| {
            match RequestOrigin::of(request.headers(), settings) {
                RequestOrigin::CrossSite => Err(ErrorCode::CrossSiteRequest.into()),
                RequestOrigin::SameSite | RequestOrigin::Unknown | RequestOrigin::NonBrowser => {
                    Ok(Self)
                }
            }
        }))
    }
}

/// What a request's CSRF token proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Csrf {
    /// No token, or an invalid one.
    Missing,
    /// A valid token, which anyone can get.
    Signed,
    /// A valid token that is also in this browser's cookie.
    Matching,
}

impl Csrf {
    /// `sent` is the token in the body; the header is accepted as well.
    pub(super) fn of(
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

/// For a call that changes something with a cookie as its credential, which browsers send for any page.
///
/// # Errors
/// `CrossSiteRequest`.
pub(super) fn admit_cookie_call(sender: RequestOrigin, csrf: Csrf) -> Result<(), ErrorCode> {
    match (sender, csrf) {
        (RequestOrigin::SameSite, _)
        | (RequestOrigin::Unknown | RequestOrigin::NonBrowser, Csrf::Matching) => Ok(()),
        _ => Err(ErrorCode::CrossSiteRequest),
    }
}

/// For a sign-in that sets a cookie, so that no other site signs a user in to someone else's account.
///
/// # Errors
/// `CrossSiteRequest`.
pub(super) fn admit_sign_in(
    sender: RequestOrigin,
    csrf: Csrf,
    is_json: bool,
) -> Result<(), ErrorCode> {
    match (sender, csrf) {
        (RequestOrigin::NonBrowser, csrf) if is_json || csrf != Csrf::Missing => Ok(()),
        (sender, csrf) => admit_cookie_call(sender, csrf),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::settings::tests::settings_with;

    const OWN: &str = "https://id.example.com";
    const ALLOWED: &str = "https://app.example.net:8443";

    fn sender(sent: &[(&'static str, &'static str)]) -> RequestOrigin {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        let allowed = [ALLOWED, "capacitor://localhost"];
        RequestOrigin::of(&headers, &settings_with(OWN, &allowed))
    }

    #[test]
    fn a_page_is_known_by_its_origin_byte_for_byte() {
        use RequestOrigin::*;
        for (origin, expected) in [
            ("https://id.example.com", SameSite),
            ("https://app.example.net:8443", SameSite),
            ("capacitor://localhost", SameSite),
            ("null", Unknown),
            ("", CrossSite),
            ("https://evil.example", CrossSite),
            ("https://www.example.com", CrossSite),
            ("https://example.com", CrossSite),
            ("https://a.id.example.com", CrossSite),
            ("https://id.example.com.evil.example", CrossSite),
            ("http://id.example.com", CrossSite),
            ("https://id.example.com:443", CrossSite),
            ("https://id.example.com:8443", CrossSite),
            ("https://id.example.com/", CrossSite),
            ("https://ID.example.com", CrossSite),
            ("HTTPS://id.example.com", CrossSite),
            ("https://app.example.net", CrossSite),
            ("https://app.example.net:8444", CrossSite),
            ("http://app.example.net:8443", CrossSite),
            ("https://id.example.com https://evil.example", CrossSite),
            ("https://id.example.com, https://evil.example", CrossSite),
            ("*", CrossSite),
            ("file://", CrossSite),
            ("ionic://localhost", CrossSite),
            ("http://localhost", CrossSite),
            ("capacitor://localhost/", CrossSite),
            ("capacitor://localhost:1", CrossSite),
            ("CAPACITOR://localhost", CrossSite),
        ] {
            assert_eq!(sender(&[("origin", origin)]), expected, "{origin}");
        }
    }

    #[test]
    fn where_either_header_names_a_stranger_it_is_one() {
        use RequestOrigin::*;
        const EVIL: &str = "https://evil.example";
        for (origin, site, expected) in [
            (None, "same-origin", SameSite),
            (None, "none", SameSite),
            (None, "same-site", CrossSite),
            (None, "cross-site", CrossSite),
            (None, "SAME-ORIGIN", CrossSite),
            (None, "", CrossSite),
            (Some(OWN), "same-origin", SameSite),
            (Some(OWN), "none", SameSite),
            (Some(OWN), "same-site", CrossSite),
            (Some(OWN), "cross-site", CrossSite),
            (Some(ALLOWED), "cross-site", SameSite),
            (Some(ALLOWED), "same-site", SameSite),
            (Some(EVIL), "same-origin", CrossSite),
            (Some(EVIL), "none", CrossSite),
            (Some(EVIL), "cross-site", CrossSite),
            (Some("null"), "same-origin", SameSite),
            (Some("null"), "cross-site", CrossSite),
        ] {
            let mut sent = vec![("sec-fetch-site", site)];
            sent.extend(origin.map(|origin| ("origin", origin)));
            assert_eq!(sender(&sent), expected, "{sent:?}");
        }
    }

    #[test]
    fn a_repeated_header_counts_as_cross_site() {
        assert_eq!(
            sender(&[("origin", OWN), ("origin", OWN)]),
            RequestOrigin::CrossSite
        );
        let twice = ("sec-fetch-site", "same-origin");
        assert_eq!(sender(&[twice, twice]), RequestOrigin::CrossSite);
    }

    #[test]
    fn without_browser_headers_and_cookies_a_request_is_non_browser() {
        assert_eq!(sender(&[]), RequestOrigin::NonBrowser);
        assert_eq!(
            sender(&[("user-agent", "Mozilla/5.0")]),
            RequestOrigin::NonBrowser
        );
        assert_eq!(sender(&[("cookie", "a=b")]), RequestOrigin::Unknown);
    }

    #[test]
    fn who_may_use_a_cookie_and_who_may_sign_in() {
        use Csrf::{Matching, Missing, Signed};
        use RequestOrigin::*;
        // RequestOrigin, token: cookie call, sign-in by form, sign-in by JSON.
        for (sender, csrf, cookie_call, form, json) in [
            (SameSite, Missing, true, true, true),
            (SameSite, Matching, true, true, true),
            (CrossSite, Missing, false, false, false),
            (CrossSite, Signed, false, false, false),
            (CrossSite, Matching, false, false, false),
            (Unknown, Missing, false, false, false),
            (Unknown, Signed, false, false, false),
            (Unknown, Matching, true, true, true),
            (NonBrowser, Missing, false, false, true),
            (NonBrowser, Signed, false, true, true),
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
