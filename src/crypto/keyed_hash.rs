//! Keyed hashes of values we must not store, such as e-mail addresses without an account.

use data_encoding::BASE64URL_NOPAD;
use ring::hmac;

use super::keyring::Keyring;

/// Stored hashes depend on it, so it must not change.
const LABEL: &[u8] = b"pseudonym";

/// HMAC-SHA256 of the text in base64url, with a key derived from the keyring's newest secret. The hash of a text
/// stays the same until that secret is rotated, and cannot be matched to a text without the secret.
pub fn keyed_hash(text: &str, keyring: &Keyring) -> String {
    let key = keyring.newest().mac_key(LABEL);
    BASE64URL_NOPAD.encode(hmac::sign(&key, text.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    fn hash(text: &str, secrets: &[&str]) -> String {
        let secrets: Vec<SecretString> = secrets.iter().map(|&s| s.into()).collect();
        keyed_hash(text, &Keyring::new(&secrets).unwrap())
    }

    /// Computed with Python: HKDF as in `keyring`, then HMAC-SHA256.
    #[test]
    fn a_keyed_hash_is_an_hmac_with_a_derived_key() {
        assert_eq!(
            hash("ada@example.com", &["correct horse battery staple"]),
            "W__7XSQft0NO3_2B7XBbR-f4sxXBYjWDM69fpPQfOk8"
        );
    }

    #[test]
    fn the_newest_secret_makes_the_hash() {
        let hashed = hash("ada@example.com", &["new", "old"]);
        assert_eq!(hashed, hash("ada@example.com", &["new"]));
        assert_ne!(hashed, hash("ada@example.com", &["old"]));
        assert_ne!(hashed, hash("bob@example.com", &["new"]));
    }
}
