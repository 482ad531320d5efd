//! Origins of web pages (RFC 6454), as browsers write them in `Origin`.

use url::Url;

use super::return_url::{is_dangerous_scheme, leads_to_this_machine};

/// Why an origin was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusedOrigin {
    #[error("contains a wildcard")]
    Wildcard,
    #[error("has a scheme that is not allowed")]
    DangerousScheme,
    #[error("contains a path")]
    Path,
    #[error("is not an origin")]
    NotAnOrigin,
}

/// The origin as browsers send it: of http and https in lower case, punycode and without a default port; of other
/// schemes (`capacitor://localhost`, `chrome-extension://<id>`) only what is written so already, because their hosts
/// have no canonical form.
///
/// # Errors
/// The first rule that is broken; `null` is no origin, because any page can have it.
pub fn parse_origin(text: &str) -> Result<String, RefusedOrigin> {
    if text.contains('*') {
        return Err(RefusedOrigin::Wildcard);
    }
    let url = Url::parse(text).map_err(|_| RefusedOrigin::NotAnOrigin)?;
    if is_dangerous_scheme(url.scheme()) {
        return Err(RefusedOrigin::DangerousScheme);
    }
    let has_more = !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some();
    if has_more || url.host().is_none() {
        return Err(RefusedOrigin::NotAnOrigin);
    }
    match url.scheme() {
        "http" | "https" if url.path() != "/" => Err(RefusedOrigin::Path),
        "http" | "https" => Ok(url.origin().ascii_serialization()),
        // No page has them.
        "ftp" | "ws" | "wss" => Err(RefusedOrigin::NotAnOrigin),
        _ if !url.path().is_empty() => Err(RefusedOrigin::Path),
        _ if url.as_str() == text && text.bytes().all(is_plain) => Ok(text.to_owned()),
        _ => Err(RefusedOrigin::NotAnOrigin),
    }
}

/// Whether this is the origin of a page on this machine, on any port, exactly as a browser sends it.
pub fn is_loopback_origin(text: &str) -> bool {
    parse_origin(text).is_ok_and(|origin| origin == text)
        && Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https") && leads_to_this_machine(&url)
        })
}

fn is_plain(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"+-._~:/[]".contains(&b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_kept_as_browsers_write_it() {
        for (text, origin) in [
            ("https://app.example.com", "https://app.example.com"),
            ("HTTPS://App.Example.com:443/", "https://app.example.com"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://tauri.localhost", "http://tauri.localhost"),
            ("capacitor://localhost", "capacitor://localhost"),
            ("ionic://localhost:8100", "ionic://localhost:8100"),
            ("tauri://localhost", "tauri://localhost"),
            ("app://obsidian.md", "app://obsidian.md"),
            (
                "chrome-extension://abcdefghijklmnop",
                "chrome-extension://abcdefghijklmnop",
            ),
            (
                "safari-web-extension://2F1A-9C",
                "safari-web-extension://2F1A-9C",
            ),
        ] {
            assert_eq!(parse_origin(text).as_deref(), Ok(origin), "{text}");
        }
    }

    #[test]
    fn what_is_no_origin_is_rejected() {
        use RefusedOrigin::*;
        for (text, refusal) in [
            ("", NotAnOrigin),
            ("null", NotAnOrigin),
            ("app.example.com", NotAnOrigin),
            ("*", Wildcard),
            ("https://*.example.com", Wildcard),
            ("capacitor://*", Wildcard),
            ("https://app.example.com/a", Path),
            ("capacitor://localhost/", Path),
            ("capacitor://localhost/a", Path),
            ("https://ada@app.example.com", NotAnOrigin),
            ("capacitor://ada@localhost", NotAnOrigin),
            ("capacitor://localhost?a", NotAnOrigin),
            ("capacitor://localhost#a", NotAnOrigin),
            ("Capacitor://localhost", NotAnOrigin),
            ("capacitor://", NotAnOrigin),
            ("capacitor:localhost", NotAnOrigin),
            ("capacitor:///", NotAnOrigin),
            ("capacitor://a,b", NotAnOrigin),
            ("capacitor://a%20b", NotAnOrigin),
            (" capacitor://localhost", NotAnOrigin),
            ("wss://app.example.com", NotAnOrigin),
            ("javascript://localhost", DangerousScheme),
            ("data:text/html,hi", DangerousScheme),
            ("file://", DangerousScheme),
            ("blob:https://app.example.com/1", DangerousScheme),
            ("about:blank", DangerousScheme),
        ] {
            assert_eq!(parse_origin(text), Err(refusal), "{text}");
        }
    }

    #[test]
    fn only_pages_of_this_machine_have_a_loopback_origin() {
        for own in [
            "http://localhost:5173",
            "https://localhost",
            "http://127.0.0.1:3000",
            "http://[::1]:3000",
            "http://app.localhost:3000",
        ] {
            assert!(is_loopback_origin(own), "{own}");
        }
        for other in [
            "null",
            "",
            "http://localhost:5173/",
            "http://localhost:80",
            "HTTP://localhost",
            "http://localhost.evil.example",
            "http://evil.example",
            "http://notlocalhost",
            "http://10.0.0.1:3000",
            "http://0x7f.1",
            "capacitor://localhost",
            "file://localhost",
        ] {
            assert!(!is_loopback_origin(other), "{other}");
        }
    }

    proptest::proptest! {
        #[test]
        fn an_accepted_origin_is_accepted_again_unchanged(
            scheme in "[a-zA-Z][a-z0-9+.-]{0,8}",
            rest in "[ -~]{0,20}",
        ) {
            if let Ok(origin) = parse_origin(&format!("{scheme}://{rest}")) {
                proptest::prop_assert_eq!(parse_origin(&origin), Ok(origin.clone()));
                proptest::prop_assert!(!origin.contains(['*', '@', '?', '#', ',', ' ']));
            }
        }
    }
}
