//! Public keys of access tokens.

/// The public half of a P-256 key that signs access tokens, as a JWK (RFC 7517) names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// The thumbprint (RFC 7638), 43 characters.
    pub kid: String,
    /// 32 bytes in base64url, as `y`.
    pub x: String,
    pub y: String,
}
