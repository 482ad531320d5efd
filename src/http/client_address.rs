//! The client address of a request that came through proxies.

use std::net::IpAddr;

use actix_web::http::header::{FORWARDED, HeaderMap, X_FORWARDED_FOR};
use ipnet::IpNet;

use super::forwarded::hops_from_right;
use super::hop::parse_hop;
use crate::domain::ProxyHeader;

/// Walks the header from the right, where our own proxies write, while the last known hop is trusted. Anyone can write
/// the left end, and an untrusted peer can write all of it.
///
/// The walk stops at a value that is not an address: the hop that wrote it is the last one known.
pub(super) fn client_address(
    peer: Option<IpAddr>,
    headers: &HeaderMap,
    trusted_proxies: &[IpNet],
    header: ProxyHeader,
) -> Option<IpAddr> {
    let peer = peer?.to_canonical();
    let is_trusted = |address: &IpAddr| trusted_proxies.iter().any(|net| net.contains(address));
    if !is_trusted(&peer) {
        return Some(peer);
    }
    let name = match header {
        ProxyHeader::XForwarded => X_FORWARDED_FOR,
        ProxyHeader::Forwarded => FORWARDED,
    };
    // Lossy, because invalid bytes of a client must not hide what our proxies wrote in the same header.
    let lines: Vec<_> = headers
        .get_all(name)
        .map(|line| String::from_utf8_lossy(line.as_bytes()))
        .collect();
    let lines = lines.iter().rev();
    Some(match header {
        ProxyHeader::XForwarded => {
            let hops = lines.flat_map(|line| line.rsplit(','));
            walk(peer, hops.map(parse_hop), is_trusted)
        }
        ProxyHeader::Forwarded => {
            let hops = lines.flat_map(|line| hops_from_right(line));
            walk(peer, hops, is_trusted)
        }
    })
}

fn walk(
    peer: IpAddr,
    hops: impl Iterator<Item = Option<IpAddr>>,
    is_trusted: impl Fn(&IpAddr) -> bool,
) -> IpAddr {
    let mut client = peer;
    for hop in hops {
        let Some(address) = hop else { break };
        client = address;
        if !is_trusted(&client) {
            break;
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn client(peer: &str, lines: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_str(line).unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        client_address(
            peer.parse().ok(),
            &headers,
            &trusted,
            ProxyHeader::XForwarded,
        )
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
    fn the_other_header_family_is_not_read() {
        let mut headers = HeaderMap::new();
        headers.append(X_FORWARDED_FOR, HeaderValue::from_static("198.51.100.7"));
        headers.append(FORWARDED, HeaderValue::from_static("for=203.0.113.9"));
        headers.append(
            FORWARDED,
            HeaderValue::from_static("for=192.0.2.9, for=10.0.0.2"),
        );
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let client = |peer: &str, header| {
            let client = client_address(peer.parse().ok(), &headers, &trusted, header);
            client.unwrap().to_string()
        };
        assert_eq!(client("10.0.0.1", ProxyHeader::XForwarded), "198.51.100.7");
        assert_eq!(client("10.0.0.1", ProxyHeader::Forwarded), "192.0.2.9");
        assert_eq!(client("192.0.2.1", ProxyHeader::Forwarded), "192.0.2.1");
    }

    #[test]
    fn without_a_peer_there_is_no_address() {
        let mut headers = HeaderMap::new();
        headers.append(X_FORWARDED_FOR, HeaderValue::from_static("198.51.100.7"));
        assert_eq!(
            client_address(None, &headers, &[], ProxyHeader::XForwarded),
            None
        );
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
                headers.append(X_FORWARDED_FOR, value.clone());
                headers.append(FORWARDED, value);
            }
            let trusted: Vec<IpNet> = PROXIES.iter().map(|net| net.parse().unwrap()).collect();
            for header in [ProxyHeader::XForwarded, ProxyHeader::Forwarded] {
            let _ = client_address("10.0.0.1".parse().ok(), &headers, &trusted, header);
            }
        }
    }
}
