//! API tokens: `hp_`, 43 characters of base64url (256 random bits), 6 characters of checksum.
//!
//! The checksum is the base64url of the first four bytes of SHA-256 over everything before it. It is no proof of
//! authenticity; it detects typos, and lets secret scanners recognize tokens, without a database lookup.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use ring::digest::{SHA256, digest};

use super::opaque::{Opaque, OpaqueHash};

/// The prefix of every API token. No JWT starts with it: they start with the base64 of `{`.
pub const MARK: &str = "hp_";

const CHECKSUM_BYTES: usize = 4;
const CHECKSUM_CHARS: usize = 6;
/// Enough to recognize a token, and far too few to guess the rest.
const SHOWN_CHARS: usize = 8;

/// A token as clients see it: 52 characters.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiTokenSecret {
    random: Opaque,
    text: String,
}

impl ApiTokenSecret {
    /// `random` must come from a cryptographic source.
    pub fn new(random: [u8; 32]) -> Self {
        Self::of(Opaque::new(random))
    }

    fn of(random: Opaque) -> Self {
        let marked = format!("{MARK}{}", random.expose());
        let text = format!("{marked}{}", checksum(&marked));
        Self { random, text }
    }

    /// Parses an untrusted token; `None` if its format or its checksum is wrong.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(MARK)?;
        let random = rest.get(..rest.len().checked_sub(CHECKSUM_CHARS)?)?;
        let secret = Self::of(Opaque::parse(random)?);
        (secret.text == text).then_some(secret)
    }

    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The start of the token, for lists: the mark and 8 characters.
    pub fn prefix(&self) -> String {
        self.text.chars().take(MARK.len() + SHOWN_CHARS).collect()
    }

    pub fn hash(&self) -> OpaqueHash {
        self.random.hash()
    }
}

impl fmt::Debug for ApiTokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiTokenSecret(…)")
    }
}

fn checksum(marked: &str) -> String {
    let digest = digest(&SHA256, marked.as_bytes());
    let first = digest.as_ref().iter().copied().take(CHECKSUM_BYTES);
    BASE64URL_NOPAD.encode(&first.collect::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with Python's `hashlib` and `base64`.
    const KNOWN: &str = "hp_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcQjZeTA";

    #[test]
    fn an_api_token_is_mark_secret_and_checksum() {
        let secret = ApiTokenSecret::new([7; 32]);
        assert_eq!(secret.expose(), KNOWN);
        assert_eq!(secret.expose().len(), 3 + 43 + 6);
        assert_eq!(secret.prefix(), "hp_BwcHBwcH");
        let again = ApiTokenSecret::parse(secret.expose()).unwrap();
        assert_eq!(again.hash(), secret.hash());
        assert!(!format!("{secret:?}").contains("BwcH"));
    }

    #[test]
    fn the_checksum_detects_a_typo_anywhere() {
        for at in 0..KNOWN.len() {
            let mut typo = KNOWN.to_owned().into_bytes();
            typo[at] = if typo[at] == b'x' { b'y' } else { b'x' };
            let typo = String::from_utf8(typo).unwrap();
            assert_eq!(ApiTokenSecret::parse(&typo), None, "{typo}");
        }
        for text in [
            "",
            "hp_",
            "hp_short",
            "hp_ééé",
            &KNOWN[..KNOWN.len() - 1],
            &format!("{KNOWN}A"),
            &KNOWN.to_uppercase(),
        ] {
            assert_eq!(ApiTokenSecret::parse(text), None, "{text}");
        }
    }
}
