//! Session tokens: 384 random bits that mean nothing by themselves, and are kept as a hash only.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;

use super::opaque::OpaqueHash;

/// A token as its holder sees it: 64 characters of base64url, so never a JWT, which has dots, nor one of
/// our one-time secrets, which are shorter.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken(String);

impl SessionToken {
    const BYTES: usize = 48;

    /// `random` must come from a cryptographic source.
    pub fn new(random: [u8; Self::BYTES]) -> Self {
        Self(BASE64URL_NOPAD.encode(&random))
    }

    /// What somebody claims to be such a token; `None` for what was never one.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        (bytes.len() == Self::BYTES).then(|| Self(text.to_owned()))
    }

    pub fn expose(&self) -> &str {
        &self.0
    }

    /// SHA-256, which suffices for what nobody can guess.
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
    fn only_64_characters_of_base64url_are_a_token() {
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
