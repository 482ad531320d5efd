//! The header family in which reverse proxies name the client.

/// The only family that is read: a proxy passes on what a client sends in the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`.
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}
