//! Where a sign-in may send the browser back to: the entries of the allow-list.

use std::fmt;

use url::{Host, Url};

/// One entry of the allow-list: an absolute URL, written exactly as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedReturnUrl(Url);

/// Schemes that run code or read local data instead of leading somewhere.
const DANGEROUS_SCHEMES: [&str; 7] = [
    "javascript",
    "data",
    "vbscript",
    "file",
    "blob",
    "about",
    "intent",
];

const MAX_BYTES: usize = 2_048;

/// Why an entry was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefusedEntry {
    #[error("is not an absolute URL")]
    NotAbsolute,
    #[error("is longer than {MAX_BYTES} bytes")]
    TooLong,
    #[error("holds a wildcard; list every address")]
    Wildcard,
    #[error("holds a user name or a password")]
    UserInfo,
    #[error("holds a query")]
    Query,
    #[error("holds a fragment")]
    Fragment,
    #[error("has a scheme that leads nowhere safe")]
    DangerousScheme,
    #[error("uses http for an address that is not this machine's; use https")]
    HttpOffLoopback,
    #[error("holds a percent-encoded separator")]
    EncodedSeparator,
    #[error("is not written as browsers write it; write {0}")]
    NotCanonical(Url),
}

impl AllowedReturnUrl {
    /// Accepts `https://…`, `http://…` on loopback, and schemes of mobile applications.
    ///
    /// # Errors
    /// Names the rule that is broken.
    pub fn parse(text: &str) -> Result<Self, RefusedEntry> {
        if text.len() > MAX_BYTES {
            return Err(RefusedEntry::TooLong);
        }
        if text.contains('*') {
            return Err(RefusedEntry::Wildcard);
        }
        let url = Url::parse(text).map_err(|_| RefusedEntry::NotAbsolute)?;
        if DANGEROUS_SCHEMES.contains(&url.scheme()) {
            return Err(RefusedEntry::DangerousScheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(RefusedEntry::UserInfo);
        }
        if url.query().is_some() {
            return Err(RefusedEntry::Query);
        }
        if url.fragment().is_some() {
            return Err(RefusedEntry::Fragment);
        }
        if url.scheme() == "http" && !leads_to_loopback(&url) {
            return Err(RefusedEntry::HttpOffLoopback);
        }
        let path = url.path().to_ascii_lowercase();
        if ["%2f", "%5c", "%00", "%25"]
            .iter()
            .any(|encoded| path.contains(encoded))
        {
            return Err(RefusedEntry::EncodedSeparator);
        }
        // One rule for everything the parser would quietly mend: upper case, default ports, dot
        // segments, backslashes, tabs, Unicode hosts, addresses in odd notations.
        if text != url.as_str() && format!("{text}/") != url.as_str() {
            return Err(RefusedEntry::NotCanonical(url));
        }
        Ok(Self(url))
    }

    pub fn as_url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Display for AllowedReturnUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether the URL's host is this machine: `localhost`, 127.0.0.0/8 or `[::1]`.
pub fn leads_to_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_a_full_url() {
        for entry in [
            "https://app.example.com",
            "https://app.example.com/",
            "https://app.example.com/auth/callback",
            "https://app.example.com:8443/auth",
            "http://localhost:3000/",
            "http://127.0.0.1:3000/auth",
            "http://[::1]:3000",
            "com.example.app://signed-in",
            "com.example.app:/signed-in",
        ] {
            assert!(AllowedReturnUrl::parse(entry).is_ok(), "{entry}");
        }
    }

    #[test]
    fn an_entry_says_no_more_and_no_less_than_where_to() {
        use RefusedEntry::*;
        for (entry, refusal) in [
            ("", NotAbsolute),
            ("app.example.com", NotAbsolute),
            ("/auth", NotAbsolute),
            ("//evil.example", NotAbsolute),
            ("https://*.example.com", Wildcard),
            ("https://app.example.com/*", Wildcard),
            ("https://ada@app.example.com/", UserInfo),
            ("https://ada:pw@app.example.com/", UserInfo),
            ("https://app.example.com/?a=b", Query),
            ("https://app.example.com/?", Query),
            ("https://app.example.com/#a", Fragment),
            ("https://app.example.com/#", Fragment),
            ("http://app.example.com/", HttpOffLoopback),
            ("http://localhost.example.com/", HttpOffLoopback),
            ("http://0.0.0.0/", HttpOffLoopback),
            ("https://app.example.com/a%2Fb", EncodedSeparator),
            ("https://app.example.com/a%5cb", EncodedSeparator),
            ("https://app.example.com/%252e", EncodedSeparator),
        ] {
            assert_eq!(AllowedReturnUrl::parse(entry), Err(refusal), "{entry}");
        }
        let long = format!("https://app.example.com/{}", "a".repeat(MAX_BYTES));
        assert_eq!(AllowedReturnUrl::parse(&long), Err(TooLong));
    }

    #[test]
    fn schemes_that_run_code_are_refused_in_any_case() {
        for entry in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "java\nscript:alert(1)",
            "data:text/html,hi",
            "vbscript:x",
            "file:///etc/passwd",
            "blob:https://app.example.com/1",
            "about:blank",
            "intent://scan/#Intent;end",
        ] {
            assert_eq!(
                AllowedReturnUrl::parse(entry),
                Err(RefusedEntry::DangerousScheme),
                "{entry}"
            );
        }
    }

    #[test]
    fn an_entry_the_parser_would_mend_is_refused_with_the_mended_form() {
        for (entry, mended) in [
            ("https:app.example.com", "https://app.example.com/"),
            ("https:///app.example.com", "https://app.example.com/"),
            ("HTTPS://App.Example.com/", "https://app.example.com/"),
            ("https://app.example.com:443/", "https://app.example.com/"),
            (
                "https://app.example.com/a/../b",
                "https://app.example.com/b",
            ),
            (
                "https://app.example.com/a/%2e%2e/b",
                "https://app.example.com/b",
            ),
            ("https://app.example.com\\a", "https://app.example.com/a"),
            ("https://app.exam\tple.com/", "https://app.example.com/"),
            (" https://app.example.com/", "https://app.example.com/"),
            (
                "https://\u{430}pp.example.com/",
                "https://xn--pp-6kc.example.com/",
            ),
            ("http://0x7f.1:3000/", "http://127.0.0.1:3000/"),
        ] {
            let refusal = AllowedReturnUrl::parse(entry).unwrap_err();
            assert!(refusal.to_string().ends_with(mended), "{entry}: {refusal}");
        }
    }
}
