//! The secrets that sign and verify access tokens, newest first.

use std::fmt;
use std::iter;

use data_encoding::BASE64URL_NOPAD;
use ring::aead::UnboundKey;
use ring::{aead, hkdf, hmac};
use secrecy::{ExposeSecret, SecretString};

/// HMAC-SHA256, in bytes and in base64.
const MAC: usize = 32;
const MAC_CHARS: usize = 43;

/// The keys derived from `JWT_SECRET`: the newest signs, all verify.
///
/// A secret's bytes are used directly as the HMAC key (RFC 2104), so that other services can verify a
/// token with just the shared secret.
pub struct Keyring {
    newest: Key,
    older: Vec<Key>,
}

/// A secret, prepared for signing and verifying.
pub(super) struct Key {
    pub(super) kid: String,
    /// The header of every token that this key signs.
    pub(super) encoded_header: String,
    mac: hmac::Key,
    /// Keys for other purposes are derived from it (RFC 5869).
    root: hkdf::Prk,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    #[error("there must be at least one secret, and none may be empty")]
    Empty,
    #[error("a secret is listed twice")]
    Repeated,
}

impl Keyring {
    /// Secrets newest first.
    ///
    /// # Errors
    /// `Empty` without a secret, `Repeated` when two are the same.
    pub fn new(secrets: &[SecretString]) -> Result<Self, KeyringError> {
        let mut keys: Vec<Key> = Vec::with_capacity(secrets.len());
        for secret in secrets {
            let secret = secret.expose_secret().as_bytes();
            if secret.is_empty() {
                return Err(KeyringError::Empty);
            }
            let key = Key::new(secret);
            // A kid must identify one key, so compare the kids.
            if keys.iter().any(|other| other.kid == key.kid) {
                return Err(KeyringError::Repeated);
            }
            keys.push(key);
        }
        let mut keys = keys.into_iter();
        let newest = keys.next().ok_or(KeyringError::Empty)?;
        Ok(Self {
            newest,
            older: keys.collect(),
        })
    }

    /// The key id of the secret that signs and encrypts.
    pub fn newest_kid(&self) -> &str {
        &self.newest.kid
    }

    /// The key ids of all secrets, newest first.
    pub fn kids(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|key| key.kid.as_str())
    }

    pub(super) fn newest(&self) -> &Key {
        &self.newest
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Key> {
        iter::once(&self.newest).chain(&self.older)
    }
}

/// Equal if they have the same keys in the same order.
impl PartialEq for Keyring {
    fn eq(&self, other: &Self) -> bool {
        self.kids().eq(other.kids())
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.kids()).finish()
    }
}

impl Key {
    fn new(secret: &[u8]) -> Self {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(secret);
        let kid = kid(&root);
        let header = format!(r#"{{"typ":"JWT","alg":"HS256","kid":"{kid}"}}"#);
        Self {
            kid,
            encoded_header: BASE64URL_NOPAD.encode(header.as_bytes()),
            mac: hmac::Key::new(hmac::HMAC_SHA256, secret),
            root,
        }
    }

    /// The MAC of an access token (HS256, RFC 7518 §3.2) in base64url.
    pub(super) fn sign(&self, signed: &str) -> String {
        BASE64URL_NOPAD.encode(hmac::sign(&self.mac, signed.as_bytes()).as_ref())
    }

    /// Whether this is the key's MAC, in canonical base64url.
    pub(super) fn verifies(&self, signed: &str, mac: &str) -> bool {
        let mut bytes = [0; MAC];
        mac.len() == MAC_CHARS
            && BASE64URL_NOPAD
                .decode_mut(mac.as_bytes(), &mut bytes)
                .is_ok()
            && hmac::verify(&self.mac, signed.as_bytes(), &bytes).is_ok()
    }

    /// Derives an independent key for the purpose `label`.
    pub(super) fn subkey(&self, label: &[u8], algorithm: &'static aead::Algorithm) -> UnboundKey {
        #[expect(
            clippy::expect_used,
            reason = "HKDF can refuse nothing but lengths above 255 hashes"
        )]
        self.root
            .expand(&[label], algorithm)
            .expect("a key is shorter than 255 hashes")
            .into()
    }

    /// Like [`Key::subkey`], for HMAC-SHA256.
    pub(super) fn mac_key(&self, label: &[u8]) -> hmac::Key {
        #[expect(
            clippy::expect_used,
            reason = "HKDF can refuse nothing but lengths above 255 hashes"
        )]
        self.root
            .expand(&[label], hmac::HMAC_SHA256)
            .expect("a key is shorter than 255 hashes")
            .into()
    }
}

/// A key id: eight bytes of HKDF-SHA256 (RFC 5869) in base64url, which reveal nothing about the secret.
fn kid(root: &hkdf::Prk) -> String {
    struct Eight;

    impl hkdf::KeyType for Eight {
        fn len(&self) -> usize {
            8
        }
    }

    let mut name = [0; 8];
    // HKDF only fails for outputs longer than 255 hashes.
    let _ = root
        .expand(&[b"hallpass kid"], Eight)
        .and_then(|output| output.fill(&mut name));
    BASE64URL_NOPAD.encode(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyring(secrets: &[&str]) -> Result<Keyring, KeyringError> {
        let secrets: Vec<SecretString> = secrets.iter().map(|&s| s.into()).collect();
        Keyring::new(&secrets)
    }

    fn kid(secret: &[u8]) -> String {
        Key::new(secret).kid
    }

    #[test]
    fn the_first_secret_signs_and_all_secrets_verify() {
        let ring = keyring(&["new", "old"]).unwrap();
        assert_eq!(ring.newest().kid, kid(b"new"));
        let kids: Vec<&str> = ring.iter().map(|key| key.kid.as_str()).collect();
        assert_eq!(kids, [kid(b"new"), kid(b"old")]);
    }

    #[test]
    fn a_keyring_needs_at_least_one_secret_and_no_duplicates() {
        assert_eq!(keyring(&[]).unwrap_err(), KeyringError::Empty);
        assert_eq!(keyring(&["a", ""]).unwrap_err(), KeyringError::Empty);
        assert_eq!(
            keyring(&["a", "b", "a"]).unwrap_err(),
            KeyringError::Repeated
        );
        assert!(keyring(&["a", "b"]).is_ok());
    }

    /// Computed with Python: HMAC-SHA256 with 32 zero bytes for the extract step, one round of expand.
    #[test]
    fn a_kid_follows_rfc_5869() {
        assert_eq!(kid(b"correct horse battery staple"), "O_wq1KYCKcI");
        assert_eq!(kid(b"another secret"), "a_nM9ptemoQ");
    }

    #[test]
    fn keyrings_are_equal_if_their_keys_are() {
        assert!(keyring(&["new", "old"]) == keyring(&["new", "old"]));
        for other in [&["old", "new"][..], &["new"], &["new", "old", "older"]] {
            assert!(keyring(&["new", "old"]) != keyring(other), "{other:?}");
        }
    }

    #[test]
    fn debug_prints_only_the_kids() {
        let ring = keyring(&["first-secret", "second-secret"]).unwrap();
        assert_eq!(
            format!("{ring:?}"),
            format!("{:?}", [kid(b"first-secret"), kid(b"second-secret")])
        );
    }
}
