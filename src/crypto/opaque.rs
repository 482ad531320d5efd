//! Opaque secrets: 256 random bits, stored only as a hash.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use ring::digest::{SHA256, digest};

use crate::domain::typed::trimmed;

/// A secret as clients see it: 43 characters of base64url.
#[derive(Clone, PartialEq, Eq)]
pub struct Opaque(String);

impl Opaque {
    const BYTES: usize = 32;

    /// `random` must come from a cryptographic source.
    pub fn new(random: [u8; Self::BYTES]) -> Self {
        Self(BASE64URL_NOPAD.encode(&random))
    }

    /// Parses an untrusted secret, trimmed; `None` if it does not have the format of one.
    pub fn parse(text: &str) -> Option<Self> {
        let text = trimmed(text);
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        (bytes.len() == Self::BYTES).then(|| Self(text.to_owned()))
    }

    pub fn expose(&self) -> &str {
        &self.0
    }

    /// SHA-256, which is enough for a secret that cannot be guessed.
    pub fn hash(&self) -> OpaqueHash {
        OpaqueHash::of(&self.0)
    }
}

impl fmt::Debug for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opaque(…)")
    }
}

/// The stored form of a secret: its SHA-256 in base64url. Comparing hashes needs no constant time: the time taken
/// reveals nothing about the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpaqueHash(String);

impl OpaqueHash {
    pub(super) fn of(text: &str) -> Self {
        Self(BASE64URL_NOPAD.encode(digest(&SHA256, text.as_bytes()).as_ref()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether `verifier` matches `challenge` by the method `S256` (RFC 7636 §4.6).
pub fn verifies(verifier: &str, challenge: &str) -> bool {
    OpaqueHash::of(verifier).as_str() == challenge
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_recognized_by_its_hash() {
        let secret = Opaque::new([7; 32]);
        let again = Opaque::parse(secret.expose()).unwrap();
        assert_eq!(again, secret);
        assert_eq!(again.hash(), secret.hash());
        assert_ne!(Opaque::new([8; 32]).hash(), secret.hash());
        assert_ne!(secret.hash().as_str(), secret.expose());
    }

    #[test]
    fn a_secret_is_43_characters_of_base64url() {
        let secret = Opaque::new([255; 32]);
        assert_eq!(secret.expose().len(), 43);
        for text in [
            "",
            "a",
            &secret.expose()[1..],
            &format!("{}A", secret.expose()),
        ] {
            assert_eq!(Opaque::parse(text), None, "{text}");
        }
        // The last character carries two bits that must be zero.
        assert_eq!(Opaque::parse(&"_".repeat(43)), None);
    }

    #[test]
    fn debug_prints_no_secret() {
        let secret = Opaque::new([7; 32]);
        assert!(!format!("{secret:?}").contains(secret.expose()));
    }

    /// RFC 7636, appendix B.
    #[test]
    fn a_verifier_matches_only_its_challenge() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(verifies(verifier, challenge));
        assert!(!verifies(challenge, verifier));
        assert!(!verifies(challenge, challenge));
        assert!(!verifies("", challenge));
    }
}
