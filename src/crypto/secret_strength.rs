//! The strength check for signing secrets.

use std::borrow::Cow;

use zxcvbn::zxcvbn;

/// HS256 requires a key at least as long as its hash (RFC 7518 §3.2).
pub const MIN_BYTES: usize = 32;

/// 32 random hexadecimal digits practically always have at least this many different bytes.
const MIN_DISTINCT_BYTES: usize = 8;

/// How much of the secret zxcvbn gets; its time grows with the square of the length.
const MAX_ZXCVBN_CHARS: usize = 64;

/// Secrets from tutorials, samples and placeholders, reduced to letters and digits. `zxcvbn` does not know
/// them, and they are not secret, alone or padded.
const KNOWN_WORDS: [&str; 22] = [
    "astringsecretatleast256bitslong",
    "your256bitsecret",
    "your384bitsecret",
    "your512bitsecret",
    "yoursecretkey",
    "yourjwtsecret",
    "yoursecret",
    "mysecretkey",
    "jwtsecret",
    "supersecret",
    "topsecret",
    "secret",
    "changeme",
    "changethis",
    "replaceme",
    "replacethis",
    "password",
    "development",
    "production",
    "insecure",
    "hallpass",
    "example",
];

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
    if is_a_padded_known_word(&text) {
        return Err(WeakSecret::WellKnown);
    }
    // zxcvbn caps the number of guesses at 2^64, which random secrets always reach.
    let start: String = text.chars().take(MAX_ZXCVBN_CHARS).collect();
    if zxcvbn(&start, &[]).guesses() < u64::MAX {
        return Err(WeakSecret::Guessable);
    }
    Ok(())
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

/// Whether hardly anything is left after removing the known words and their separators.
fn is_a_padded_known_word(text: &str) -> bool {
    let plain: String = text
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let rest = KNOWN_WORDS
        .iter()
        .fold(plain.clone(), |rest, word| rest.replace(word, ""));
    rest.len() < plain.len() && distinct_bytes(rest.as_bytes()) < MIN_DISTINCT_BYTES
}

#[cfg(test)]
mod tests {
    use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
    use ring::digest::{SHA256, SHA512, digest};

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
        ] {
            assert_eq!(
                check(secret.as_bytes()),
                Err(WeakSecret::WellKnown),
                "{secret}"
            );
        }
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
        for n in 0..64 {
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
