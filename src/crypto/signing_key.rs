//! The keys that sign access tokens with ES256 (RFC 7518 §3.4), so that others can verify and not sign.

use std::fmt;
use std::sync::Arc;

use data_encoding::{BASE64, BASE64URL_NOPAD};
use ring::digest::{SHA256, digest};
use ring::error::{KeyRejected, Unspecified};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    UnparsedPublicKey,
};
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::domain::PublicKey;

/// `r` and `s` (RFC 7518 §3.4), in bytes and in base64url.
const SIGNATURE: usize = 64;
const SIGNATURE_CHARS: usize = 86;
/// The label of a PKCS#8 document (RFC 7468 §10).
const LABEL: &str = "PRIVATE KEY";

/// A private key on the curve P-256. Clones share it.
#[derive(Clone)]
pub struct SigningKey(Arc<Parts>);

struct Parts {
    pair: EcdsaKeyPair,
    public: PublicKey,
    encoded_header: String,
}

/// Why a text is not a signing key: the rest of a sentence, without any of the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotASigningKey {
    #[error(
        "is not a PEM text, which begins with \"-----BEGIN {LABEL}-----\" and ends accordingly"
    )]
    NotPem,
    #[error("is a PEM text of another kind, \"{0}\" instead of \"{LABEL}\" (PKCS#8)")]
    OtherLabel(String),
    #[error("is damaged: its base64 cannot be decoded")]
    Base64,
    #[error("is not a P-256 key with its public key in PKCS#8 ({0})")]
    Rejected(String),
}

/// A new key in PKCS#8, as PEM with a line break at its end.
///
/// # Errors
/// When the operating system provides no random numbers.
pub fn generate() -> Result<SecretString, Unspecified> {
    let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random())?;
    let mut base64 = Zeroizing::new(BASE64.encode(der.as_ref()));
    for end_of_line in (64..base64.len()).step_by(64).rev() {
        base64.insert(end_of_line, '\n');
    }
    let pem = format!(
        "-----BEGIN {LABEL}-----\n{}\n-----END {LABEL}-----\n",
        *base64
    );
    Ok(pem.into())
}

impl SigningKey {
    /// The keys of PEM texts in order, with nothing but white space and commas around them. Line breaks may be
    /// written as `\n`. What is not PEM ends the list with an error, so it is never empty.
    pub fn read_all(text: &str) -> Vec<Result<Self, NotASigningKey>> {
        let text = Zeroizing::new(text.replace("\\n", "\n"));
        let mut keys = Vec::new();
        let mut rest = text.as_str();
        loop {
            let Some(block) = Block::first_of(rest) else {
                keys.push(Err(NotASigningKey::NotPem));
                return keys;
            };
            keys.push(Self::of_block(&block));
            rest = block.rest;
            if rest.is_empty() {
                return keys;
            }
        }
    }

    fn of_block(block: &Block<'_>) -> Result<Self, NotASigningKey> {
        if block.label != LABEL {
            return Err(NotASigningKey::OtherLabel(block.label.to_owned()));
        }
        let mut base64 = Zeroizing::new(block.base64.to_owned());
        base64.retain(|c| !c.is_ascii_whitespace());
        let der = BASE64.decode(base64.as_bytes());
        let der = Zeroizing::new(der.map_err(|_| NotASigningKey::Base64)?);
        Self::of_pkcs8(&der).map_err(|why| NotASigningKey::Rejected(why.to_string()))
    }

    fn of_pkcs8(der: &[u8]) -> Result<Self, KeyRejected> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, &random())?;
        let public = public_key(&pair);
        let kid = &public.kid;
        let header = format!(r#"{{"typ":"JWT","alg":"ES256","kid":"{kid}"}}"#);
        Ok(Self(Arc::new(Parts {
            encoded_header: BASE64URL_NOPAD.encode(header.as_bytes()),
            pair,
            public,
        })))
    }

    pub fn public(&self) -> &PublicKey {
        &self.0.public
    }

    pub fn kid(&self) -> &str {
        &self.public().kid
    }

    /// The header of every token that this key signs.
    pub(super) fn encoded_header(&self) -> &str {
        &self.0.encoded_header
    }

    /// The signature in base64url.
    #[expect(
        clippy::expect_used,
        reason = "it fails only without random numbers, without which nothing else here works either"
    )]
    pub(super) fn sign(&self, signed: &str) -> String {
        let signature = self.0.pair.sign(&random(), signed.as_bytes());
        BASE64URL_NOPAD.encode(signature.expect("the system has random numbers").as_ref())
    }

    /// Whether this is the key's signature, in canonical base64url.
    pub(super) fn verifies(&self, signed: &str, signature: &str) -> bool {
        let mut bytes = [0; SIGNATURE];
        if signature.len() != SIGNATURE_CHARS
            || BASE64URL_NOPAD
                .decode_mut(signature.as_bytes(), &mut bytes)
                .is_err()
        {
            return false;
        }
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.0.pair.public_key())
            .verify(signed.as_bytes(), &bytes)
            .is_ok()
    }
}

/// Nothing of the private half.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kid().fmt(f)
    }
}

fn public_key(pair: &EcdsaKeyPair) -> PublicKey {
    // An uncompressed point: 4, then 32 bytes each (SEC 1 §2.3.3).
    let point = pair.public_key().as_ref().get(1..).unwrap_or_default();
    let (x, y) = point.split_at(point.len() / 2);
    let [x, y] = [x, y].map(|bytes| BASE64URL_NOPAD.encode(bytes));
    let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    let kid = BASE64URL_NOPAD.encode(digest(&SHA256, members.as_bytes()).as_ref());
    PublicKey { kid, x, y }
}

/// An encapsulated text (RFC 7468), and what follows it.
struct Block<'a> {
    label: &'a str,
    base64: &'a str,
    rest: &'a str,
}

impl<'a> Block<'a> {
    fn first_of(text: &'a str) -> Option<Self> {
        let text = trimmed(text).strip_prefix("-----BEGIN ")?;
        let (label, text) = text.split_once("-----")?;
        let is_label = label.bytes().all(|b| b.is_ascii_uppercase() || b == b' ');
        let (base64, rest) = text.split_once(&format!("-----END {label}-----"))?;
        is_label.then_some(Self {
            label,
            base64,
            rest: trimmed(rest),
        })
    }
}

fn trimmed(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',')
}

#[expect(clippy::disallowed_methods, reason = "ring signs with no other source")]
fn random() -> SystemRandom {
    SystemRandom::new()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use super::*;

    /// Made with OpenSSL, as are the other forms of it.
    const PKCS8: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgIdTyaa/LjanRHBwa
ocMBoC2nqxWk+Rq71wcOrSB+ya2hRANCAAQmdKKaw94m4klP1T9RRKRCmWTaXANE
SodztDR/VPRN5xzoVln2GAValzimqvfd9TtRmPwRrxsPiWIfPQg//xmx
-----END PRIVATE KEY-----";
    const SEC1: &str = "-----BEGIN EC PRIVATE KEY-----
MHcCAQEEICHU8mmvy42p0RwcGqHDAaAtp6sVpPkau9cHDq0gfsmtoAoGCCqGSM49
AwEHoUQDQgAEJnSimsPeJuJJT9U/UUSkQplk2lwDREqHc7Q0f1T0Tecc6FZZ9hgF
Wpc4pqr33fU7UZj8Ea8bD4liHz0IP/8ZsQ==
-----END EC PRIVATE KEY-----";
    const ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAg5ujs5RwQ1LAICCAAw
-----END ENCRYPTED PRIVATE KEY-----";
    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEJnSimsPeJuJJT9U/UUSkQplk2lwD
REqHc7Q0f1T0Tecc6FZZ9hgFWpc4pqr33fU7UZj8Ea8bD4liHz0IP/8ZsQ==
-----END PUBLIC KEY-----";
    const WITHOUT_PUBLIC_KEY: &str = "-----BEGIN PRIVATE KEY-----
MEECAQAwEwYHKoZIzj0CAQYIKoZIzj0DAQcEJzAlAgEBBCAh1PJpr8uNqdEcHBqh
wwGgLaerFaT5GrvXBw6tIH7JrQ==
-----END PRIVATE KEY-----";
    const ED25519: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIMscupFZscUuPhRuKKN1fCDzMHID3yil3a0qs2wmegmb
-----END PRIVATE KEY-----";
    const P384: &str = "-----BEGIN PRIVATE KEY-----
MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDB01O0hHtCVfo4b+5Sp
WKANe71qlcPsGc2glHuNIysefWLHHPI/jNnP+Mwuf8rhr+WhZANiAARiczUt6sbp
iJUxezIA8tJApJzJkWfwqMyVcBQzLqRASV2jzVPSkkSqNu8aPOZw0l/hn5c6ncw7
FvI4/xOx+LrIFh3dOgh8XuqnY6oNG8uvH3bg3Onw9Zm7oCkawr+KJEs=
-----END PRIVATE KEY-----";
    /// The sandbox's key, which is public.
    const RSA: &[u8] =
        include_bytes!("../sandbox/slack/public_knowledge_signs_nothing_but_the_sandbox.pk8.der");

    fn read(text: &str) -> Vec<Result<String, NotASigningKey>> {
        let keys = SigningKey::read_all(text).into_iter();
        keys.map(|key| key.map(|key| key.kid().to_owned()))
            .collect()
    }

    fn key(pem: &str) -> SigningKey {
        SigningKey::read_all(pem).remove(0).unwrap()
    }

    fn kid() -> Result<String, NotASigningKey> {
        Ok("t22Ld-p_1SJBaxRvbjbO2bOTXK_EBbP91OB1fcorIA4".to_owned())
    }

    /// Computed with Python's cryptography.
    #[test]
    fn the_public_key_and_its_thumbprint_are_those_of_another_implementation() {
        let public = key(PKCS8).public().clone();
        assert_eq!(public.x, "JnSimsPeJuJJT9U_UUSkQplk2lwDREqHc7Q0f1T0Tec");
        assert_eq!(public.y, "HOhWWfYYBVqXOKaq9931O1GY_BGvGw-JYh89CD__GbE");
        assert_eq!(Ok(public.kid), kid());
    }

    /// Made with Python's cryptography.
    #[test]
    fn a_signature_of_another_implementation_is_verified() {
        let signature = "9dotrAhyj9WK19DA2cOdZiihCoIUfcpLmMuHXLL8KEcpXSlKDj4r6HX-rDStYCw7O_DFdgwXX8LT33yaTo54_w";
        assert!(key(PKCS8).verifies("header.payload", signature));
        assert!(!key(PKCS8).verifies("header.payloae", signature));
        let generated = generate().unwrap();
        assert!(!key(generated.expose_secret()).verifies("header.payload", signature));
    }

    #[test]
    fn keys_are_read_in_order_whatever_is_between_the_lines() {
        let other = generate().unwrap();
        let other = other.expose_secret();
        let kids = [kid(), Ok(key(other).kid().to_owned())];
        for text in [
            format!("{PKCS8}\n{other}"),
            format!("{PKCS8}{other}"),
            format!("\n {PKCS8} ,\r\n{other},\n"),
            format!("{PKCS8}\n{other}").replace('\n', "\r\n"),
            format!("{PKCS8}\n{other}").replace('\n', "\\n"),
            format!("{PKCS8}\n{other}").replace('\n', " "),
            format!("{PKCS8}\n{other}").replace('\n', ""),
        ] {
            assert_eq!(read(&text), kids, "{text}");
        }
        assert_eq!(read(&format!("{other},{PKCS8}")).last(), Some(&kid()));
    }

    #[test]
    fn what_is_no_p256_key_in_pkcs8_is_refused() {
        let rsa = format!(
            "-----BEGIN PRIVATE KEY-----{}-----END PRIVATE KEY-----",
            BASE64.encode(RSA)
        );
        for (text, expected) in [
            (SEC1, "is a PEM text of another kind, \"EC PRIVATE KEY\""),
            (ENCRYPTED, "another kind, \"ENCRYPTED PRIVATE KEY\""),
            (PUBLIC, "another kind, \"PUBLIC KEY\""),
            (
                &PUBLIC.replace("PUBLIC KEY", "CERTIFICATE"),
                "\"CERTIFICATE\"",
            ),
            (&SEC1.replace("EC PRI", "PRI"), "is not a P-256 key"),
            (&PUBLIC.replace("PUBLIC", "PRIVATE"), "is not a P-256 key"),
            (WITHOUT_PUBLIC_KEY, "with its public key"),
            (ED25519, "is not a P-256 key"),
            (P384, "is not a P-256 key"),
            (&rsa, "is not a P-256 key"),
            (&PKCS8.replace("AgEAMBMG", "AgEAMBM"), "is damaged"),
            (&PKCS8.replace("IdTy", "IdTz"), "is not a P-256 key"),
            (
                &PKCS8.replace("END PRIVATE", "END PUBLIC"),
                "is not a PEM text",
            ),
            (
                &PKCS8.replace("-----END PRIVATE KEY-----", ""),
                "is not a PEM text",
            ),
            (
                &PKCS8.replace("-----BEGIN", "----BEGIN"),
                "is not a PEM text",
            ),
            (&PKCS8.replace("PRIVATE KEY", "secret"), "is not a PEM text"),
            (&format!("a comment\n{PKCS8}"), "is not a PEM text"),
            ("correct horse battery staple", "is not a PEM text"),
            (",", "is not a PEM text"),
            ("", "is not a PEM text"),
        ] {
            let read = read(text);
            let [Err(why)] = read.as_slice() else {
                panic!("{text}: {read:?}");
            };
            assert!(why.to_string().contains(expected), "{why}: {text}");
        }
        let [first, Err(why)] = &read(&format!("{PKCS8}\n# the next one"))[..] else {
            panic!("two results");
        };
        assert_eq!((first, why), (&kid(), &NotASigningKey::NotPem));
    }

    #[test]
    fn nothing_of_the_private_key_is_shown() {
        assert_eq!(format!("{:?}", key(PKCS8)), format!("{:?}", kid().unwrap()));
        for bad in [SEC1, &PKCS8.replace("IdTy", "IdTz")] {
            let shown = format!("{:?}", read(bad));
            assert!(
                !shown.contains("yaa/") && !shown.contains("MHcC"),
                "{shown}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_generated_key_signs_what_it_verifies(signed in ".{0,100}", other in ".{0,100}") {
            let pem = generate().unwrap();
            let pem = pem.expose_secret();
            prop_assert!(pem.ends_with("-----END PRIVATE KEY-----\n"));
            prop_assert!(pem.lines().all(|line| line.len() <= 64));
            let key = key(pem);
            let signature = key.sign(&signed);
            prop_assert_eq!(signature.len(), SIGNATURE_CHARS);
            prop_assert!(key.verifies(&signed, &signature));
            prop_assert_eq!(key.verifies(&other, &signature), other == signed);
        }

        #[test]
        fn arbitrary_text_is_no_key_and_no_panic(text in "(-----BEGIN |-----END |PRIVATE KEY|-----|[a-z ,\n]){0,12}") {
            prop_assert!(!read(&text).is_empty());
        }
    }
}
