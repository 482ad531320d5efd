//! Settings that are URLs, origins or networks.

use std::net::IpAddr;

use ipnet::IpNet;
use url::Url;

use super::setting_error::{Problem, quoted};
use crate::domain::return_url::leads_to_loopback;

/// An http or https URL that others are built upon: origin and perhaps a path, nothing more.
pub fn base_url(text: &str) -> Result<Url, Problem> {
    let hint = "Use an address such as https://auth.example.com.";
    let problem = |why| Problem::new(format!("{} {why}.", quoted(text)), hint);
    let url = Url::parse(text).map_err(|_| problem("is not an absolute URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(problem("is neither http nor https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(problem("holds a user name or a password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(problem("holds a query or a fragment"));
    }
    Ok(url)
}

/// Like [`base_url`], and https unless it stays on this machine.
pub fn secure_base_url(text: &str) -> Result<Url, Problem> {
    let url = base_url(text)?;
    if url.scheme() == "https" || leads_to_loopback(&url) {
        Ok(url)
    } else {
        Err(Problem::new(
            format!("{} sends secrets unencrypted.", quoted(text)),
            "Use an https address.",
        ))
    }
}

/// An origin as browsers send it: lower case, punycode, no default port.
pub fn origin(text: &str) -> Result<String, Problem> {
    let hint = "List exact origins such as https://app.example.com or http://localhost:3000.";
    if text.contains('*') {
        let why = format!("{} holds a wildcard.", quoted(text));
        return Err(Problem::new(why, hint));
    }
    let url = base_url(text)
        .map_err(|_| Problem::new(format!("{} is not an origin.", quoted(text)), hint))?;
    if url.path() != "/" {
        let why = format!("{} holds a path.", quoted(text));
        return Err(Problem::new(why, hint));
    }
    Ok(url.origin().ascii_serialization())
}

/// How somebody can be reached, as a URI (RFC 9116 §2.5.3).
pub fn contact(text: &str) -> Result<Url, Problem> {
    let is_reachable = |url: &Url| match url.scheme() {
        "https" => url.host().is_some(),
        "mailto" => url.path().contains('@'),
        "tel" => !url.path().is_empty(),
        _ => false,
    };
    Url::parse(text).ok().filter(is_reachable).ok_or_else(|| {
        Problem::new(
            format!("{} is no way to reach anybody.", quoted(text)),
            "List URIs such as mailto:security@example.com or https://example.com/security.",
        )
    })
}

/// A network in CIDR notation, or one address.
pub fn network(text: &str) -> Result<IpNet, Problem> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map(|network| network.trunc())
        .map_err(|_| {
            Problem::new(
                format!("{} is not a network.", quoted(text)),
                "Use CIDR notation such as 10.0.0.0/8.",
            )
        })
}
