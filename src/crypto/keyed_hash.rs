//! Names that stand for what shall not be written down, such as addresses of people who are no users.

use data_encoding::BASE64URL_NOPAD;
use ring::hmac;

use super::keyring::Keyring;

const LABEL: &[u8] = b"pseudonym";

/// HMAC-SHA256 of the text in base64url, under a key of the keyring's newest secret. The same text has the same
/// name until that secret is replaced; without the secret nobody can tell whose name it is.
pub fn keyed_hash(text: &str, keyring: &Keyring) -> String {
    let key = keyring.newest().mac_key(LABEL);
    BASE64URL_NOPAD.encode(hmac::sign(&key, text.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    fn named(text: &str, secrets: &[&str]) -> String {
        let secrets: Vec<SecretString> = secrets.iter().map(|&s| s.into()).collect();
        keyed_hash(text, &Keyring::new(&secrets).unwrap())
    }

    /// Computed with Python: HKDF as in `keyring`, then HMAC-SHA256.
    #[test]
    fn a_pseudonym_is_an_hmac_under_a_key_of_its_own() {
        assert_eq!(
            named("ada@example.com", &["correct horse battery staple"]),
            "W__7XSQft0NO3_2B7XBbR-f4sxXBYjWDM69fpPQfOk8"
        );
    }

    #[test]
    fn the_newest_secret_names() {
        let name = named("ada@example.com", &["new", "old"]);
        assert_eq!(name, named("ada@example.com", &["new"]));
        assert_ne!(name, named("ada@example.com", &["old"]));
        assert_ne!(name, named("bob@example.com", &["new"]));
    }
}
