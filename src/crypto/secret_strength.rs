//! The strength check for signing secrets.

use std::borrow::Cow;

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXLOWER_PERMISSIVE};
use ring::digest::{SHA256, digest};
use zxcvbn::zxcvbn;

/// HS256 requires a key at least as long as its hash (RFC 7518 §3.2).
pub const MIN_BYTES: usize = 32;

/// 32 random hexadecimal digits practically always have at least this many different bytes.
const MIN_DISTINCT_BYTES: usize = 8;

/// How much of the secret zxcvbn gets; its time grows with the square of the length.
const MAX_ZXCVBN_CHARS: usize = 64;

/// Texts that spell a text, such as base64, are judged by it from this length on.
const MIN_SPELT_BYTES: usize = 16;

/// The sample secrets of the public lists of weak JWT secrets – `jwt.secrets.list` of wallarm/jwt-secrets (99e2360) and
/// `jwt-common.txt` of ticarpi/jwt_tool (e4f380f) – from 16 bytes on: six bytes of the SHA-256 of each,
/// reduced as by [`letters_and_digits`].
const KNOWN_SECRETS: &str = include_str!("known_secrets.txt");

/// Words of which samples and placeholders are made, longer ones before those that they contain. `zxcvbn` takes a
/// sentence of them for a passphrase.
const KNOWN_WORDS: &str = "authentication applications application development environment changethis characters \
    production replaceme changeme generate hallpass insecure keyboard password default example \
    express minimum private refresh replace signing access change django please random really \
    sample secret secure server should spring string strong bytes every hs256 least share \
    super token using auth bits byte demo hmac keep long must safe test that this user very \
    with your and bit for jwt key the top at is my of";

/// Why a secret was rejected. Never contains any part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakSecret {
    #[error("is empty")]
    Empty,
    #[error("has {0} bytes, but needs at least {MIN_BYTES}")]
    TooShort(usize),
    #[error("has only {0} different characters")]
    FewDistinctBytes(usize),
    #[error("is a shorter text repeated")]
    Repeats,
    #[error("is mostly a sequence such as abcdef or 9876")]
    Sequence,
    #[error("is a well-known placeholder")]
    WellKnown,
    #[error("consists of words and patterns that can be guessed")]
    Guessable,
}

/// Rejects secrets that people make up: short, repeated, sequential, well-known or guessable ones.
/// 32 bytes from a random source pass in raw, hexadecimal, base64 and decimal form.
///
/// # Errors
/// The first weakness found.
pub fn check(secret: &[u8]) -> Result<(), WeakSecret> {
    if secret.is_empty() {
        return Err(WeakSecret::Empty);
    }
    if secret.len() < MIN_BYTES {
        return Err(WeakSecret::TooShort(secret.len()));
    }
    judge(secret)
}

fn judge(secret: &[u8]) -> Result<(), WeakSecret> {
    if repeats(secret) {
        return Err(WeakSecret::Repeats);
    }
    let distinct = distinct_bytes(secret);
    if distinct < MIN_DISTINCT_BYTES {
        return Err(WeakSecret::FewDistinctBytes(distinct));
    }
    if is_mostly_a_sequence(secret) {
        return Err(WeakSecret::Sequence);
    }
    let text = as_text(secret);
    if is_listed(&text) || is_a_padded_known_word(&text) {
        return Err(WeakSecret::WellKnown);
    }
    // zxcvbn caps the number of guesses at 2^64, which random secrets always reach.
    let start: String = text.chars().take(MAX_ZXCVBN_CHARS).collect();
    if zxcvbn(&start, &[]).guesses() < u64::MAX {
        return Err(WeakSecret::Guessable);
    }
    spelt(secret).iter().try_for_each(|text| judge(text))
}

/// Maps each byte to a character if the secret is not UTF-8. With replacement characters, different bytes would look
/// the same, and one in 20,000 random secrets would be rejected as repetitive.
fn as_text(secret: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(secret) {
        Ok(text) => text.into(),
        Err(_) => secret.iter().copied().map(char::from).collect(),
    }
}

/// Whether the secret repeats with a period of at most half its length.
fn repeats(secret: &[u8]) -> bool {
    (1..=secret.len() / 2).any(|period| {
        secret
            .iter()
            .zip(secret.iter().skip(period))
            .all(|(byte, later)| byte == later)
    })
}

fn distinct_bytes(secret: &[u8]) -> usize {
    let mut bytes = secret.to_vec();
    bytes.sort_unstable();
    bytes.dedup();
    bytes.len()
}

/// Whether at least 60 % of neighbouring bytes differ by at most one, as in `abcdef`, `9876`, `aabb`.
fn is_mostly_a_sequence(secret: &[u8]) -> bool {
    let close = secret
        .iter()
        .zip(secret.iter().skip(1))
        .filter(|(byte, next)| byte.abs_diff(**next) <= 1)
        .count();
    close * 5 >= (secret.len() - 1) * 3
}

/// The printable texts that the secret spells in hexadecimal or base64. Random bytes are none.
fn spelt(secret: &[u8]) -> Vec<Vec<u8>> {
    let plain: Vec<u8> = secret.iter().copied().filter(|b| *b != b'=').collect();
    let decodings = [&HEXLOWER_PERMISSIVE, &BASE64_NOPAD, &BASE64URL_NOPAD];
    let texts = decodings
        .iter()
        .filter_map(|spelling| spelling.decode(&plain).ok());
    let is_text = |text: &Vec<u8>| {
        text.len() >= MIN_SPELT_BYTES && text.iter().all(|b| b.is_ascii_graphic() || *b == b' ')
    };
    texts.filter(is_text).collect()
}

fn letters_and_digits(text: &str) -> String {
    text.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// Whether the secret is on a public list, whatever its capitals and marks.
fn is_listed(text: &str) -> bool {
    let hash = digest(&SHA256, letters_and_digits(text).as_bytes());
    let hash = HEXLOWER.encode(hash.as_ref());
    KNOWN_SECRETS.lines().any(|known| hash.starts_with(known))
}

/// Whether hardly anything is left after removing the known words and their separators.
fn is_a_padded_known_word(text: &str) -> bool {
    let plain = letters_and_digits(text);
    let rest = KNOWN_WORDS
        .split_whitespace()
        .fold(plain.clone(), |rest, word| rest.replace(word, ""));
    // A word of two letters may be in anything.
    let is_of_words = (plain.len() - rest.len()) * 4 >= text.chars().count();
    is_of_words && distinct_bytes(rest.as_bytes()) < MIN_DISTINCT_BYTES
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;
    use ring::digest::SHA512;

    use super::*;

    #[test]
    fn only_secrets_below_the_minimum_length_are_too_short() {
        let secret = b"k7Qv0ZpX3mLw9TtR5nYc1JhF8bGd2SaE";
        assert_eq!(check(b""), Err(WeakSecret::Empty));
        assert_eq!(check(&secret[..31]), Err(WeakSecret::TooShort(31)));
        assert_eq!(check(secret), Ok(()));
    }

    #[test]
    fn repeated_and_sequential_secrets_are_rejected() {
        for secret in [
            "a".repeat(64),
            "ab".repeat(16),
            "abc".repeat(11),
            "k7Qv0ZpX3mLw9TtR".repeat(2),
            format!("{}x", "k7Qv0ZpX3mLw9TtR".repeat(2)).repeat(2),
        ] {
            assert_eq!(
                check(secret.as_bytes()),
                Err(WeakSecret::Repeats),
                "{secret}"
            );
        }
        for secret in [
            "abcdefghijklmnopqrstuvwxyz0123456789",
            "zyxwvutsrqponmlkjihgfedcba9876543210",
            "0123456789abcdefghijABCDEFGHIJ9876543210",
            "aabbccddeeffgghhiijjkkllmmnnoopp",
        ] {
            assert_eq!(
                check(secret.as_bytes()),
                Err(WeakSecret::Sequence),
                "{secret}"
            );
        }
        assert_eq!(
            check(b"abcabcabcabcabcabcabcabcabcabcabd"),
            Err(WeakSecret::FewDistinctBytes(4))
        );
    }

    #[test]
    fn padded_placeholders_are_rejected() {
        for secret in [
            "your-256-bit-secret-your-256-bit-secret!",
            "your-256-bit-secret0000000000000",
            "a-string-secret-at-least-256-bits-long",
            "CHANGE_ME_CHANGE_ME_CHANGE_ME_123",
            "changeme-changeme-secret-password",
            "super-secret-jwt-secret-change-this",
            "hallpass-development-secret-123456",
            "this-is-a-very-long-secret-key-for-signing-jwt-tokens-2024",
            "MySuperSecureJwtSigningKeyThatIsAtLeast32BytesLong!",
        ] {
            assert_eq!(
                check(secret.as_bytes()),
                Err(WeakSecret::WellKnown),
                "{secret}"
            );
        }
    }

    #[test]
    fn secrets_of_public_lists_are_rejected_in_any_spelling() {
        let listed = "404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970";
        for secret in [
            listed.to_owned(),
            listed.to_lowercase(),
            format!("\"{listed}\""),
            "!ChangeThisMercureHubJWTSecretKey!".to_owned(),
            BASE64.encode(b"!ChangeThisMercureHubJWTSecretKey!"),
            HEXLOWER.encode(b"$gbK!srXc2Oivn8ZjHa8WRel&Zy4481W"),
            BASE64.encode(HEXLOWER.encode(b"your-256-bit-secret").as_bytes()),
        ] {
            assert!(check(secret.as_bytes()).is_err(), "{secret}");
        }
        let placeholder = BASE64URL_NOPAD.encode(b"your-256-bit-secret, please change");
        assert_eq!(check(placeholder.as_bytes()), Err(WeakSecret::WellKnown));
    }

    #[test]
    fn a_random_secret_may_carry_a_label() {
        assert_eq!(check(b"secret-k7Qv0ZpX3mLw9TtR5nYc1JhF8bGd2SaE"), Ok(()));
    }

    #[test]
    fn guessable_secrets_are_rejected() {
        for secret in [
            "qwertyuiopasdfghjklzxcvbnm123456789",
            "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.",
            "MyCompanyProductionKey2024!!!!!!!!",
            "iloveyouiloveyouiloveyou1234567890",
        ] {
            assert_eq!(
                check(secret.as_bytes()),
                Err(WeakSecret::Guessable),
                "{secret}"
            );
        }
    }

    #[test]
    fn no_error_contains_the_secret() {
        for secret in ["hunter2hunter2", "qwertyuiopasdfghjklzxcvbnm123456789"] {
            let reason = check(secret.as_bytes()).unwrap_err();
            assert!(!format!("{reason} {reason:?}").contains(&secret[..6]));
        }
    }

    /// Fixed inputs, because a check of random secrets would fail at random.
    #[test]
    fn random_secrets_pass_in_every_encoding() {
        for n in 0..96 {
            let bytes = digest(&SHA256, &[n]);
            let bytes = bytes.as_ref();
            let digits: String = digest(&SHA512, &[n])
                .as_ref()
                .iter()
                .map(|byte| char::from(b'0' + byte % 10))
                .collect();
            assert_eq!(check(bytes), Ok(()), "{n}");
            assert_eq!(check(HEXLOWER.encode(bytes).as_bytes()), Ok(()), "{n}");
            let base64 = BASE64URL_NOPAD.encode(bytes);
            assert_eq!(check(base64.as_bytes()), Ok(()), "{n}");
            assert_eq!(check(BASE64.encode(bytes).as_bytes()), Ok(()), "{n}");
            assert_eq!(check(digits.as_bytes()), Ok(()), "{n}");
        }
    }

    #[test]
    fn secrets_that_are_not_utf_8_keep_their_distinct_bytes() {
        // Each byte starts a multi-byte character that the next does not continue.
        let bytes: Vec<u8> = (0..32_u8).map(|n| 0xc0 + n.wrapping_mul(29) % 64).collect();
        assert_eq!(check(&bytes), Ok(()));
        let counted: Vec<u8> = (0xc0..0xe0).collect();
        assert_eq!(check(&counted), Err(WeakSecret::Sequence));
    }
}
