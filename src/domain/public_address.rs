//! Which addresses are on the public internet, and not on this machine, in its network or reserved.
//!
//! <https://www.iana.org/assignments/iana-ipv4-special-registry>,
//! <https://www.iana.org/assignments/iana-ipv6-special-registry>

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What is not public, as address and length of the prefix.
const SPECIAL_V4: [(Ipv4Addr, u32); 18] = [
    // This network.
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    // Private.
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    // Between a provider and its customers.
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    // Loopback.
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // The platform of Azure: metadata, health probes.
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    // Link-local, and the metadata of clouds.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    // Private.
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    // For protocols, and the metadata of one cloud.
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    // For documentation.
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    // For name servers of networks without a delegation.
    (Ipv4Addr::new(192, 31, 196, 0), 24),
    (Ipv4Addr::new(192, 52, 193, 0), 24),
    // Relays of 6to4, which are gone.
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    // Private.
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    // For benchmarks.
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    // For documentation.
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast.
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    // Reserved, and broadcast.
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// Global unicast addresses, of which [`SPECIAL_V6`] are not public.
const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

const SPECIAL_V6: [(Ipv6Addr, u32); 5] = [
    // For protocols, and Teredo, which carries an IPv4 address.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    // For documentation.
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
    // 6to4, which carries an IPv4 address.
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    // For name servers of networks without a delegation.
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48),
];

/// Addresses of IPv4 as a network without it writes them (NAT64).
const NAT64: (Ipv6Addr, u32) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// Whether whoever connects to it reaches a host on the public internet. An IPv4 address inside of an IPv6 one counts as
/// itself where networks use that, and is not public otherwise.
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) if is_in_v6(address, NAT64) => {
            let [.., a, b, c, d] = address.octets();
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        IpAddr::V6(address) => {
            let is_special = SPECIAL_V6.into_iter().any(|block| is_in_v6(address, block));
            is_in_v6(address, GLOBAL_V6) && !is_special
        }
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let is_in = |(block, length): (Ipv4Addr, u32)| {
        (address.to_bits() ^ block.to_bits()).leading_zeros() >= length
    };
    !SPECIAL_V4.into_iter().any(is_in)
}

fn is_in_v6(address: Ipv6Addr, (block, length): (Ipv6Addr, u32)) -> bool {
    (address.to_bits() ^ block.to_bits()).leading_zeros() >= length
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn public(text: &str) -> bool {
        is_public(text.parse().unwrap())
    }

    #[test]
    fn addresses_of_the_internet_are_public_and_others_are_not() {
        for text in [
            "1.1.1.1",
            "93.184.215.14",
            "2606:4700::1111",
            "2a00:1450:4001::200e",
            "64:ff9b::101:101",
        ] {
            assert!(public(text), "{text}");
        }
        for text in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.168.1.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:10.0.0.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!public(text), "{text}");
        }
    }

    proptest! {
        /// Against the standard library, which knows fewer kinds.
        #[test]
        fn no_special_address_of_ipv4_is_public_however_it_is_written(bits: u32) {
            let address = Ipv4Addr::from_bits(bits);
            let is_special = address.is_private() || address.is_loopback() || address.is_link_local()
                || address.is_broadcast() || address.is_documentation() || address.is_unspecified()
                || address.is_multicast();
            let [a, b, c, d] = address.octets();
            let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            let nat64 = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low);
            for written in [address.into(), address.to_ipv6_mapped().into(), nat64.into()] {
                prop_assert!(!(is_special && is_public(written)), "{written}");
                prop_assert_eq!(is_public(written), is_public(address.into()));
            }
            let compatible = Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low);
            let six_to_four = Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1);
            prop_assert!(!is_public(compatible.into()) && !is_public(six_to_four.into()));
        }

        #[test]
        fn every_member_of_a_block_is_special(index: prop::sample::Index, host: u32) {
            let (block, length) = SPECIAL_V4[index.index(SPECIAL_V4.len())];
            let within = host.checked_shr(length).unwrap_or(0);
            prop_assert!(!is_public(Ipv4Addr::from_bits(block.to_bits() | within).into()));
        }

        #[test]
        fn no_special_address_of_ipv6_is_public(bits: u128, kind in 0_usize..4) {
            let prefix: (u128, u32) = [(0xfc00 << 112, 7), (0xfe80 << 112, 10), (0xff00 << 112, 8), (0xfec0 << 112, 10)][kind];
            let address = Ipv6Addr::from_bits(prefix.0 | (bits >> prefix.1));
            prop_assert!(!is_public(address.into()));
        }
    }
}
