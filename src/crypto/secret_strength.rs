//! Whether a signing secret is too weak to sign with.

use std::borrow::Cow;

use zxcvbn::zxcvbn;

/// HS256 wants a key at least as long as its hash (RFC 7518 §3.2).
pub const MIN_BYTES: usize = 32;

/// Fewer different bytes than this do not happen by chance in 32 random hexadecimal digits.
const MIN_DISTINCT_BYTES: usize = 8;

/// What zxcvbn looks at; its time grows with the square of the length.
const JUDGED_CHARACTERS: usize = 64;

/// Words of tutorials, samples and placeholders, without what is not a letter or digit. `zxcvbn`
/// does not know them, and alone or padded they make no secret.
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

/// Why a secret was refused. Never holds any of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakSecret {
    #[error("is empty")]
    Empty,
    #[error("has {0} bytes, and at least {MIN_BYTES} are needed")]
    TooShort(usize),
    #[error("has only {0} different characters")]
    FewDistinctBytes(usize),
    #[error("repeats a shorter text")]
    Repeats,
    #[error("counts up or down the alphabet")]
    Sequence,
    #[error("is a well-known placeholder")]
    WellKnown,
    #[error("can be guessed from words and patterns")]
    Guessable,
}

/// Refuses what a person would think up: short, repeated, counted, known or guessable secrets.
/// 32 bytes of any random source pass in raw, hexadecimal, base64 and decimal form.
///
/// # Errors
/// The first weakness found.
pub fn judge(secret: &[u8]) -> Result<(), WeakSecret> {
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
    // zxcvbn counts guesses up to 2^64 and no further; chance always gets there.
    let judged: String = text.chars().take(JUDGED_CHARACTERS).collect();
    if zxcvbn(&judged, &[]).guesses() < u64::MAX {
        return Err(WeakSecret::Guessable);
    }
    Ok(())
}

/// What is no text becomes a character for each byte: as replacement characters, different bytes would look alike, and
/// of 20,000 secrets of raw random bytes one looked like repetitions.
fn as_text(secret: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(secret) {
        Ok(text) => text.into(),
        Err(_) => secret.iter().copied().map(char::from).collect(),
    }
}

/// Whether some period of at most half the length explains every byte.
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

/// Whether three of five neighbours are equal or next to each other, as in `abcdef`, `9876`, `aabb`.
fn is_mostly_a_sequence(secret: &[u8]) -> bool {
    let close = secret
        .iter()
        .zip(secret.iter().skip(1))
        .filter(|(byte, next)| byte.abs_diff(**next) <= 1)
        .count();
    close * 5 >= (secret.len() - 1) * 3
}

/// Whether hardly anything is left once the known words, and what separates them, are taken out.
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
    fn short_secrets_are_refused_and_long_ones_of_the_same_kind_are_not() {
        let secret = b"k7Qv0ZpX3mLw9TtR5nYc1JhF8bGd2SaE";
        assert_eq!(judge(b""), Err(WeakSecret::Empty));
        assert_eq!(judge(&secret[..31]), Err(WeakSecret::TooShort(31)));
        assert_eq!(judge(secret), Ok(()));
    }

    #[test]
    fn repeated_and_counted_secrets_are_refused() {
        for secret in [
            "a".repeat(64),
            "ab".repeat(16),
            "abc".repeat(11),
            "k7Qv0ZpX3mLw9TtR".repeat(2),
            format!("{}x", "k7Qv0ZpX3mLw9TtR".repeat(2)).repeat(2),
        ] {
            assert_eq!(
                judge(secret.as_bytes()),
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
                judge(secret.as_bytes()),
                Err(WeakSecret::Sequence),
                "{secret}"
            );
        }
        assert_eq!(
            judge(b"abcabcabcabcabcabcabcabcabcabcabd"),
            Err(WeakSecret::FewDistinctBytes(4))
        );
    }

    #[test]
    fn known_placeholders_are_refused_however_they_are_padded() {
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
                judge(secret.as_bytes()),
                Err(WeakSecret::WellKnown),
                "{secret}"
            );
        }
    }

    #[test]
    fn a_random_secret_may_carry_a_label() {
        assert_eq!(judge(b"secret-k7Qv0ZpX3mLw9TtR5nYc1JhF8bGd2SaE"), Ok(()));
    }

    #[test]
    fn guessable_secrets_are_refused() {
        for secret in [
            "qwertyuiopasdfghjklzxcvbnm123456789",
            "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.",
            "MyCompanyProductionKey2024!!!!!!!!",
            "iloveyouiloveyouiloveyou1234567890",
        ] {
            assert_eq!(
                judge(secret.as_bytes()),
                Err(WeakSecret::Guessable),
                "{secret}"
            );
        }
    }

    #[test]
    fn no_reason_holds_the_secret() {
        for secret in ["hunter2hunter2", "qwertyuiopasdfghjklzxcvbnm123456789"] {
            let reason = judge(secret.as_bytes()).unwrap_err();
            assert!(!format!("{reason} {reason:?}").contains(&secret[..6]));
        }
    }

    /// The same sixty-four each time: whatever judges chance is wrong by chance.
    #[test]
    fn chance_passes_in_every_spelling() {
        for n in 0..64 {
            let bytes = digest(&SHA256, &[n]);
            let bytes = bytes.as_ref();
            let digits: String = digest(&SHA512, &[n])
                .as_ref()
                .iter()
                .map(|byte| char::from(b'0' + byte % 10))
                .collect();
            assert_eq!(judge(bytes), Ok(()), "{n}");
            assert_eq!(judge(HEXLOWER.encode(bytes).as_bytes()), Ok(()), "{n}");
            let base64 = BASE64URL_NOPAD.encode(bytes);
            assert_eq!(judge(base64.as_bytes()), Ok(()), "{n}");
            assert_eq!(judge(digits.as_bytes()), Ok(()), "{n}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_told_apart() {
        // Each begins a character that the next does not go on with.
        let bytes: Vec<u8> = (0..32_u8).map(|n| 0xc0 + n.wrapping_mul(29) % 64).collect();
        assert_eq!(judge(&bytes), Ok(()));
        let counted: Vec<u8> = (0xc0..0xe0).collect();
        assert_eq!(judge(&counted), Err(WeakSecret::Sequence));
    }
}
