//! The URL that a client asked for, as proxies forward it.

use std::net::IpAddr;

use actix_web::http::header::{
    FORWARDED, HeaderMap, HeaderName, X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PROTO,
};

use super::forwarded::values_from_right;
use super::hop::parse_hop;
use super::settings::Settings;
use crate::domain::ProxyHeader;

const X_FORWARDED_URI: HeaderName = HeaderName::from_static("x-forwarded-uri");

/// The host, with its port where there is one; `None` if no trusted proxy wrote any.
pub(super) fn forwarded_host(
    peer: Option<IpAddr>,
    headers: &HeaderMap,
    settings: &Settings,
) -> Option<String> {
    nearest_to_client(peer, headers, settings, (&X_FORWARDED_HOST, "host"))
}

/// The scheme; `None` if no trusted proxy wrote any.
pub(super) fn forwarded_proto(
    peer: Option<IpAddr>,
    headers: &HeaderMap,
    settings: &Settings,
) -> Option<String> {
    nearest_to_client(peer, headers, settings, (&X_FORWARDED_PROTO, "proto"))
}

/// Path and query, which `Forwarded` does not have; `None` if no trusted proxy wrote them, or several did: they may
/// contain commas, so that a list cannot be told from one value.
pub(super) fn forwarded_uri<'a>(
    peer: Option<IpAddr>,
    headers: &'a HeaderMap,
    settings: &Settings,
) -> Option<&'a str> {
    let mut lines = headers.get_all(X_FORWARDED_URI);
    let uri = lines.next().filter(|_| lines.next().is_none())?;
    is_trusted(&peer?, settings)
        .then(|| uri.to_str().ok())
        .flatten()
}

fn is_trusted(address: &IpAddr, settings: &Settings) -> bool {
    let proxies = &settings.trusted_proxies;
    proxies
        .iter()
        .any(|net| net.contains(&address.to_canonical()))
}

/// Walks from the right as [`client_address`](super::client_address::client_address) does: of what trusted proxies
/// wrote, the value of the one nearest to the client counts.
fn nearest_to_client(
    peer: Option<IpAddr>,
    headers: &HeaderMap,
    settings: &Settings,
    (name, parameter): (&HeaderName, &str),
) -> Option<String> {
    if !is_trusted(&peer?, settings) {
        return None;
    }
    match settings.proxy_header {
        ProxyHeader::XForwarded => {
            let hops = listed_from_right(headers, &X_FORWARDED_FOR);
            let is_proxy =
                |hop: &&String| parse_hop(hop).is_some_and(|hop| is_trusted(&hop, settings));
            // The peer wrote the last value, and each proxy before it the one before that.
            let written = 1 + hops.iter().take_while(is_proxy).count();
            let values = listed_from_right(headers, name);
            values.into_iter().take(written).next_back()
        }
        ProxyHeader::Forwarded => {
            let mut nearest = None;
            for line in lines_from_right(headers, &FORWARDED) {
                for (hop, value) in values_from_right(&line, parameter) {
                    nearest = value.or(nearest);
                    if !hop.is_some_and(|hop| is_trusted(&hop, settings)) {
                        return nearest;
                    }
                }
            }
            nearest
        }
    }
}

fn listed_from_right(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let lines = lines_from_right(headers, name);
    let values = lines.iter().flat_map(|line| line.rsplit(','));
    values.map(|value| value.trim().to_owned()).collect()
}

/// Lossy, because invalid bytes of a client must not hide what our proxies wrote in the same header.
fn lines_from_right(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let lines = headers.get_all(name);
    let mut lines: Vec<_> = lines
        .map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned())
        .collect();
    lines.reverse();
    lines
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;
    use crate::http::settings::tests::settings;

    fn host(peer: &str, header: ProxyHeader, lines: &[(HeaderName, &str)]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for (name, line) in lines {
            headers.append(name.clone(), HeaderValue::from_str(line).unwrap());
        }
        let settings = Settings {
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
            proxy_header: header,
            ..settings("https://auth.example.com")
        };
        forwarded_host(peer.parse().ok(), &headers, &settings)
    }

    #[test]
    fn only_what_trusted_proxies_wrote_in_x_forwarded_host_counts() {
        let x = |peer, hops, hosts| {
            let lines = [(X_FORWARDED_FOR, hops), (X_FORWARDED_HOST, hosts)];
            host(peer, ProxyHeader::XForwarded, &lines)
        };
        for (peer, hops, hosts, expected) in [
            (
                "10.0.0.1",
                "198.51.100.7",
                "acme.example.com",
                Some("acme.example.com"),
            ),
            (
                "10.0.0.1",
                "198.51.100.7",
                "evil.example, acme.example.com",
                Some("acme.example.com"),
            ),
            (
                "10.0.0.1",
                "198.51.100.7, 10.0.0.2",
                "acme.example.com, inner",
                Some("acme.example.com"),
            ),
            (
                "10.0.0.1",
                "198.51.100.7, 10.0.0.2",
                "acme.example.com",
                Some("acme.example.com"),
            ),
            ("192.0.2.1", "198.51.100.7", "acme.example.com", None),
        ] {
            assert_eq!(
                x(peer, hops, hosts).as_deref(),
                expected,
                "{peer} {hops} {hosts}"
            );
        }
        let alone = [(X_FORWARDED_HOST, "acme.example.com")];
        assert!(host("10.0.0.1", ProxyHeader::XForwarded, &alone).is_some());
        assert_eq!(host("10.0.0.1", ProxyHeader::XForwarded, &[]), None);
        assert_eq!(host("10.0.0.1", ProxyHeader::Forwarded, &alone), None);
    }

    #[test]
    fn only_what_trusted_proxies_wrote_in_forwarded_counts() {
        for (peer, line, expected) in [
            (
                "10.0.0.1",
                "for=198.51.100.7;host=acme.example.com",
                Some("acme.example.com"),
            ),
            (
                "10.0.0.1",
                "for=198.51.100.7;Host=\"acme.example.com:80\"",
                Some("acme.example.com:80"),
            ),
            (
                "10.0.0.1",
                "host=evil.example, for=198.51.100.7;host=acme.example.com",
                Some("acme.example.com"),
            ),
            ("10.0.0.1", "host=evil.example, for=198.51.100.7", None),
            (
                "10.0.0.1",
                "for=198.51.100.7;host=acme.example.com, for=10.0.0.2;host=inner",
                Some("acme.example.com"),
            ),
            (
                "10.0.0.1",
                "for=198.51.100.7;host=acme.example.com, for=10.0.0.2",
                Some("acme.example.com"),
            ),
            ("10.0.0.1", "for=198.51.100.7;host=a;host=b", None),
            ("192.0.2.1", "for=198.51.100.7;host=acme.example.com", None),
        ] {
            let found = host(peer, ProxyHeader::Forwarded, &[(FORWARDED, line)]);
            assert_eq!(found.as_deref(), expected, "{peer} {line}");
        }
        let lines = [(FORWARDED, "for=198.51.100.7;host=acme.example.com")];
        assert_eq!(host("10.0.0.1", ProxyHeader::XForwarded, &lines), None);
    }
}
