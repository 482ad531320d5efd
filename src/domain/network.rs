//! The network of an address: where a device that moves about usually stays.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The /16 of an IPv4 address, or the /48 of an IPv6 address, which is what a site is given (RFC 6177).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(IpAddr);

impl From<IpAddr> for Network {
    /// An IPv4-mapped IPv6 address counts as IPv4.
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(it) => IpAddr::V4(Ipv4Addr::from_bits(it.to_bits() & (u32::MAX << 16))),
            IpAddr::V6(it) => IpAddr::V6(Ipv6Addr::from_bits(it.to_bits() & (u128::MAX << 80))),
        })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = if self.0.is_ipv4() { 16 } else { 48 };
        write!(f, "{}/{bits}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_a_16_or_a_48() {
        for (address, network) in [
            ("192.0.2.7", "192.0.0.0/16"),
            ("::ffff:192.0.2.7", "192.0.0.0/16"),
            ("2001:db8:1:2::1", "2001:db8:1::/48"),
            ("2001:db8:1:ffff::1", "2001:db8:1::/48"),
            ("2001:db8:2:2::1", "2001:db8:2::/48"),
        ] {
            let parsed: IpAddr = address.parse().unwrap();
            assert_eq!(Network::from(parsed).to_string(), network);
        }
    }
}
