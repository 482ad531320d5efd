//! The address of a client or proxy, as the next proxy writes it.

use std::net::{IpAddr, SocketAddr};

/// An address, with or without a port. An IPv4-mapped IPv6 address becomes IPv4.
pub(super) fn parse_hop(hop: &str) -> Option<IpAddr> {
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
