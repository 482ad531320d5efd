//! Where a sign-in may send the browser back to: the entries of the allow-list, and the rule for what
//! a client asks for.

use std::fmt;

use url::{Host, Url, form_urlencoded};

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

    /// The same with `port` where it names port 0, which stands for any that is free.
    #[must_use]
    pub fn with_real_port(&self, port: u16) -> Self {
        let mut url = self.0.clone();
        if url.port() == Some(0) {
            // An http URL with a host takes any port.
            let _ = url.set_port(Some(port));
        }
        Self(url)
    }
}

impl fmt::Display for AllowedReturnUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a sign-in leads back to, and nowhere else: it keeps every rule and the allow-list holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnUrl(Url);

/// Characters that one parser or another reads as something else, `#` because a fragment is ours to add.
const UNSAFE_CHARACTERS: &[u8] = b"\\\"<>^`{|}#";

/// The names of what is handed over: a return URL that brought its own would hide the true ones.
const RESERVED_PARAMETERS: [&str; 7] = [
    "token",
    "mfaToken",
    "enrolmentRequired",
    "expiresIn",
    "state",
    "code",
    "error",
];

/// Why a return URL was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusedReturnUrl {
    #[error("is longer than {MAX_BYTES} bytes")]
    TooLong,
    #[error("holds a character that has no place in a URL, or a fragment")]
    UnsafeCharacter,
    #[error("is not an absolute URL")]
    NotAbsolute,
    #[error("has a scheme that leads nowhere safe")]
    DangerousScheme,
    #[error("names its host in an ambiguous way")]
    AmbiguousHost,
    #[error("holds dot segments or percent-encoded separators in its path")]
    AmbiguousPath,
    #[error("holds a parameter that the sign-in adds itself")]
    ReservedParameter,
    #[error("is not in the list")]
    NotListed,
}

impl ReturnUrl {
    /// Nothing that parsers could disagree about passes, whatever the list says: what is compared here,
    /// what is sent, and what a browser makes of it are the same place.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(text: &str, allowed: &[AllowedReturnUrl]) -> Result<Self, RefusedReturnUrl> {
        let url = read_plainly(text)?;
        let is_web = matches!(url.scheme(), "http" | "https");
        if is_web {
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
        let is_listed = allowed.iter().any(|entry| {
            if is_web {
                leads_below(&entry.0, &url)
            } else {
                // Applications on a phone own a URL, not a server with paths below it.
                entry.0.as_str() == text
            }
        });
        if is_listed {
            Ok(Self(url))
        } else {
            Err(RefusedReturnUrl::NotListed)
        }
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether it leads to an application on the device. Others may claim the same scheme, so nothing
    /// that is a credential by itself may be sent there.
    pub fn is_custom_scheme(&self) -> bool {
        !matches!(self.0.scheme(), "http" | "https")
    }

    /// With these parameters added to its query.
    #[must_use]
    pub fn with_query(&self, parameters: &[(&str, &str)]) -> Url {
        let mut url = self.0.clone();
        url.query_pairs_mut().extend_pairs(parameters);
        url
    }

    /// With these parameters as its fragment, which browsers send to nobody.
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

/// The web page that `text` names, if it is at one of `places` or below it.
///
/// As strict as [`ReturnUrl::check`], but for pages that are handed nothing: their parameters and their
/// fragment are their own business.
pub fn web_page<'a>(text: &str, mut places: impl Iterator<Item = &'a Url>) -> Option<Url> {
    let (page, fragment) = match text.split_once('#') {
        Some((page, fragment)) => (page, Some(fragment)),
        None => (text, None),
    };
    let mut url = read_plainly(page).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https");
    if !is_web || is_ambiguous(path_beyond_plain_host(page, &url).ok()?) {
        return None;
    }
    if !fragment.unwrap_or_default().bytes().all(is_safe) {
        return None;
    }
    url.set_fragment(fragment);
    places.any(|place| leads_below(place, &url)).then_some(url)
}

/// What every parser reads as one and the same absolute URL, as far as its characters tell.
fn read_plainly(text: &str) -> Result<Url, RefusedReturnUrl> {
    if text.len() > MAX_BYTES {
        return Err(RefusedReturnUrl::TooLong);
    }
    if !text.bytes().all(is_safe) {
        return Err(RefusedReturnUrl::UnsafeCharacter);
    }
    let url = Url::parse(text).map_err(|_| RefusedReturnUrl::NotAbsolute)?;
    if DANGEROUS_SCHEMES.contains(&url.scheme()) {
        return Err(RefusedReturnUrl::DangerousScheme);
    }
    Ok(url)
}

fn is_safe(b: u8) -> bool {
    b.is_ascii_graphic() && !UNSAFE_CHARACTERS.contains(&b)
}

/// What follows `scheme://host:port`, if that is written as the parser would write it, less case and a
/// default port.
fn path_beyond_plain_host<'a>(text: &'a str, url: &Url) -> Result<&'a str, RefusedReturnUrl> {
    let ambiguous = RefusedReturnUrl::AmbiguousHost;
    let (_, rest) = text.split_once("://").ok_or(ambiguous)?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).ok_or(ambiguous)?;
    let authority = authority.to_ascii_lowercase();
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

/// Same scheme, host and port; same path or one below it.
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
    fn a_return_url_is_a_listed_one_or_below_it() {
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
    fn evil_return_urls_are_refused() {
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
    fn an_address_in_an_odd_notation_is_refused_even_where_the_address_is_listed() {
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
    fn nothing_is_allowed_by_an_empty_list() {
        assert_eq!(
            ReturnUrl::check("https://app.example.com/", &[]),
            Err(RefusedReturnUrl::NotListed)
        );
    }

    #[test]
    fn what_is_added_cannot_break_out_of_its_parameter() {
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

    /// Pieces from which confusing URLs are put together.
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

        /// What leaves is at a listed place by a reading that shares nothing with the rule but the parser.
        #[test]
        fn whatever_passes_is_at_a_listed_place(
            head in proptest::sample::select(vec!["", "https://", "https://app.example.com", "https://any.example.com", "http://localhost:3000"]),
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
        fn what_passed_once_passes_again_unchanged(tail in confusing()) {
            let given = format!("https://any.example.com/{tail}");
            if let Ok(url) = ReturnUrl::check(&given, &usual_list()) {
                let again = ReturnUrl::check(url.as_str(), &usual_list());
                proptest::prop_assert_eq!(again.as_ref(), Ok(&url));
            }
        }

        #[test]
        fn no_text_makes_it_panic(given in "\\PC*") {
            let _ = ReturnUrl::check(&given, &usual_list());
        }
    }
}
