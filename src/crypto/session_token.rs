//! Opaque session tokens: 384 random bits, stored only as a hash.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;

use super::opaque::OpaqueHash;

/// A token as clients see it: 64 characters of base64url. It cannot be mistaken for a JWT, which has dots, or for
/// one of our one-time secrets, which are shorter.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken(String);

impl SessionToken {
    const BYTES: usize = 48;

    /// `random` must come from a cryptographic source.
    pub fn new(random: [u8; Self::BYTES]) -> Self {
        Self(BASE64URL_NOPAD.encode(&random))
    }

    /// Parses an untrusted token; `None` if it does not have the format of one.
    pub fn parse(text: &str) -> Option<Self> {
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

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_token_is_64_characters_of_base64url() {
        let token = SessionToken::new([255; 48]);
        assert_eq!(token.expose().len(), 64);
        assert_eq!(SessionToken::parse(token.expose()), Some(token.clone()));
        let dotted = "a.".repeat(32);
        let (short, long) = (&token.expose()[1..], format!("{}A", token.expose()));
        for text in ["", short, &long, &dotted, &"é".repeat(32)] {
            assert_eq!(SessionToken::parse(text), None, "{text}");
        }
    }

    #[test]
    fn debug_prints_no_token() {
        let token = SessionToken::new([7; 48]);
        assert!(!format!("{token:?}").contains(token.expose()));
        assert_ne!(token.hash().as_str(), token.expose());
    }
}
