//! Return URLs of a sign-in: the allow-list, and the check of what a client asks for against it.

use std::fmt;

use url::{Host, Url, form_urlencoded};

/// An entry of the allow-list: an absolute URL in canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedReturnUrl {
    url: Url,
    /// Whether it stands for every web page on this machine.
    any_loopback: bool,
}

/// Schemes that run code or read local data instead of opening a page.
const DANGEROUS_SCHEMES: [&str; 9] = [
    "javascript",
    "data",
    "vbscript",
    "file",
    "filesystem",
    "blob",
    "about",
    "intent",
    "view-source",
];

const MAX_BYTES: usize = 2_048;

/// Why an entry of the allow-list was rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefusedEntry {
    #[error("is not an absolute URL")]
    NotAbsolute,
    #[error("is longer than {MAX_BYTES} bytes")]
    TooLong,
    #[error("contains a wildcard; list every URL")]
    Wildcard,
    #[error("contains a user name or a password")]
    UserInfo,
    #[error("contains a query")]
    Query,
    #[error("contains a fragment")]
    Fragment,
    #[error("has a scheme that is not allowed")]
    DangerousScheme,
    #[error("uses http for a host that is not this machine; use https")]
    HttpOffLoopback,
    #[error("contains a percent-encoded separator")]
    EncodedSeparator,
    #[error("is not in canonical form; write {0}")]
    NotCanonical(Url),
}

impl AllowedReturnUrl {
    /// Accepts `https://…`, `http://…` on loopback, and custom schemes of mobile apps.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn parse(text: &str) -> Result<Self, RefusedEntry> {
        if text.len() > MAX_BYTES {
            return Err(RefusedEntry::TooLong);
        }
        if text.contains('*') {
            return Err(RefusedEntry::Wildcard);
        }
        let url = Url::parse(text).map_err(|_| RefusedEntry::NotAbsolute)?;
        if is_dangerous_scheme(url.scheme()) {
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
        if url.scheme() == "http" && !leads_to_this_machine(&url) {
            return Err(RefusedEntry::HttpOffLoopback);
        }
        let path = url.path().to_ascii_lowercase();
        if ["%2f", "%5c", "%00", "%25"]
            .iter()
            .any(|encoded| path.contains(encoded))
        {
            return Err(RefusedEntry::EncodedSeparator);
        }
        // One rule for everything the parser silently normalises: upper case, default ports, dot
        // segments, backslashes, tabs, Unicode hosts, unusual notations of IP addresses.
        if text != url.as_str() && format!("{text}/") != url.as_str() {
            return Err(RefusedEntry::NotCanonical(url));
        }
        Ok(Self {
            url,
            any_loopback: false,
        })
    }

    /// With `example` as its URL, an entry that allows every web page on this machine, whatever its port: for
    /// development.
    ///
    /// # Errors
    /// As `parse`.
    pub fn any_loopback(example: &str) -> Result<Self, RefusedEntry> {
        let entry = Self::parse(example)?;
        Ok(Self {
            any_loopback: true,
            ..entry
        })
    }

    pub fn as_url(&self) -> &Url {
        &self.url
    }

    /// Whether it allows `url`, which was given as `text`.
    fn allows(&self, url: &Url, text: &str) -> bool {
        if is_web(url) {
            leads_below(&self.url, url) || (self.any_loopback && leads_to_this_machine(url))
        } else {
            // A custom scheme belongs to an app, which has no paths below a URL as a server has.
            self.url.as_str() == text
        }
    }

    /// Replaces port 0, which means any free port, by `port`.
    #[must_use]
    pub fn with_real_port(&self, port: u16) -> Self {
        let mut entry = self.clone();
        if entry.url.port() == Some(0) {
            // Setting a port cannot fail for an http URL with a host.
            let _ = entry.url.set_port(Some(port));
        }
        entry
    }
}

impl fmt::Display for AllowedReturnUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

/// A validated return URL: it follows every rule and is on the allow-list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnUrl(Url);

/// Characters that parsers read differently, and `#`, because we add the fragment.
const UNSAFE_CHARACTERS: &[u8] = b"\\\"<>^`{|}#";

/// Parameters that we add to the return URL; a return URL must not contain its own.
const RESERVED_PARAMETERS: [&str; 7] = [
    "token",
    "mfaToken",
    "enrolmentRequired",
    "expiresIn",
    "state",
    "code",
    "error",
];

/// Why a return URL was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusedReturnUrl {
    #[error("is longer than {MAX_BYTES} bytes")]
    TooLong,
    #[error("contains a fragment or a character that is not allowed in a URL")]
    UnsafeCharacter,
    #[error("is not an absolute URL")]
    NotAbsolute,
    #[error("has a scheme that is not allowed")]
    DangerousScheme,
    #[error("has an ambiguous host")]
    AmbiguousHost,
    #[error("contains dot segments or percent-encoded separators in its path")]
    AmbiguousPath,
    #[error("contains a parameter that the sign-in adds itself")]
    ReservedParameter,
    #[error("is not in the list")]
    NotListed,
}

impl ReturnUrl {
    /// Rejects everything that parsers could disagree about, even if it is listed: what we compare, what we
    /// send and what a browser opens must be the same URL.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(text: &str, allowed: &[AllowedReturnUrl]) -> Result<Self, RefusedReturnUrl> {
        let url = read_plainly(text)?;
        if is_web(&url) {
            let path = path_beyond_plain_host(text, &url)?;
            if is_ambiguous(path) {
                return Err(RefusedReturnUrl::AmbiguousPath);
            }
            if url
                .query_pairs()
                .any(|(name, _)| RESERVED_PARAMETERS.contains(&&*name))
            {
                return Err(RefusedReturnUrl::ReservedParameter);
            }
        }
        if allowed.iter().any(|entry| entry.allows(&url, text)) {
            Ok(Self(url))
        } else {
            Err(RefusedReturnUrl::NotListed)
        }
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether it opens an app on the device. Other apps can claim the same scheme, so a bearer credential
    /// must not be sent there.
    pub fn is_custom_scheme(&self) -> bool {
        !is_web(&self.0)
    }

    /// Adds these parameters to the query.
    #[must_use]
    pub fn with_query(&self, parameters: &[(&str, &str)]) -> Url {
        let mut url = self.0.clone();
        url.query_pairs_mut().extend_pairs(parameters);
        url
    }

    /// Sets these parameters as the fragment, which browsers do not send to servers.
    #[must_use]
    pub fn with_fragment(&self, parameters: &[(&str, &str)]) -> Url {
        let mut url = self.0.clone();
        let fragment = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(parameters)
            .finish();
        url.set_fragment(Some(&fragment));
        url
    }
}

/// The page at `text`, if it is on one of `origins`, or at or below one of `allowed`.
///
/// As strict as [`ReturnUrl::check`], but for pages that receive no token, so they may have any query and
/// fragment. Pages of hybrid apps have custom schemes (`capacitor://localhost/orders`): those need their origin, because
/// an entry of a custom scheme is for the sign-in with Slack alone.
pub fn page_at(text: &str, origins: &[Url], allowed: &[AllowedReturnUrl]) -> Option<Url> {
    let (page, fragment) = match text.split_once('#') {
        Some((page, fragment)) => (page, Some(fragment)),
        None => (text, None),
    };
    let mut url = read_plainly(page).ok()?;
    if is_ambiguous(path_beyond_plain_host(page, &url).ok()?) {
        return None;
    }
    if !fragment.unwrap_or_default().bytes().all(is_safe) {
        return None;
    }
    url.set_fragment(fragment);
    let is_allowed = origins.iter().any(|origin| leads_below(origin, &url))
        || (is_web(&url) && allowed.iter().any(|entry| entry.allows(&url, text)));
    is_allowed.then_some(url)
}

/// Parses an absolute URL, after rejecting characters that parsers read differently.
fn read_plainly(text: &str) -> Result<Url, RefusedReturnUrl> {
    if text.len() > MAX_BYTES {
        return Err(RefusedReturnUrl::TooLong);
    }
    if !text.bytes().all(is_safe) {
        return Err(RefusedReturnUrl::UnsafeCharacter);
    }
    let url = Url::parse(text).map_err(|_| RefusedReturnUrl::NotAbsolute)?;
    if is_dangerous_scheme(url.scheme()) {
        return Err(RefusedReturnUrl::DangerousScheme);
    }
    Ok(url)
}

fn is_safe(b: u8) -> bool {
    b.is_ascii_graphic() && !UNSAFE_CHARACTERS.contains(&b)
}

/// What follows `scheme://host:port`, if that part is canonical except for case and a default port.
fn path_beyond_plain_host<'a>(text: &'a str, url: &Url) -> Result<&'a str, RefusedReturnUrl> {
    let ambiguous = RefusedReturnUrl::AmbiguousHost;
    let (_, rest) = text.split_once("://").ok_or(ambiguous)?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).ok_or(ambiguous)?;
    // Hosts of custom schemes are opaque: their case counts.
    let authority = match is_web(url) {
        true => authority.to_ascii_lowercase(),
        false => authority.to_owned(),
    };
    let host = url.host_str().ok_or(ambiguous)?;
    let is_plain = match authority.strip_prefix(host) {
        Some("") => url.port().is_none(),
        Some(port) => {
            let number = url.port_or_known_default().unwrap_or_default();
            port == format!(":{number}")
        }
        None => false,
    };
    if !is_plain || host.ends_with('.') {
        return Err(ambiguous);
    }
    Ok(path)
}

/// Whether servers and parsers might read different paths.
fn is_ambiguous(path_and_query: &str) -> bool {
    let path = path_and_query.split('?').next().unwrap_or_default();
    let lower = path.to_ascii_lowercase();
    ["%2e", "%2f", "%5c", "%00", "%25"]
        .iter()
        .any(|encoded| lower.contains(encoded))
        || path.split('/').any(|segment| matches!(segment, "." | ".."))
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

/// Whether URLs of this scheme run code or read local data instead of opening a page.
pub fn is_dangerous_scheme(scheme: &str) -> bool {
    DANGEROUS_SCHEMES.contains(&scheme)
}

/// Same scheme, host and port, and the same path or one below it.
fn leads_below(entry: &Url, url: &Url) -> bool {
    if entry.scheme() != url.scheme()
        || entry.host() != url.host()
        || entry.port_or_known_default() != url.port_or_known_default()
    {
        return false;
    }
    match url.path().strip_prefix(entry.path()) {
        None => false,
        Some(below) => below.is_empty() || below.starts_with('/') || entry.path().ends_with('/'),
    }
}

/// Whether the URL's host is this machine for browsers: a loopback host, or a name below `localhost` (RFC 6761 §6.3),
/// which other resolvers may look up elsewhere.
pub fn leads_to_this_machine(url: &Url) -> bool {
    leads_to_loopback(url)
        || matches!(url.host(), Some(Host::Domain(name)) if is_web(url) && name.ends_with(".localhost"))
}

/// Whether the URL's host is this machine for every resolver: `localhost`, 127.0.0.0/8 or `[::1]`.
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
    fn full_urls_are_accepted_as_entries() {
        for entry in [
            "https://app.example.com",
            "https://app.example.com/",
            "https://app.example.com/auth/callback",
            "https://app.example.com:8443/auth",
            "http://localhost:3000/",
            "http://127.0.0.1:3000/auth",
            "http://[::1]:3000",
            "http://app.localhost:3000",
            "http://tauri.localhost",
            "com.example.app://signed-in",
            "com.example.app:/signed-in",
            "capacitor://localhost/auth",
            "chrome-extension://abcdefghijklmnop/signed-in.html",
            "app://obsidian.md",
        ] {
            assert!(AllowedReturnUrl::parse(entry).is_ok(), "{entry}");
        }
    }

    #[test]
    fn entries_with_extra_or_missing_parts_are_rejected() {
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
            ("http://notlocalhost/", HttpOffLoopback),
            ("http://app.localhost.example.com/", HttpOffLoopback),
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
    fn dangerous_schemes_are_rejected_in_any_case() {
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
            "filesystem:https://app.example.com/temporary/1",
            "view-source:https://app.example.com/",
        ] {
            assert_eq!(
                AllowedReturnUrl::parse(entry),
                Err(RefusedEntry::DangerousScheme),
                "{entry}"
            );
        }
    }

    #[test]
    fn a_non_canonical_entry_is_rejected_with_its_canonical_form() {
        for (entry, canonical) in [
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
            let error = AllowedReturnUrl::parse(entry).unwrap_err();
            assert!(error.to_string().ends_with(canonical), "{entry}: {error}");
        }
    }

    fn list(entries: &[&str]) -> Vec<AllowedReturnUrl> {
        entries
            .iter()
            .map(|entry| AllowedReturnUrl::parse(entry).unwrap())
            .collect()
    }

    fn usual_list() -> Vec<AllowedReturnUrl> {
        list(&[
            "https://app.example.com/auth",
            "https://any.example.com",
            "http://localhost:3000",
            "com.example.app://signed-in",
        ])
    }

    #[test]
    fn return_urls_at_or_below_an_entry_are_accepted() {
        for (given, sent) in [
            (
                "https://app.example.com/auth",
                "https://app.example.com/auth",
            ),
            (
                "https://app.example.com/auth/",
                "https://app.example.com/auth/",
            ),
            (
                "https://app.example.com/auth/a/b",
                "https://app.example.com/auth/a/b",
            ),
            (
                "https://app.example.com/auth?next=/x",
                "https://app.example.com/auth?next=/x",
            ),
            (
                "https://app.example.com/auth?next=%2Fx",
                "https://app.example.com/auth?next=%2Fx",
            ),
            (
                "https://app.example.com:443/auth",
                "https://app.example.com/auth",
            ),
            (
                "HTTPS://App.Example.com/auth",
                "https://app.example.com/auth",
            ),
            ("https://any.example.com", "https://any.example.com/"),
            (
                "https://any.example.com?a=b",
                "https://any.example.com/?a=b",
            ),
            (
                "https://any.example.com/a%20b//c/...",
                "https://any.example.com/a%20b//c/...",
            ),
            (
                "http://localhost:3000/deep/link",
                "http://localhost:3000/deep/link",
            ),
            ("com.example.app://signed-in", "com.example.app://signed-in"),
        ] {
            let url = ReturnUrl::check(given, &usual_list());
            assert_eq!(url.as_ref().map(ReturnUrl::as_str), Ok(sent), "{given}");
        }
    }

    #[test]
    fn malicious_return_urls_are_rejected() {
        for given in [
            "",
            "/",
            "auth",
            "//evil",
            "//evil.com/auth",
            r"/\evil",
            r"\\evil",
            "https:evil.com",
            "https:app.example.com/auth",
            "https:/app.example.com/auth",
            "https:///evil.com",
            "https:///app.example.com/auth",
            "https:////app.example.com/auth",
            "https://app@evil",
            "https://app.example.com@evil.com/auth",
            "https://app:443@evil",
            "https://app.example.com:443@evil.com/auth",
            "https://ada@app.example.com/auth",
            "https://ada:pw@app.example.com/auth",
            "https://@app.example.com/auth",
            "https://:@app.example.com/auth",
            r"https://evil\@app",
            r"https://evil.com\@app.example.com/auth",
            r"https://app.example.com\@evil.com/auth",
            r"https://app.example.com/auth\..\x",
            "https://app.evil.com",
            "https://app.example.com.evil.com/auth",
            "https://xapp",
            "https://xapp.example.com/auth",
            "https://evil-app.example.com/auth",
            "https://example.com/auth",
            "https://app.example.com./auth",
            "https://app.example.com..",
            "https://.app.example.com/auth",
            "https://app.example.com:8443/auth",
            "https://app.example.com:80/auth",
            "https://app.example.com:/auth",
            "https://app.example.com:0443/auth",
            "https://app.example.com:443:443/auth",
            "https://app.example.com:99999/auth",
            "http://app.example.com/auth",
            "http://app.example.com:443/auth",
            "ws://app.example.com/auth",
            "ftp://app.example.com/auth",
            "https://app.example.com",
            "https://app.example.com/",
            "https://app.example.com/Auth",
            "https://app.example.com/aut",
            "https://app.example.com/authx",
            "https://app.example.com/auth-evil",
            "https://app.example.com/auth;x",
            "https://app.example.com/auth%3fx",
            "https://app.example.com//auth",
            "https://app.example.com/x/auth",
            "https://app.example.com/?/auth",
            "https://app.example.com?/auth",
            "https://app.example.com/auth/../admin",
            "https://app.example.com/auth/..",
            "https://app.example.com/auth/.",
            "https://app.example.com/auth/./x",
            "https://app.example.com/./auth",
            "https://app.example.com/admin/../auth",
            "https://app.example.com/auth/%2e%2e/admin",
            "https://app.example.com/auth/%2E%2E/admin",
            "https://app.example.com/auth/.%2e/admin",
            "https://app.example.com/auth/..%2fadmin",
            "https://app.example.com/auth/..%5cadmin",
            "https://app.example.com/auth/%2f",
            "https://app.example.com/auth/%00",
            "https://app.example.com/auth/%252e%252e/admin",
            "https://app.example.com/auth#x",
            "https://app.example.com/auth#",
            "https://evil.com#https://app.example.com/auth",
            "https://evil.com/https://app.example.com/auth",
            "https://evil.com?https://app.example.com/auth",
            "https://app.example.com%2eevil.com/auth",
            "https://app.example.com%00.evil.com/auth",
            "https://app.example.com%40evil.com/auth",
            "https://%61pp.example.com/auth",
            "JaVaScRiPt:alert(1)",
            "javascript://app.example.com/auth%0aalert(1)",
            "data:text/html,hi",
            "vbscript:x",
            "file:///etc/passwd",
            "blob:https://app.example.com/auth",
            "about:blank",
            "intent://app.example.com/auth",
            "view-source:https://app.example.com/auth",
            " https://app.example.com/auth",
            "https://app.example.com/auth ",
            "\thttps://app.example.com/auth",
            "https://app.exa\tmple.com/auth",
            "https://app.example.com/auth\r\nSet-Cookie: a=b",
            "https://app.example.com/auth\n",
            "ht\ntps://app.example.com/auth",
            "https://app.example.com/auth\0",
            "https://app.example.com/auth\u{7f}",
            "https://\u{430}pp.example.com/auth",
            "https://app\u{ff0e}example.com/auth",
            "https://app\u{3002}example.com/auth",
            "https://app\u{ad}.example.com/auth",
            "https://app\u{200b}.example.com/auth",
            "https://app.example.com\u{2044}auth",
            "https://app.example.com/\u{e9}",
            "https://xn--pp-6kc.example.com/auth",
            "https://[::ffff:127.0.0.1]/auth",
            "https:///",
            "https://",
            "https://app.example.com/auth\"x",
            "https://app.example.com/auth<x>",
            "https://app.example.com/auth^",
            "https://app.example.com/auth`",
            "https://app.example.com/auth{x}",
            "https://app.example.com/auth|x",
            "https://localhost.evil.com/",
            "http://localhost.evil.com:3000/",
            "http://localhost:3000.evil.com/",
            "http://localhost:30000/",
            "http://localhost/",
            "http://localhost.:3000/",
            "http://127.0.0.1:3000/",
            "http://0x7f.1:3000/",
            "http://2130706433:3000/",
            "http://[::1]:3000/",
            "http://0:3000/",
            "com.example.app://signed-in/",
            "com.example.app://signed-in/x",
            "com.example.app://signed-in?x",
            "com.example.app://evil",
            "com.example.app:signed-in",
            "COM.example.app://signed-in",
            "com.example.apps://signed-in",
            "https://any.example.com/?token=x",
            "https://any.example.com/?a=b&state=x",
            "https://any.example.com/?c%6fde=x",
            "https://any.example.com/?error",
            "https://any.example.com/?expiresIn=1",
            "https://any.example.com/?mfaToken=1",
            "https://any.example.com/?enrolmentRequired=false",
        ] {
            assert!(ReturnUrl::check(given, &usual_list()).is_err(), "{given:?}");
        }
    }

    #[test]
    fn unusual_ip_notations_are_rejected_even_if_the_address_is_listed() {
        let allowed = list(&["http://127.0.0.1:3000", "http://[::1]:3000"]);
        assert!(ReturnUrl::check("http://127.0.0.1:3000/", &allowed).is_ok());
        assert!(ReturnUrl::check("http://[::1]:3000/x", &allowed).is_ok());
        for given in [
            "http://0x7f.1:3000/",
            "http://127.1:3000/",
            "http://0177.0.0.1:3000/",
            "http://2130706433:3000/",
            "http://[0:0:0:0:0:0:0:1]:3000/",
            "http://127.0.0.1.:3000/",
        ] {
            assert_eq!(
                ReturnUrl::check(given, &allowed),
                Err(RefusedReturnUrl::AmbiguousHost),
                "{given}"
            );
        }
    }

    #[test]
    fn a_return_url_is_at_most_2048_bytes() {
        let base = "https://any.example.com/";
        let longest = format!("{base}{}", "a".repeat(MAX_BYTES - base.len()));
        assert!(ReturnUrl::check(&longest, &usual_list()).is_ok());
        assert_eq!(
            ReturnUrl::check(&format!("{longest}a"), &usual_list()),
            Err(RefusedReturnUrl::TooLong)
        );
    }

    #[test]
    fn an_empty_list_allows_no_return_url() {
        assert_eq!(
            ReturnUrl::check("https://app.example.com/", &[]),
            Err(RefusedReturnUrl::NotListed)
        );
    }

    #[test]
    fn in_development_any_page_of_this_machine_is_accepted_and_no_other() {
        let allowed = [AllowedReturnUrl::any_loopback("http://localhost:3000").unwrap()];
        for given in [
            "http://localhost:3000/",
            "http://localhost:5173/welcome?a=b",
            "http://127.0.0.1:5173/welcome",
            "http://[::1]:5173/",
            "http://app.localhost:5173/",
            "https://localhost:5173/",
        ] {
            assert!(ReturnUrl::check(given, &allowed).is_ok(), "{given}");
            assert!(page_at(given, &[], &allowed).is_some(), "{given}");
        }
        for given in [
            "http://10.0.0.1:3000/",
            "http://localhost.evil.example:3000/",
            "http://localhost:3000@evil.example/",
            "http://0x7f.1:3000/",
            "capacitor://localhost",
        ] {
            assert!(ReturnUrl::check(given, &allowed).is_err(), "{given}");
            assert!(page_at(given, &[], &allowed).is_none(), "{given}");
        }
    }

    #[test]
    fn pages_of_hybrid_apps_are_accepted_on_their_listed_origin_only() {
        let origins = [
            "https://app.example.com",
            "capacitor://localhost",
            "safari-web-extension://2F1A-9C",
        ]
        .map(|origin| Url::parse(origin).unwrap());
        let allowed = list(&["com.example.app://signed-in"]);
        for given in [
            "https://app.example.com/orders?a=b#c",
            "capacitor://localhost",
            "capacitor://localhost/orders?a=b#/c",
            "safari-web-extension://2F1A-9C/page.html",
        ] {
            let page = page_at(given, &origins, &allowed);
            assert_eq!(page.as_ref().map(Url::as_str), Some(given), "{given}");
        }
        for given in [
            "ionic://localhost",
            "capacitor:localhost",
            "capacitor:/localhost",
            "capacitor:///localhost",
            "capacitor://localhost:8080/",
            "capacitor://localhost.evil.example/",
            "capacitor://evil.example/",
            "capacitor://localhost@evil.example/",
            "capacitor://ada@localhost/",
            "capacitor://LOCALHOST/",
            "capacitor://localhost/a/../b",
            "capacitor://localhost/%2e%2e/b",
            "safari-web-extension://2f1a-9c/page.html",
            "com.example.app://signed-in",
            "javascript://localhost/%0aalert(1)",
        ] {
            assert!(page_at(given, &origins, &allowed).is_none(), "{given}");
        }
    }

    #[test]
    fn added_parameters_are_encoded() {
        let url = ReturnUrl::check("https://any.example.com/a?b=c", &usual_list()).unwrap();
        assert_eq!(
            url.with_query(&[("code", "x&y=#z"), ("state", "s")])
                .as_str(),
            "https://any.example.com/a?b=c&code=x%26y%3D%23z&state=s"
        );
        assert_eq!(
            url.with_fragment(&[("token", "a.b-c"), ("state", "#&")])
                .as_str(),
            "https://any.example.com/a?b=c#token=a.b-c&state=%23%26"
        );
        let app = ReturnUrl::check("com.example.app://signed-in", &usual_list()).unwrap();
        assert!(app.is_custom_scheme() && !url.is_custom_scheme());
        assert_eq!(
            app.with_query(&[("code", "x")]).as_str(),
            "com.example.app://signed-in?code=x"
        );
    }

    /// Concatenated pieces of confusing URLs.
    fn confusing() -> impl proptest::strategy::Strategy<Value = String> {
        use proptest::prelude::*;

        let piece = prop_oneof![
            Just("https:"),
            Just("http:"),
            Just("//"),
            Just("/"),
            Just("\\"),
            Just("@"),
            Just(":"),
            Just("app.example.com"),
            Just("any.example.com"),
            Just("evil.com"),
            Just("localhost"),
            Just("."),
            Just(".."),
            Just("%2e"),
            Just("%2f"),
            Just("?"),
            Just("#"),
            Just("/auth"),
            Just("443"),
            Just("3000"),
            Just(":443"),
            Just(":3000"),
            Just("%40"),
            Just("\t"),
            Just("com.example.app"),
            Just("signed-in"),
            Just("[::1]"),
            Just("a=b"),
            Just("&"),
        ];
        proptest::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat())
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(4096))]

        /// Checked with nothing of the code under test but the URL parser.
        #[test]
        fn an_accepted_return_url_is_at_or_below_an_entry(
            head in proptest::sample::select(vec![
                "", "https://", "https://app.example.com", "https://any.example.com", "http://localhost:3000",
            ]),
            tail in confusing(),
        ) {
            let given = format!("{head}{tail}");
            if let Ok(url) = ReturnUrl::check(&given, &usual_list()) {
                let sent = url.with_fragment(&[("token", "t")]);
                let origin = sent.origin().ascii_serialization();
                let path = sent.path();
                let listed = match origin.as_str() {
                    "https://app.example.com" => path == "/auth" || path.starts_with("/auth/"),
                    "https://any.example.com" | "http://localhost:3000" => true,
                    _ => sent.as_str() == "com.example.app://signed-in#token=t",
                };
                proptest::prop_assert!(listed, "{given:?} leads to {sent}");
                proptest::prop_assert!(sent.username().is_empty() && sent.password().is_none());
            }
        }

        #[test]
        fn an_accepted_return_url_is_accepted_again_unchanged(tail in confusing()) {
            let given = format!("https://any.example.com/{tail}");
            if let Ok(url) = ReturnUrl::check(&given, &usual_list()) {
                let again = ReturnUrl::check(url.as_str(), &usual_list());
                proptest::prop_assert_eq!(again.as_ref(), Ok(&url));
            }
        }

        #[test]
        fn arbitrary_text_never_panics(given in "\\PC*") {
            let _ = ReturnUrl::check(&given, &usual_list());
        }
    }
}
