//! Secrets that can be recognized: a mark (`hp_` or `hps_`), 43 characters of base64url (256 random bits), 6 characters of
//! checksum.
//!
//! The checksum is the base64url of the first four bytes of SHA-256 over everything before it. It is no proof of
//! authenticity; it detects typos, and lets secret scanners recognize tokens, without a database lookup.

use std::fmt;
use std::marker::PhantomData;

use data_encoding::BASE64URL_NOPAD;
use ring::digest::{SHA256, digest};

use super::opaque::{Opaque, OpaqueHash};

/// What a secret is for. No JWT starts with its mark: they start with the base64 of `{`.
pub trait Purpose {
    const MARK: &'static str;
}

/// A token with which a service acts for a user: 52 characters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ApiToken {}

impl Purpose for ApiToken {
    const MARK: &'static str = "hp_";
}

/// A key with which a service acts for itself: 53 characters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ServiceKey {}

impl Purpose for ServiceKey {
    const MARK: &'static str = "hps_";
}

const CHECKSUM_BYTES: usize = 4;
const CHECKSUM_CHARS: usize = 6;
/// Enough to recognize a secret, and far too few to guess the rest.
const SHOWN_CHARS: usize = 8;

/// A secret as clients see it.
#[derive(Clone, PartialEq, Eq)]
pub struct MarkedSecret<P> {
    random: Opaque,
    text: String,
    purpose: PhantomData<P>,
}

pub type ApiTokenSecret = MarkedSecret<ApiToken>;
pub type ServiceKeySecret = MarkedSecret<ServiceKey>;

impl<P: Purpose> MarkedSecret<P> {
    /// `random` must come from a cryptographic source.
    pub fn new(random: [u8; 32]) -> Self {
        Self::of(Opaque::new(random))
    }

    fn of(random: Opaque) -> Self {
        let marked = format!("{}{}", P::MARK, random.expose());
        let text = format!("{marked}{}", checksum(&marked));
        Self {
            random,
            text,
            purpose: PhantomData,
        }
    }

    /// Parses an untrusted secret; `None` if its format or its checksum is wrong.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(P::MARK)?;
        let random = rest.get(..rest.len().checked_sub(CHECKSUM_CHARS)?)?;
        let secret = Self::of(Opaque::parse(random)?);
        (secret.text == text).then_some(secret)
    }

    /// Whether a text claims to be one.
    pub fn is_marked(text: &str) -> bool {
        text.starts_with(P::MARK)
    }

    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The start of the secret, for lists: the mark and 8 characters.
    pub fn prefix(&self) -> String {
        self.text
            .chars()
            .take(P::MARK.len() + SHOWN_CHARS)
            .collect()
    }

    pub fn hash(&self) -> OpaqueHash {
        self.random.hash()
    }
}

impl<P: Purpose> fmt::Debug for MarkedSecret<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}…", P::MARK)
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
    fn a_secret_for_one_purpose_is_none_for_another() {
        let key = ServiceKeySecret::new([7; 32]);
        assert!(key.expose().starts_with("hps_BwcHBwcH"));
        assert_eq!(key.expose().len(), 4 + 43 + 6);
        assert!(ServiceKeySecret::parse(key.expose()).is_some());
        assert_eq!(ApiTokenSecret::parse(key.expose()), None);
        assert_eq!(ServiceKeySecret::parse(KNOWN), None);
        let renamed = KNOWN.replace("hp_", "hps_");
        assert_eq!(ServiceKeySecret::parse(&renamed), None);
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
