//! What other services need to verify access tokens with public keys.

mod document;
pub(super) mod jwks;
pub(super) mod metadata;
