//! Settings that are URLs, origins or networks.

use std::net::IpAddr;

use ipnet::IpNet;
use url::Url;

use super::setting_error::{Problem, quoted};
use crate::domain::origin::parse_origin;
use crate::domain::return_url::leads_to_loopback;

/// An http or https URL that other URLs are built from: an origin with an optional path.
pub(super) fn base_url(text: &str) -> Result<Url, Problem> {
    let hint = "Use a URL such as https://auth.example.com.";
    let problem = |why| Problem::new(format!("{} {why}.", quoted(text)), hint);
    let url = Url::parse(text).map_err(|_| problem("is not an absolute URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(problem("is not an http or https URL"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(problem("contains a user name or a password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(problem("contains a query or a fragment"));
    }
    Ok(url)
}

/// Like [`base_url`], but must be https unless it is on a loopback address.
pub(super) fn secure_base_url(text: &str) -> Result<Url, Problem> {
    let url = base_url(text)?;
    if url.scheme() == "https" || leads_to_loopback(&url) {
        Ok(url)
    } else {
        Err(Problem::new(
            format!("{} would send secrets unencrypted.", quoted(text)),
            "Use an https URL.",
        ))
    }
}

/// An origin as browsers send it.
pub(super) fn origin(text: &str) -> Result<String, Problem> {
    parse_origin(text).map_err(|refusal| {
        Problem::new(
            format!("{} {refusal}.", quoted(text)),
            "List exact origins such as https://app.example.com or capacitor://localhost.",
        )
    })
}

/// A contact URI (RFC 9116 §2.5.3).
pub(super) fn contact(text: &str) -> Result<Url, Problem> {
    let is_contact = |url: &Url| match url.scheme() {
        "https" => url.host().is_some(),
        "mailto" => url.path().contains('@'),
        "tel" => !url.path().is_empty(),
        _ => false,
    };
    Url::parse(text).ok().filter(is_contact).ok_or_else(|| {
        Problem::new(
            format!("{} is not a contact URI.", quoted(text)),
            "List URIs such as mailto:security@example.com or https://example.com/security.",
        )
    })
}

/// A network in CIDR notation, or one address.
pub(super) fn network(text: &str) -> Result<IpNet, Problem> {
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
