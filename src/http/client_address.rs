//! The client address of a request that came through proxies.

use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::{HeaderMap, HeaderName};
use ipnet::IpNet;

pub(super) const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Walks `X-Forwarded-For` from the right, where our own proxies write, while the last known hop is trusted. Anyone
/// can write the left end, and an untrusted peer can write all of it.
///
/// The walk stops at a value that is not an address: the hop that wrote it is the last one known.
pub(super) fn client_address(
    peer: Option<IpAddr>,
    headers: &HeaderMap,
    trusted_proxies: &[IpNet],
) -> Option<IpAddr> {
    let mut client = peer?.to_canonical();
    let is_trusted = |address: &IpAddr| trusted_proxies.iter().any(|net| net.contains(address));
    if !is_trusted(&client) {
        return Some(client);
    }
    // Lossy, because invalid bytes of a client must not hide what our proxies wrote in the same header.
    let lines: Vec<_> = headers
        .get_all(FORWARDED_FOR)
        .map(|line| String::from_utf8_lossy(line.as_bytes()))
        .collect();
    let hops = lines.iter().rev().flat_map(|line| line.rsplit(','));
    for hop in hops {
        match parse_hop(hop) {
            Some(address) => client = address,
            None => break,
        }
        if !is_trusted(&client) {
            break;
        }
    }
    Some(client)
}

/// An address, with or without a port. An IPv4-mapped IPv6 address becomes IPv4.
fn parse_hop(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let bare = hop
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(hop);
    bare.parse::<IpAddr>()
        .or_else(|_| hop.parse::<SocketAddr>().map(|address| address.ip()))
        .ok()
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn client(peer: &str, lines: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(line).unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        client_address(peer.parse().ok(), &headers, &trusted)
            .unwrap()
            .to_string()
    }

    const PROXIES: &[&str] = &["10.0.0.0/8", "fd00::/8"];

    #[test]
    fn an_untrusted_peer_is_the_client_whatever_it_forwards() {
        assert_eq!(client("192.0.2.1", &["198.51.100.7"], PROXIES), "192.0.2.1");
        assert_eq!(client("10.0.0.1", &["198.51.100.7"], &[]), "10.0.0.1");
    }

    #[test]
    fn a_trusted_peer_names_the_client() {
        assert_eq!(
            client("10.0.0.1", &["198.51.100.7"], PROXIES),
            "198.51.100.7"
        );
        assert_eq!(client("fd00::1", &["2001:db8::7"], PROXIES), "2001:db8::7");
    }

    #[test]
    fn the_rightmost_untrusted_hop_is_the_client() {
        let line = "203.0.113.9, 198.51.100.7, 10.0.0.2";
        assert_eq!(client("10.0.0.1", &[line], PROXIES), "198.51.100.7");
    }

    #[test]
    fn several_header_lines_are_one_list() {
        let lines = ["203.0.113.9", "198.51.100.7", "10.0.0.3, 10.0.0.2"];
        assert_eq!(client("10.0.0.1", &lines, PROXIES), "198.51.100.7");
    }

    #[test]
    fn when_every_hop_is_trusted_the_farthest_is_the_client() {
        assert_eq!(
            client("10.0.0.1", &["10.0.0.9, 10.0.0.2"], PROXIES),
            "10.0.0.9"
        );
        assert_eq!(client("10.0.0.1", &[], PROXIES), "10.0.0.1");
    }

    #[test]
    fn garbage_ends_the_walk_at_the_last_known_hop() {
        for garbage in ["unknown", "", "198.51.100.7.1", "é", "1.2.3.4, _hidden"] {
            let line = format!("{garbage}, 10.0.0.2");
            assert_eq!(
                client("10.0.0.1", &[&line], PROXIES),
                "10.0.0.2",
                "{garbage}"
            );
        }
    }

    #[test]
    fn ipv4_in_ipv6_is_ipv4() {
        assert_eq!(
            client("::ffff:10.0.0.1", &["::ffff:198.51.100.7"], PROXIES),
            "198.51.100.7"
        );
        assert_eq!(
            client("::ffff:192.0.2.1", &["198.51.100.7"], PROXIES),
            "192.0.2.1"
        );
    }

    #[test]
    fn a_port_is_no_part_of_the_address() {
        assert_eq!(
            client("10.0.0.1", &["198.51.100.7:4711"], PROXIES),
            "198.51.100.7"
        );
        assert_eq!(
            client("10.0.0.1", &["[2001:db8::7]:4711"], PROXIES),
            "2001:db8::7"
        );
        assert_eq!(
            client("10.0.0.1", &["[2001:db8::7]"], PROXIES),
            "2001:db8::7"
        );
    }

    #[test]
    fn without_a_peer_there_is_no_address() {
        let mut headers = HeaderMap::new();
        headers.append(FORWARDED_FOR, HeaderValue::from_static("198.51.100.7"));
        assert_eq!(client_address(None, &headers, &[]), None);
    }

    proptest::proptest! {
        /// What our proxies wrote decides, whatever the client wrote to the left of it.
        #[test]
        fn nothing_that_a_client_writes_makes_it_another(
            written in proptest::collection::vec("[ -~]{0,20}", 0..3),
            client_is_v6 in proptest::bool::ANY,
            proxies in proptest::collection::vec(1_u8.., 0..4),
            joined in proptest::bool::ANY,
        ) {
            let honest = if client_is_v6 { "2001:db8::7" } else { "198.51.100.7" };
            let mut ours = vec![honest.to_owned()];
            ours.extend(proxies.iter().map(|n| format!("10.0.0.{n}")));
            let mut lines = written;
            let ours = ours.join(", ");
            match lines.last_mut() {
                Some(last) if joined => *last = format!("{last}, {ours}"),
                _ => lines.push(ours),
            }
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            proptest::prop_assert_eq!(client("10.0.0.1", &lines, PROXIES), honest);
            proptest::prop_assert_eq!(client("192.0.2.1", &lines, PROXIES), "192.0.2.1");
        }

        #[test]
        fn no_bytes_in_the_header_make_it_panic(bytes in proptest::collection::vec(0x20_u8.., 0..64)) {
            let mut headers = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                headers.append(FORWARDED_FOR, value);
            }
            let trusted: Vec<IpNet> = PROXIES.iter().map(|net| net.parse().unwrap()).collect();
            let _ = client_address("10.0.0.1".parse().ok(), &headers, &trusted);
        }
    }
}
