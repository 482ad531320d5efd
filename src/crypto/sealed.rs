//! Sealed values: authenticated encryption for one purpose, with an expiry.

use chrono::{DateTime, Utc};
use data_encoding::BASE64URL_NOPAD;
use ring::aead::{self, Aad, LessSafeKey, Nonce};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::keyring::{Key, Keyring};

/// What a value is sealed for. Each purpose has its own key, so values cannot be used for another purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    SlackState,
    /// An e-mail in the outbox.
    EmailMessage,
    /// The secret shared with an authenticator.
    TotpSecret,
    /// The secret shared with the receiver of a webhook.
    WebhookSecret,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::SlackState => b"slack-state",
            Self::EmailMessage => b"letter",
            Self::TotpSecret => b"totp-secret",
            Self::WebhookSecret => b"webhook-secret",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError<T> {
    #[error("the sealed value is not valid")]
    Invalid,
    /// The value is valid except for its expiry. It is returned for callers that need its content anyway.
    #[error("the sealed value has expired")]
    Expired(T),
}

/// For values that do not expire.
pub const NEVER: DateTime<Utc> = DateTime::<Utc>::MAX_UTC;

/// The bytes of a nonce. Random nonces are safe for 2³² values per key (NIST SP 800-38D §8.3).
pub const NONCE: usize = aead::NONCE_LEN;

/// In characters. Twice the size of a sealed value with the longest return URL.
const MAX_SEALED: usize = 6144;

#[derive(Serialize, Deserialize)]
struct Envelope<T> {
    /// Seconds since 1970; the value has expired from this second on.
    exp: i64,
    value: T,
}

/// Seals with the keyring's newest key: base64url of nonce, ciphertext and tag (AES-256-GCM).
pub fn seal<T: Serialize>(
    value: T,
    expires_at: DateTime<Utc>,
    purpose: Purpose,
    nonce: [u8; NONCE],
    keyring: &Keyring,
) -> String {
    let envelope = Envelope {
        exp: expires_at.timestamp(),
        value,
    };
    #[expect(
        clippy::expect_used,
        reason = "our values have string keys, and are far below AES-GCM's limit of 64 GiB"
    )]
    let sealed = {
        let mut text = serde_json::to_vec(&envelope).expect("plain values serialise");
        let key = key(keyring.newest(), purpose);
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut text)
            .expect("AES-GCM seals short texts");
        text
    };
    BASE64URL_NOPAD.encode(&[&nonce, sealed.as_slice()].concat())
}

/// Opens a value that any key of the keyring sealed for this purpose.
///
/// # Errors
/// `Expired` if the value is valid except for its expiry, otherwise `Invalid`.
pub fn open<T: DeserializeOwned>(
    sealed: &str,
    now: DateTime<Utc>,
    purpose: Purpose,
    keyring: &Keyring,
) -> Result<T, SealError<T>> {
    let envelope: Envelope<T> =
        open_envelope(sealed, purpose, keyring).ok_or(SealError::Invalid)?;
    if envelope.exp <= now.timestamp() {
        return Err(SealError::Expired(envelope.value));
    }
    Ok(envelope.value)
}

fn open_envelope<T: DeserializeOwned>(
    sealed: &str,
    purpose: Purpose,
    keyring: &Keyring,
) -> Option<T> {
    if sealed.len() > MAX_SEALED {
        return None;
    }
    let bytes = BASE64URL_NOPAD.decode(sealed.as_bytes()).ok()?;
    let (nonce, ciphertext) = bytes.split_first_chunk::<NONCE>()?;
    keyring.iter().find_map(|candidate| {
        // A failed attempt overwrites the text, so each key gets its own copy.
        let mut text = ciphertext.to_vec();
        let opened = key(candidate, purpose)
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::empty(),
                &mut text,
            )
            .ok()?;
        serde_json::from_slice(opened).ok()
    })
}

fn key(key: &Key, purpose: Purpose) -> LessSafeKey {
    LessSafeKey::new(key.subkey(purpose.label(), &aead::AES_256_GCM))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;
    use secrecy::SecretString;

    use super::*;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn keyring(secrets: &[&str]) -> Keyring {
        let secrets: Vec<SecretString> = secrets.iter().map(|&s| s.into()).collect();
        Keyring::new(&secrets).unwrap()
    }

    fn seal_one(value: &str, keyring: &Keyring) -> String {
        let in_ten_minutes = NOW + TimeDelta::minutes(10);
        seal(
            value,
            in_ten_minutes,
            Purpose::SlackState,
            [3; NONCE],
            keyring,
        )
    }

    fn open_one(sealed: &str, keyring: &Keyring) -> Result<String, SealError<String>> {
        open(sealed, NOW, Purpose::SlackState, keyring)
    }

    #[test]
    fn a_sealed_value_opens_until_the_second_it_expires() {
        let keys = keyring(&["one"]);
        let sealed = seal_one("hello", &keys);
        let open_at = |seconds| {
            let then = NOW + TimeDelta::seconds(seconds);
            open::<String>(&sealed, then, Purpose::SlackState, &keys)
        };
        assert_eq!(open_at(0), Ok("hello".into()));
        assert_eq!(open_at(599), Ok("hello".into()));
        assert_eq!(open_at(600), Err(SealError::Expired("hello".into())));
    }

    #[test]
    fn a_value_without_expiry_opens_at_any_time() {
        let keys = keyring(&["one"]);
        let sealed = seal("hello", NEVER, Purpose::TotpSecret, [3; NONCE], &keys);
        let just_before = DateTime::<Utc>::MAX_UTC - TimeDelta::seconds(1);
        let opened = open::<String>(&sealed, just_before, Purpose::TotpSecret, &keys);
        assert_eq!(opened, Ok("hello".into()));
    }

    #[test]
    fn only_keys_of_the_keyring_open_a_value() {
        let sealed = seal_one("hello", &keyring(&["old"]));
        assert!(open_one(&sealed, &keyring(&["new", "old"])).is_ok());
        assert_eq!(
            open_one(&sealed, &keyring(&["new"])),
            Err(SealError::Invalid)
        );
    }

    #[test]
    fn sealed_values_are_encrypted() {
        let sealed = seal_one("https://app.example.com", &keyring(&["one"]));
        let bytes = BASE64URL_NOPAD.decode(sealed.as_bytes()).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("example"));
    }

    #[test]
    fn a_sealed_value_of_another_type_is_invalid() {
        let keys = keyring(&["one"]);
        let sealed = seal_one("hello", &keys);
        let opened: Result<u32, _> = open(&sealed, NOW, Purpose::SlackState, &keys);
        assert_eq!(opened, Err(SealError::Invalid));
    }

    #[test]
    fn a_sealed_value_that_is_too_long_is_invalid() {
        let keys = keyring(&["one"]);
        assert!(open_one(&seal_one(&"a".repeat(4000), &keys), &keys).is_ok());
        let sealed = seal_one(&"a".repeat(5000), &keys);
        assert_eq!(open_one(&sealed, &keys), Err(SealError::Invalid));
    }

    proptest! {
        #[test]
        fn sealed_values_round_trip(value in ".{0,200}", nonce: [u8; NONCE]) {
            let keys = keyring(&["one"]);
            let sealed = seal(&value, NOW + TimeDelta::seconds(1), Purpose::SlackState, nonce, &keys);
            prop_assert_eq!(open_one(&sealed, &keys), Ok(value));
        }

        #[test]
        fn a_sealed_value_with_one_character_changed_is_invalid(at: prop::sample::Index, with in "[A-Za-z0-9_.=-]") {
            let keys = keyring(&["one"]);
            let sealed = seal_one("hello", &keys);
            let at = at.index(sealed.len());
            let mut changed = sealed.clone();
            changed.replace_range(at..=at, &with);
            prop_assume!(changed != sealed);
            prop_assert_eq!(open_one(&changed, &keys), Err(SealError::Invalid));
        }

        #[test]
        fn a_truncated_value_is_invalid(length: prop::sample::Index) {
            let keys = keyring(&["one"]);
            let sealed = seal_one("hello", &keys);
            let cut = &sealed[..length.index(sealed.len())];
            prop_assert_eq!(open_one(cut, &keys), Err(SealError::Invalid));
        }

        #[test]
        fn arbitrary_text_never_panics(text in "\\PC*") {
            prop_assert_eq!(open_one(&text, &keyring(&["one"])), Err(SealError::Invalid));
        }
    }
}
