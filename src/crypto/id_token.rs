//! Validation of OpenID Connect ID tokens (Core 1.0, §3.1.3.7), with RS256 only.

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::jwt_provider;

/// The claims that a token must have.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub audience: &'a str,
    pub nonce: &'a str,
}

/// Why a token was rejected. No variant contains any part of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenError {
    #[error("it is not a token signed with RS256 and a key id")]
    Malformed,
    #[error("its signature is wrong")]
    Signature,
    #[error("it has another issuer")]
    Issuer,
    #[error("it has another audience")]
    Audience,
    #[error("it belongs to another sign-in")]
    Nonce,
    #[error("it has expired, or is not valid yet")]
    Time,
    #[error("it lacks claims")]
    Claims,
}

/// One key of an issuer's JWK Set (RFC 7517).
pub struct PublicKey {
    kid: String,
    key: DecodingKey,
}

/// In bytes. Slack's tokens need a quarter of it.
const MAX_TOKEN: usize = 8192;

/// How many seconds the issuer's clock may be ahead of ours.
const CLOCK_SKEW: i64 = 60;

impl PublicKey {
    /// The RSA signature keys of a JWK Set; other keys are ignored.
    pub fn of_set(jwks: &[u8]) -> Option<Vec<Self>> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }
        #[derive(Deserialize)]
        struct Rsa {
            kty: String,
            kid: String,
            n: String,
            e: String,
            #[serde(rename = "use")]
            purpose: Option<String>,
            alg: Option<String>,
        }

        let set: Set = serde_json::from_slice(jwks).ok()?;
        let usable = set.keys.into_iter().filter_map(|key| {
            let rsa: Rsa = serde_json::from_value(key).ok()?;
            let signs = rsa.kty == "RSA"
                && rsa.purpose.is_none_or(|purpose| purpose == "sig")
                && rsa.alg.is_none_or(|alg| alg == "RS256");
            let key = DecodingKey::from_rsa_components(&rsa.n, &rsa.e).ok()?;
            signs.then_some(Self { kid: rsa.kid, key })
        });
        Some(usable.collect())
    }

    pub fn kid(&self) -> &str {
        &self.kid
    }
}

/// The key id in the token's header. It is not verified, and only serves to look up the key.
///
/// # Errors
/// `Malformed` for anything but RS256.
pub fn kid(token: &str) -> Result<String, IdTokenError> {
    if token.len() > MAX_TOKEN {
        return Err(IdTokenError::Malformed);
    }
    let header = jsonwebtoken::decode_header(token).map_err(|_| IdTokenError::Malformed)?;
    let is_plain = header.alg == Algorithm::RS256
        && header.typ.is_none_or(|typ| typ == "JWT")
        && header.crit.is_none();
    header
        .kid
        .filter(|_| is_plain)
        .ok_or(IdTokenError::Malformed)
}

/// Verifies a token and deserializes its claims.
///
/// # Errors
/// The first check that fails.
pub fn verify<T: DeserializeOwned>(
    token: &str,
    key: &PublicKey,
    expected: Expected<'_>,
    now: DateTime<Utc>,
) -> Result<T, IdTokenError> {
    #[derive(Deserialize)]
    struct Claims {
        iss: String,
        aud: Audience,
        nonce: String,
        exp: i64,
        iat: i64,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Audience {
        One(String),
        Several(Vec<String>),
    }

    if kid(token)? != key.kid {
        return Err(IdTokenError::Malformed);
    }
    jwt_provider::install();
    // The crate would use the system clock and leeway, so we validate the claims ourselves.
    let mut validation = Validation::new(Algorithm::RS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let all: Value = jsonwebtoken::decode(token, &key.key, &validation)
        .map_err(|_| IdTokenError::Signature)?
        .claims;
    let claims = Claims::deserialize(&all).map_err(|_| IdTokenError::Claims)?;

    if claims.iss != expected.issuer {
        return Err(IdTokenError::Issuer);
    }
    let is_for_us = match &claims.aud {
        Audience::One(audience) => audience == expected.audience,
        // Another audience could replay the token to us.
        Audience::Several(audiences) => *audiences == [expected.audience],
    };
    if !is_for_us {
        return Err(IdTokenError::Audience);
    }
    if claims.nonce != expected.nonce || expected.nonce.is_empty() {
        return Err(IdTokenError::Nonce);
    }
    let now = now.timestamp();
    if claims.exp <= now || claims.iat > now + CLOCK_SKEW {
        return Err(IdTokenError::Time);
    }
    serde_json::from_value(all).map_err(|_| IdTokenError::Claims)
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64URL_NOPAD;
    use ring::hmac;
    use ring::rsa::{KeyPair, PublicKeyComponents};
    use ring::signature::RSA_PKCS1_SHA256;
    use serde_json::json;

    use super::*;

    /// The sandbox's key, which is public.
    const KEY: &[u8] =
        include_bytes!("../sandbox/slack/public_knowledge_signs_nothing_but_the_sandbox.pk8.der");
    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;
    const EXPECTED: Expected<'_> = Expected {
        issuer: "https://slack.com",
        audience: "1.2",
        nonce: "n",
    };

    #[derive(Debug, PartialEq, Eq, Deserialize)]
    struct Profile {
        email: Option<String>,
    }

    fn pair() -> KeyPair {
        KeyPair::from_pkcs8(KEY).unwrap()
    }

    fn jwks() -> Value {
        let components: PublicKeyComponents<Vec<u8>> = pair().public().into();
        json!({"keys": [{
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "k1",
            "n": BASE64URL_NOPAD.encode(&components.n),
            "e": BASE64URL_NOPAD.encode(&components.e),
        }]})
    }

    fn key() -> PublicKey {
        let set = PublicKey::of_set(jwks().to_string().as_bytes()).unwrap();
        set.into_iter().next().unwrap()
    }

    fn header() -> Value {
        json!({"alg": "RS256", "typ": "JWT", "kid": "k1"})
    }

    fn claims() -> Value {
        json!({
            "iss": "https://slack.com", "aud": "1.2", "nonce": "n", "sub": "U1",
            "exp": 300, "iat": 0, "email": "ada@example.com",
        })
    }

    fn signed_part(header: &Value, claims: &Value) -> String {
        let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        format!("{}.{}", part(header), part(claims))
    }

    #[expect(clippy::disallowed_methods, reason = "ring signs with no other source")]
    fn token(header: &Value, claims: &Value) -> String {
        let signed = signed_part(header, claims);
        let pair = pair();
        let mut signature = vec![0; pair.public().modulus_len()];
        let random = ring::rand::SystemRandom::new();
        pair.sign(
            &RSA_PKCS1_SHA256,
            &random,
            signed.as_bytes(),
            &mut signature,
        )
        .unwrap();
        format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
    }

    fn verified(token: &str) -> Result<Profile, IdTokenError> {
        verify(token, &key(), EXPECTED, NOW)
    }

    fn verified_with(name: &str, value: Value) -> Result<Profile, IdTokenError> {
        let mut claims = claims();
        claims[name] = value;
        verified(&token(&header(), &claims))
    }

    #[test]
    fn a_valid_id_token_yields_its_claims() {
        let profile = verified(&token(&header(), &claims())).unwrap();
        assert_eq!(profile.email.as_deref(), Some("ada@example.com"));
        assert!(verified_with("aud", json!(["1.2"])).is_ok());
        assert!(verified_with("exp", json!(1)).is_ok());
        assert!(verified_with("iat", json!(60)).is_ok());
    }

    #[test]
    fn every_claim_is_validated() {
        use IdTokenError::*;
        for (name, value, error) in [
            ("iss", json!("https://slack.example"), Issuer),
            ("iss", json!("https://slack.com/"), Issuer),
            ("iss", Value::Null, Claims),
            ("aud", json!("1.3"), Audience),
            ("aud", json!(["1.2", "1.3"]), Audience),
            ("aud", json!([]), Audience),
            ("nonce", json!(""), Nonce),
            ("nonce", json!("m"), Nonce),
            ("nonce", Value::Null, Claims),
            ("exp", json!(0), Time),
            ("exp", json!(-1), Time),
            ("exp", json!("300"), Claims),
            ("exp", Value::Null, Claims),
            ("iat", json!(61), Time),
            ("iat", Value::Null, Claims),
            ("email", json!(7), Claims),
        ] {
            assert_eq!(
                verified_with(name, value.clone()),
                Err(error),
                "{name}: {value}"
            );
        }
    }

    #[test]
    fn an_empty_nonce_is_rejected() {
        let mut claims = claims();
        claims["nonce"] = json!("");
        let expected = Expected {
            nonce: "",
            ..EXPECTED
        };
        let result: Result<Profile, _> = verify(&token(&header(), &claims), &key(), expected, NOW);
        assert_eq!(result, Err(IdTokenError::Nonce));
    }

    #[test]
    fn only_rs256_with_the_named_key_is_accepted() {
        for bad in [
            json!({"alg": "none", "kid": "k1"}),
            json!({"alg": "HS256", "kid": "k1"}),
            json!({"alg": "RS512", "kid": "k1"}),
            json!({"alg": "RS256"}),
            json!({"alg": "RS256", "kid": "k2"}),
            json!({"alg": "RS256", "kid": "k1", "typ": "at+jwt"}),
            json!({"alg": "RS256", "kid": "k1", "crit": ["b64"]}),
        ] {
            assert_eq!(
                verified(&token(&bad, &claims())),
                Err(IdTokenError::Malformed),
                "{bad}"
            );
        }
        let signed = signed_part(&header(), &claims());
        let mac = hmac::Key::new(
            hmac::HMAC_SHA256,
            jwks()["keys"][0]["n"].as_str().unwrap().as_bytes(),
        );
        let mac = BASE64URL_NOPAD.encode(hmac::sign(&mac, signed.as_bytes()).as_ref());
        let other = token(&header(), &json!({}));
        let foreign = other.rsplit_once('.').unwrap().1;
        for signature in ["", mac.as_str(), foreign] {
            let forged = format!("{signed}.{signature}");
            assert_eq!(
                verified(&forged),
                Err(IdTokenError::Signature),
                "{signature}"
            );
        }
    }

    #[test]
    fn text_that_is_not_a_token_is_malformed() {
        let good = token(&header(), &claims());
        for bad in [
            "",
            ".",
            "..",
            "a.b.c",
            &good[1..],
            &"a".repeat(MAX_TOKEN + 1),
        ] {
            assert_eq!(verified(bad), Err(IdTokenError::Malformed), "{bad}");
        }
    }

    #[test]
    fn keys_for_other_uses_are_ignored() {
        let mut set = jwks();
        for (name, value) in [("use", "enc"), ("kty", "EC"), ("alg", "RS512")] {
            let mut other = set["keys"][0].clone();
            other[name] = json!(value);
            set["keys"].as_array_mut().unwrap().push(other);
        }
        set["keys"]
            .as_array_mut()
            .unwrap()
            .push(json!({"kty": "oct", "k": "AA"}));
        let keys = PublicKey::of_set(set.to_string().as_bytes()).unwrap();
        assert_eq!(keys.len(), 1);
        assert!(PublicKey::of_set(b"{}").is_none());
    }
}
