//! Tokens that show that whoever posts a form has seen a page of ours, by themselves or beside a cookie.
//!
//! `exp ‖ random ‖ HMAC-SHA256` in base64url (OWASP Cross-Site Request Forgery Prevention Cheat Sheet: signed
//! double-submit). The key is the purpose's own, so nothing else we sign passes for one.

use chrono::{DateTime, Utc};
use data_encoding::BASE64URL_NOPAD;
use ring::hmac;

use super::keyring::{Key, Keyring};

/// Bytes of chance, so that no two tokens are the same.
pub const RANDOM: usize = 16;

/// Bytes of the expiry, seconds since 1970.
const EXPIRY: usize = 8;

/// A token of the keyring's newest key, good until `expires_at`.
pub fn issue(expires_at: DateTime<Utc>, random: [u8; RANDOM], keyring: &Keyring) -> String {
    let expiry = expires_at.timestamp().to_be_bytes();
    let signed = [expiry.as_slice(), &random].concat();
    let mac = hmac::sign(&key(keyring.newest()), &signed);
    BASE64URL_NOPAD.encode(&[signed.as_slice(), mac.as_ref()].concat())
}

/// When the token ends; `None` for one that no key of the keyring has signed or that has ended.
pub fn verify(token: &str, now: DateTime<Utc>, keyring: &Keyring) -> Option<DateTime<Utc>> {
    // Longer than any, and not worth decoding.
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
    fn a_token_is_good_until_the_second_it_ends() {
        let keys = keyring(&["one"]);
        let token = token(&keys);
        let at = |seconds| verify(&token, NOW + TimeDelta::seconds(seconds), &keys);
        assert_eq!(at(0), Some(NOW + TimeDelta::hours(1)));
        assert!(at(3599).is_some());
        assert_eq!(at(3600), None);
    }

    #[test]
    fn every_key_of_the_ring_verifies_and_no_other() {
        let token = token(&keyring(&["old"]));
        assert!(verify(&token, NOW, &keyring(&["new", "old"])).is_some());
        assert_eq!(verify(&token, NOW, &keyring(&["new"])), None);
    }

    proptest! {
        #[test]
        fn no_altered_token_passes(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
            let keys = keyring(&["one"]);
            let mut bytes = BASE64URL_NOPAD.decode(token(&keys).as_bytes()).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(verify(&BASE64URL_NOPAD.encode(&bytes), NOW, &keys), None);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            prop_assert_eq!(verify(&text, NOW, &keyring(&["one"])), None);
        }
    }
}
