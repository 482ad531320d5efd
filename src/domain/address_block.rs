//! The network block that identifies a client for rate limiting.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// An IPv4 address, or the /64 of an IPv6 address: a subscriber gets at least a /64 (RFC 6177) and can use any
/// address in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AddressBlock(IpAddr);

impl From<IpAddr> for AddressBlock {
    /// An IPv4-mapped IPv6 address counts as IPv4.
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => {
                let network = address.to_bits() & !u128::from(u64::MAX);
                IpAddr::V6(Ipv6Addr::from_bits(network))
            }
        })
    }
}

impl fmt::Display for AddressBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(address) => address.fmt(f),
            IpAddr::V6(network) => write!(f, "{network}/64"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(address: &str) -> String {
        AddressBlock::from(address.parse::<IpAddr>().unwrap()).to_string()
    }

    #[test]
    fn an_ipv4_address_is_its_own_block() {
        assert_eq!(block("192.0.2.7"), "192.0.2.7");
        assert_eq!(block("::ffff:192.0.2.7"), "192.0.2.7");
    }

    #[test]
    fn an_ipv6_address_is_reduced_to_its_64() {
        assert_eq!(block("2001:db8:1:2::1"), "2001:db8:1:2::/64");
        assert_eq!(block("2001:db8:1:2:ffff::9"), "2001:db8:1:2::/64");
        assert_eq!(block("2001:db8:1:3::1"), "2001:db8:1:3::/64");
    }
}
