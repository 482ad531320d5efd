//! Says in the log that a proxy may be missing in `TRUSTED_PROXIES`.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::http::header::{
    FORWARDED, HeaderMap, HeaderName, X_FORWARDED_FOR, X_FORWARDED_HOST,
};
use ipnet::IpNet;

/// What proxies add to requests.
const ADDED: [HeaderName; 3] = [X_FORWARDED_FOR, FORWARDED, X_FORWARDED_HOST];

/// Which of them the log has mentioned.
#[derive(Default)]
pub(super) struct Mentioned([AtomicBool; 3]);

/// Warns once for each header, as any client can send them, and only of private addresses: on the internet, whoever
/// sends one is a client that pretends. What clients write is not logged.
pub(super) fn warn_of_untrusted_proxy(
    peer: Option<IpAddr>,
    headers: &HeaderMap,
    trusted_proxies: &[IpNet],
    mentioned: &Mentioned,
) {
    let Some(peer) = peer.map(|peer| peer.to_canonical()).filter(is_private) else {
        return;
    };
    for (header, is_mentioned) in ADDED.iter().zip(&mentioned.0) {
        if !is_mentioned.load(Ordering::Relaxed)
            && headers.contains_key(header)
            && !trusted_proxies.iter().any(|net| net.contains(&peer))
            && !is_mentioned.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(
                %peer,
                "a request with {header} came from {peer}, which is not in TRUSTED_PROXIES. If that is your reverse \
                 proxy, all its clients count as one address: they share every limit and lock. Then set {}",
                setting(trusted_proxies, peer)
            );
        }
    }
}

/// The line to write into the settings.
fn setting(trusted_proxies: &[IpNet], peer: IpAddr) -> String {
    let networks = trusted_proxies.iter().copied().chain([IpNet::from(peer)]);
    let networks: Vec<String> = networks.map(|network| network.to_string()).collect();
    format!("TRUSTED_PROXIES={}", networks.join(","))
}

/// Loopback, private, link-local or shared (RFC 1918, 3927, 4193, 6598).
fn is_private(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(it) => {
            let [first, second, ..] = it.octets();
            let is_shared = first == 100 && (64..128).contains(&second);
            it.is_loopback() || it.is_private() || it.is_link_local() || is_shared
        }
        IpAddr::V6(it) => it.is_loopback() || it.is_unique_local() || it.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_private_address_may_be_a_forgotten_proxy() {
        for (address, expected) in [
            ("127.0.0.1", true),
            ("10.1.2.3", true),
            ("172.31.0.1", true),
            ("192.168.1.1", true),
            ("169.254.1.1", true),
            ("100.64.0.1", true),
            ("100.128.0.1", false),
            ("172.32.0.1", false),
            ("198.51.100.7", false),
            ("::1", true),
            ("fd00::1", true),
            ("fe80::1", true),
            ("2001:db8::1", false),
        ] {
            assert_eq!(is_private(&address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn the_line_to_set_keeps_what_is_trusted_already() {
        let peer = |address: &str| address.parse().unwrap();
        assert_eq!(
            setting(&[], peer("127.0.0.1")),
            "TRUSTED_PROXIES=127.0.0.1/32"
        );
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        assert_eq!(
            setting(&trusted, peer("fd00::1")),
            "TRUSTED_PROXIES=10.0.0.0/8,fd00::1/128"
        );
    }
}
