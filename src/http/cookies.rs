//! Cookies: their names, how they are read, and how they are set.

use actix_web::http::header::{COOKIE, HeaderMap};

use super::settings::Settings;

/// A cookie of this service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cookie {
    /// The JWT of a session, under NextAuth's name.
    Session,
    /// The CSRF token of this browser.
    Csrf,
    /// The session token of `/api/v1`.
    SessionToken,
    /// The marks of the users who have signed in with this browser.
    Device,
    /// The browser's key during a sign-in with Slack.
    SlackBrowser,
    /// The address that was typed into the sign-in page, while it is shown again.
    TypedEmail,
}

impl Cookie {
    /// Prefixed under https, so that no page without TLS and, for `__Host-`, no other host can set it (RFC 6265bis
    /// §4.1.3).
    pub(super) fn name(self, settings: &Settings) -> &'static str {
        match (self, settings.is_https()) {
            (Self::Session, true) => "__Secure-next-auth.session-token",
            (Self::Session, false) => "next-auth.session-token",
            (Self::Csrf, true) => "__Host-next-auth.csrf-token",
            (Self::Csrf, false) => "next-auth.csrf-token",
            (Self::SessionToken, true) => "__Host-hallpass-session",
            (Self::SessionToken, false) => "hallpass-session",
            (Self::Device, true) => "__Host-hallpass-device",
            (Self::Device, false) => "hallpass-device",
            (Self::SlackBrowser, true) => "__Host-hallpass-slack",
            (Self::SlackBrowser, false) => "hallpass-slack",
            (Self::TypedEmail, true) => "__Host-hallpass-email",
            (Self::TypedEmail, false) => "hallpass-email",
        }
    }

    /// Every non-empty value that the request has under this name.
    pub(super) fn all<'a>(
        self,
        headers: &'a HeaderMap,
        settings: &Settings,
    ) -> impl Iterator<Item = &'a str> {
        let wanted = self.name(settings);
        pairs(headers)
            .filter(move |(name, value)| *name == wanted && !value.is_empty())
            .map(|(_, value)| value)
    }

    /// The value, if the request has exactly one.
    pub(super) fn only<'a>(self, headers: &'a HeaderMap, settings: &Settings) -> Option<&'a str> {
        let mut values = self.all(headers, settings);
        values.next().filter(|_| values.next().is_none())
    }

    /// `Set-Cookie` with a lifetime in seconds, for the path of `PUBLIC_URL`. Browsers accept `__Host-` for the whole
    /// host only (docs/decisions/0041-below-a-path.md).
    pub(super) fn set(self, value: &str, seconds: i64, settings: &Settings) -> String {
        let path = match settings.base_path() {
            path if path.contains(';') || self.name(settings).starts_with("__Host-") => "/",
            path => path,
        };
        let name = self.name(settings);
        let secure = if settings.is_https() { "; Secure" } else { "" };
        format!("{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
    }

    /// `Set-Cookie` that deletes the cookie.
    pub(super) fn clear(self, settings: &Settings) -> String {
        self.set("", 0, settings)
    }
}

/// The names and values of all cookies of a request.
pub(super) fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(COOKIE)
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
}

/// `Set-Cookie` that deletes a cookie of this name for the whole host, whoever has set it.
pub(super) fn delete_of_whole_host(name: &str) -> String {
    let is_prefixed = ["__Secure-", "__Host-"]
        .iter()
        .any(|it| name.starts_with(it));
    let secure = if is_prefixed { "; Secure" } else { "" };
    format!("{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{secure}")
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;
    use crate::http::settings::tests::settings;

    #[test]
    fn cookies_are_prefixed_and_secure_under_https() {
        let (https, http) = (
            settings("https://id.example.com"),
            settings("http://localhost:8080"),
        );
        assert_eq!(
            Cookie::SlackBrowser.set("k", 600, &https),
            "__Host-hallpass-slack=k; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(
            Cookie::Session.set("t", 604_800, &https),
            "__Secure-next-auth.session-token=t; Path=/; Max-Age=604800; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(
            Cookie::Session.set("t", 604_800, &http),
            "next-auth.session-token=t; Path=/; Max-Age=604800; HttpOnly; SameSite=Lax"
        );
        assert_eq!(
            Cookie::Csrf.clear(&http),
            "next-auth.csrf-token=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
        );
    }

    #[test]
    fn below_a_path_cookies_have_that_path_unless_their_prefix_forbids_it() {
        for (public_url, path) in [
            ("https://example.com/id", "/id"),
            ("https://example.com/a/id/", "/a/id"),
            ("https://example.com/a;Domain=b", "/"),
        ] {
            let settings = settings(public_url);
            let set = Cookie::Session.set("t", 60, &settings);
            assert!(
                set.contains(&format!("=t; Path={path}; Max-Age=60; ")),
                "{set}"
            );
            for host in [
                Cookie::Csrf,
                Cookie::SessionToken,
                Cookie::Device,
                Cookie::SlackBrowser,
            ] {
                let set = host.set("t", 60, &settings);
                assert!(
                    set.starts_with("__Host-") && set.contains("; Path=/; "),
                    "{set}"
                );
            }
        }
        let http = settings("http://localhost/id");
        let set = Cookie::SlackBrowser.set("t", 60, &http);
        assert!(set.starts_with("hallpass-slack=t; Path=/id; "), "{set}");
    }

    #[test]
    fn a_cookie_is_found_among_others_unless_its_name_repeats() {
        let http = settings("http://localhost");
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=b; xhallpass-slack=no"));
        headers.append(
            COOKIE,
            HeaderValue::from_static("c; hallpass-slack=yes; hallpass-session=; d=e"),
        );
        assert_eq!(Cookie::SlackBrowser.only(&headers, &http), Some("yes"));
        assert_eq!(Cookie::SessionToken.only(&headers, &http), None);
        let https = settings("https://localhost");
        assert_eq!(Cookie::SlackBrowser.only(&headers, &https), None);
        headers.append(COOKIE, HeaderValue::from_static("hallpass-slack=other"));
        assert_eq!(Cookie::SlackBrowser.only(&headers, &http), None);
        assert_eq!(Cookie::SlackBrowser.all(&headers, &http).count(), 2);
    }

    proptest::proptest! {
        #[test]
        fn of_any_cookies_those_of_the_name_are_found_in_their_order(
            sent in proptest::collection::vec(
                (
                    proptest::sample::select(vec![
                        "next-auth.session-token", "Next-Auth.session-token", "__Secure-next-auth.session-token",
                        "xnext-auth.session-token", "next-auth.session-token2", "", "a",
                    ]),
                    "[!#-+\\--:<-\\[\\]-~=]{0,6}",
                    proptest::bool::ANY,
                ),
                0..6,
            ),
        ) {
            let mut lines = vec![String::new()];
            for (name, value, on_a_new_line) in &sent {
                if *on_a_new_line {
                    lines.push(String::new());
                }
                let line = lines.last_mut().unwrap();
                line.push_str(&format!("{name}={value}; "));
            }
            let mut headers = HeaderMap::new();
            for line in &lines {
                headers.append(COOKIE, HeaderValue::from_str(line).unwrap());
            }
            let expected: Vec<&str> = sent
                .iter()
                .filter(|(name, value, _)| *name == "next-auth.session-token" && !value.is_empty())
                .map(|(_, value, _)| value.as_str())
                .collect();
            let http = settings("http://localhost");
            let found: Vec<&str> = Cookie::Session.all(&headers, &http).collect();
            proptest::prop_assert_eq!(&found, &expected);
            let only = expected.first().copied().filter(|_| expected.len() == 1);
            proptest::prop_assert_eq!(Cookie::Session.only(&headers, &http), only);
        }

        #[test]
        fn no_bytes_in_the_header_make_it_panic(bytes in proptest::collection::vec(0x20_u8.., 0..64)) {
            let mut headers = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                headers.append(COOKIE, value);
            }
            let _ = Cookie::Session.only(&headers, &settings("http://localhost"));
        }
    }
}
