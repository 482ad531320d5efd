//! Signed JWTs in the compact form (RFC 7515 §7.1).

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use ring::hmac;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

/// A key of one algorithm, whatever a token says.
pub(super) enum Key {
    Hs256(hmac::Key),
    /// Modulus and exponent.
    Rs256(RsaPublicKeyComponents<Vec<u8>>),
    /// The uncompressed point (SEC 1 §2.3.3).
    Es256(UnparsedPublicKey<Vec<u8>>),
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    /// Parameters that change how the token is read.
    crit: Option<IgnoredAny>,
    b64: Option<IgnoredAny>,
    zip: Option<IgnoredAny>,
}

/// A public key of a JWK Set (RFC 7517, RFC 7518 §6).
#[derive(Deserialize)]
#[serde(tag = "kty")]
enum Jwk {
    #[serde(rename = "RSA")]
    Rsa { n: String, e: String },
    #[serde(rename = "EC")]
    Ec { crv: String, x: String, y: String },
}

impl Key {
    pub(super) fn of_secret(secret: &[u8]) -> Self {
        Self::Hs256(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The RSA and P-256 keys of a JWK Set; others are ignored. `None` if it is no such set.
    pub(super) fn of_set(json: &str) -> Option<Vec<Self>> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }

        let set: Set = serde_json::from_str(json).ok()?;
        let keys =
            set.keys
                .into_iter()
                .filter_map(|key| match serde_json::from_value(key).ok()? {
                    Jwk::Rsa { n, e } => Some(Self::Rs256(RsaPublicKeyComponents {
                        n: decoded(&n)?,
                        e: decoded(&e)?,
                    })),
                    Jwk::Ec { crv, x, y } => {
                        let point = [vec![4], decoded(&x)?, decoded(&y)?].concat();
                        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
                        (crv == "P-256").then_some(Self::Es256(key))
                    }
                });
        Some(keys.collect())
    }

    fn alg(&self) -> &'static str {
        match self {
            Self::Hs256(_) => "HS256",
            Self::Rs256(_) => "RS256",
            Self::Es256(_) => "ES256",
        }
    }

    fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Hs256(key) => hmac::verify(key, signed, signature),
            Self::Rs256(key) => key.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature),
            Self::Es256(key) => key.verify(signed, signature),
        }
        .is_ok()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.alg())
    }
}

/// The part that is signed, and the payload, if one of the keys has signed it.
pub(super) fn open<'a>(token: &'a str, keys: &[Key]) -> Option<(&'a str, Vec<u8>)> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, payload) = signed.split_once('.')?;
    let header: Header = serde_json::from_slice(&decoded(header)?).ok()?;
    if header.crit.is_some() || header.b64.is_some() || header.zip.is_some() {
        return None;
    }
    let signature = decoded(signature)?;
    keys.iter()
        .filter(|key| key.alg() == header.alg)
        .any(|key| key.verifies(signed.as_bytes(), &signature))
        .then_some((signed, decoded(payload)?))
}

fn decoded(part: &str) -> Option<Vec<u8>> {
    BASE64URL_NOPAD.decode(part.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys() -> Vec<Key> {
        vec![Key::of_secret(b"secret")]
    }

    fn signed(header: &str) -> String {
        let encode = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
        let signed = format!("{}.{}", encode(header), encode("{}"));
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
        let mac = hmac::sign(&key, signed.as_bytes());
        format!("{signed}.{}", BASE64URL_NOPAD.encode(mac.as_ref()))
    }

    #[test]
    fn only_the_algorithm_of_the_key_without_extensions_is_read() {
        for (header, is_good) in [
            (r#"{"alg":"HS256"}"#, true),
            (r#"{"alg":"HS256","typ":"JWT","kid":"x"}"#, true),
            (r#"{"alg":"hs256"}"#, false),
            (r#"{"alg":"none"}"#, false),
            (r#"{"alg":"HS512"}"#, false),
            (r#"{"alg":"RS256"}"#, false),
            (r#"{"alg":"HS256","crit":["exp"]}"#, false),
            (r#"{"alg":"HS256","b64":false}"#, false),
            (r#"{"alg":"HS256","zip":"DEF"}"#, false),
            (r#"{"typ":"JWT"}"#, false),
        ] {
            assert_eq!(
                open(&signed(header), &keys()).is_some(),
                is_good,
                "{header}"
            );
        }
    }

    #[test]
    fn a_key_set_has_rsa_and_p_256_keys_and_others_are_ignored() {
        let algorithms = |json: &str| Key::of_set(json).map(|keys| format!("{keys:?}"));
        let set = r#"{"keys": [
            {"kty":"RSA","n":"AQ","e":"AQAB","kid":"1"}, {"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"},
            {"kty":"EC","crv":"P-384","x":"AQ","y":"AQ"}, {"kty":"oct","k":"AQ"}, {"kty":"RSA","n":"AQ"}, 7
        ]}"#;
        assert_eq!(algorithms(set).unwrap(), "[RS256, ES256]");
        assert_eq!(algorithms(r#"{"keys": []}"#).unwrap(), "[]");
        for bad in ["", "[]", "{}", r#"{"keys": {}}"#, "secret"] {
            assert_eq!(algorithms(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_no_change_is_unseen(
            text in "[ -~]{0,60}",
            place in any::<prop::sample::Index>(),
        ) {
            prop_assert_eq!(open(&text, &keys()), None);
            let _ = Key::of_set(&text);
            let good = signed(r#"{"alg":"HS256"}"#);
            let at = place.index(good.len());
            let other = if good.as_bytes()[at] == b'A' { "B" } else { "A" };
            let bad = format!("{}{other}{}", &good[..at], &good[at + 1..]);
            prop_assert_eq!(open(&bad, &keys()), None);
        }
    }
}
