//! CSRF tokens: they show that a form was served by us, alone or together with a cookie.
//!
//! `exp ‖ random ‖ HMAC-SHA256` in base64url (OWASP Cross-Site Request Forgery Prevention Cheat Sheet: signed
//! double-submit). The key has no other purpose, so nothing else that we sign is accepted as a CSRF token.

use chrono::{DateTime, Utc};
use data_encoding::BASE64URL_NOPAD;
use ring::hmac;

use super::keyring::{Key, Keyring};

/// Random bytes that make every token unique.
pub const RANDOM: usize = 16;

/// The bytes of the expiry, in seconds since 1970.
const EXPIRY: usize = 8;

/// A token signed with the newest key, valid until `expires_at`.
pub fn issue(expires_at: DateTime<Utc>, random: [u8; RANDOM], keyring: &Keyring) -> String {
    let expiry = expires_at.timestamp().to_be_bytes();
    let signed = [expiry.as_slice(), &random].concat();
    let mac = hmac::sign(&key(keyring.newest()), &signed);
    BASE64URL_NOPAD.encode(&[signed.as_slice(), mac.as_ref()].concat())
}

/// When the token expires; `None` if it has expired or was not signed by a key of the keyring.
pub fn verify(token: &str, now: DateTime<Utc>, keyring: &Keyring) -> Option<DateTime<Utc>> {
    // Longer than any valid token, so not worth decoding.
    if token.len() > 100 {
        return None;
    }
    let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).ok()?;
    let (signed, mac) = bytes.split_at_checked(EXPIRY + RANDOM)?;
    let is_ours = keyring
        .iter()
        .any(|candidate| hmac::verify(&key(candidate), signed, mac).is_ok());
    let expiry = i64::from_be_bytes(*signed.first_chunk()?);
    let expires_at = DateTime::from_timestamp(expiry, 0)?;
    (is_ours && now < expires_at).then_some(expires_at)
}

fn key(key: &Key) -> hmac::Key {
    key.mac_key(b"csrf-token")
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

    fn token(keyring: &Keyring) -> String {
        issue(NOW + TimeDelta::hours(1), [7; RANDOM], keyring)
    }

    #[test]
    fn a_csrf_token_is_valid_until_the_second_it_expires() {
        let keys = keyring(&["one"]);
        let token = token(&keys);
        let at = |seconds| verify(&token, NOW + TimeDelta::seconds(seconds), &keys);
        assert_eq!(at(0), Some(NOW + TimeDelta::hours(1)));
        assert!(at(3599).is_some());
        assert_eq!(at(3600), None);
    }

    #[test]
    fn only_keys_of_the_keyring_verify() {
        let token = token(&keyring(&["old"]));
        assert!(verify(&token, NOW, &keyring(&["new", "old"])).is_some());
        assert_eq!(verify(&token, NOW, &keyring(&["new"])), None);
    }

    proptest! {
        #[test]
        fn an_altered_token_is_rejected(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
            let keys = keyring(&["one"]);
            let mut bytes = BASE64URL_NOPAD.decode(token(&keys).as_bytes()).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(verify(&BASE64URL_NOPAD.encode(&bytes), NOW, &keys), None);
        }

        #[test]
        fn arbitrary_text_never_panics(text in "\\PC*") {
            prop_assert_eq!(verify(&text, NOW, &keyring(&["one"])), None);
        }
    }
}
