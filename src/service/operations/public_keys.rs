//! What verifies access tokens elsewhere.

use crate::crypto::signing_key::SigningKey;
use crate::domain::PublicKey;
use crate::service::Services;

impl Services {
    /// The public keys of access tokens, the one that signs first; `None` if the secret signs.
    pub fn public_keys(&self) -> Option<Vec<PublicKey>> {
        let keys = self.tokens.keys();
        let keys = keys.signing()?.iter().map(SigningKey::public);
        Some(keys.cloned().collect())
    }

    /// `iss` of access tokens, if they have one.
    pub fn token_issuer(&self) -> Option<&str> {
        self.tokens.issuer()
    }
}
