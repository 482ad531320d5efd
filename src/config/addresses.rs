//! Settings that are URLs, origins or networks.

use std::net::IpAddr;

use ipnet::IpNet;
use url::Url;

use super::fault::{Complaint, quoted};
use crate::domain::return_url::leads_to_loopback;

/// An http or https URL that others are built upon: origin and perhaps a path, nothing more.
pub fn base_url(text: &str) -> Result<Url, Complaint> {
    let mend = "Use an address such as https://auth.example.com.";
    let complaint = |why| Complaint::new(format!("{} {why}.", quoted(text)), mend);
    let url = Url::parse(text).map_err(|_| complaint("is not an absolute URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(complaint("is neither http nor https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(complaint("holds a user name or a password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(complaint("holds a query or a fragment"));
    }
    Ok(url)
}

/// Like [`base_url`], and https unless it stays on this machine.
pub fn secure_base_url(text: &str) -> Result<Url, Complaint> {
    let url = base_url(text)?;
    if url.scheme() == "https" || leads_to_loopback(&url) {
        Ok(url)
    } else {
        Err(Complaint::new(
            format!("{} sends secrets unencrypted.", quoted(text)),
            "Use an https address.",
        ))
    }
}

/// An origin as browsers send it: lower case, punycode, no default port.
pub fn origin(text: &str) -> Result<String, Complaint> {
    let mend = "List exact origins such as https://app.example.com or http://localhost:3000.";
    if text.contains('*') {
        let why = format!("{} holds a wildcard.", quoted(text));
        return Err(Complaint::new(why, mend));
    }
    let url = base_url(text)
        .map_err(|_| Complaint::new(format!("{} is not an origin.", quoted(text)), mend))?;
    if url.path() != "/" {
        let why = format!("{} holds a path.", quoted(text));
        return Err(Complaint::new(why, mend));
    }
    Ok(url.origin().ascii_serialization())
}

/// How somebody can be reached, as a URI (RFC 9116 §2.5.3).
pub fn contact(text: &str) -> Result<Url, Complaint> {
    let is_reachable = |url: &Url| match url.scheme() {
        "https" => url.host().is_some(),
        "mailto" => url.path().contains('@'),
        "tel" => !url.path().is_empty(),
        _ => false,
    };
    Url::parse(text).ok().filter(is_reachable).ok_or_else(|| {
        Complaint::new(
            format!("{} is no way to reach anybody.", quoted(text)),
            "List URIs such as mailto:security@example.com or https://example.com/security.",
        )
    })
}

/// A network in CIDR notation, or one address.
pub fn network(text: &str) -> Result<IpNet, Complaint> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map(|network| network.trunc())
        .map_err(|_| {
            Complaint::new(
                format!("{} is not a network.", quoted(text)),
                "Use CIDR notation such as 10.0.0.0/8.",
            )
        })
}
