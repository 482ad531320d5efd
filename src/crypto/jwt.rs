//! Access tokens: JSON Web Tokens (RFC 7519), signed with HS256 or ES256 as [`TokenKeys`] says.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use data_encoding::BASE64URL_NOPAD;
use serde::de::value::{BorrowedStrDeserializer, MapAccessDeserializer};
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::token_keys::{TokenKey, TokenKeys};
use crate::domain::{ActiveOrganization, OrganizationId, Role, SessionId, UserId, lifetimes};

/// The claims of an access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    pub sub: UserId,
    /// `orgId` and `role`; a token has both or, for a user without an organization, neither.
    pub organization: Option<ActiveOrganization>,
    pub sid: SessionId,
    /// The user's credential version when the token was signed.
    pub ver: i32,
    /// The version of what the token says about the user; 0 in tokens of Hallpass 0.1, which have none.
    pub pv: i32,
    /// Seconds since 1970.
    pub iat: i64,
    /// Seconds since 1970; from this second on the token is expired.
    pub exp: i64,
}

/// What a token says for other services alone; nobody here reads it again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extras {
    /// The id that the user had in the system they came from.
    pub external_id: Option<String>,
}

/// The issuer and audience that we put into tokens and require of them.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// `iss`.
    pub issuer: Option<String>,
    /// `aud`. If not set, a token with an audience is not meant for us (RFC 7519 §4.1.3).
    pub audience: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("the token is not valid")]
    Invalid,
    /// The token is valid except for its expiry.
    #[error("the token has expired")]
    Expired,
}

/// In bytes. Our own tokens need less than a quarter of it.
const MAX_TOKEN: usize = 4096;
/// The decoded length of `MAX_TOKEN` characters of base64.
const MAX_PART: usize = MAX_TOKEN / 4 * 3;
/// In a header or a payload. Ours have three and up to ten.
const MAX_MEMBERS: usize = 32;
/// How many seconds the clock of the signing instance may be ahead.
const CLOCK_SKEW: i64 = 60;

/// Signs with the newest key.
pub fn sign(claims: &Claims, extras: &Extras, keys: &TokenKeys, rules: &Rules) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Payload<'a> {
        sub: UserId,
        #[serde(skip_serializing_if = "Option::is_none")]
        org_id: Option<OrganizationId>,
        #[serde(skip_serializing_if = "Option::is_none")]
        role: Option<Role>,
        iat: i64,
        exp: i64,
        sid: SessionId,
        ver: i32,
        pv: i32,
        #[serde(skip_serializing_if = "Option::is_none")]
        iss: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        aud: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        external_id: Option<&'a str>,
    }

    let payload = Payload {
        sub: claims.sub,
        org_id: claims.organization.map(|organization| organization.id),
        role: claims.organization.map(|organization| organization.role),
        iat: claims.iat,
        exp: claims.exp,
        sid: claims.sid,
        ver: claims.ver,
        pv: claims.pv,
        iss: rules.issuer.as_deref(),
        aud: rules.audience.as_deref(),
        external_id: extras.external_id.as_deref(),
    };
    #[expect(clippy::expect_used, reason = "strings and integers always serialise")]
    let json = serde_json::to_vec(&payload).expect("strings and integers serialise");
    let key = keys.newest();
    let signed = format!("{}.{}", key.encoded_header(), BASE64URL_NOPAD.encode(&json));
    format!("{signed}.{}", key.sign(&signed))
}

/// Verifies a token without leeway: it is expired if `exp <= now`, and `nbf`, which ours do not have, is exact.
///
/// # Errors
/// `Expired` if the token is valid except for its expiry, otherwise `Invalid`.
pub fn verify(
    token: &str,
    now: DateTime<Utc>,
    keys: &TokenKeys,
    rules: &Rules,
) -> Result<Claims, TokenError> {
    if token.len() > MAX_TOKEN {
        return Err(TokenError::Invalid);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Invalid)?;
    // With more than three parts the payload contains a dot, which the decoder rejects.
    let (header, payload) = signed.split_once('.').ok_or(TokenError::Invalid)?;

    let key = key_for(header, keys).ok_or(TokenError::Invalid)?;
    if !key.verifies(token, signed, signature) {
        return Err(TokenError::Invalid);
    }
    read_payload(payload, now, rules)
}

/// Whether the token names one of the keys, so that it is ours, or pretends to be: valid or not.
pub fn names_a_key(token: &str, keys: &TokenKeys) -> bool {
    let mut buffer = [0; MAX_PART];
    let header = token.split('.').next().unwrap_or_default();
    parse::<Header<'_>>(header, &mut buffer).is_some_and(|header| keys.has_kid(&header.kid.0))
}

fn key_for<'a>(encoded: &str, keys: &'a TokenKeys) -> Option<TokenKey<'a>> {
    if let Some(key) = keys.with_header(encoded) {
        return Some(key);
    }
    let mut buffer = [0; MAX_PART];
    let header: Header = parse(encoded, &mut buffer)?;
    let is_supported = header.typ.is_none_or(|typ| typ.0 == "JWT") && header.unsupported.is_none();
    keys.find(&header.alg.0, &header.kid.0)
        .filter(|_| is_supported)
}

fn read_payload(encoded: &str, now: DateTime<Utc>, rules: &Rules) -> Result<Claims, TokenError> {
    let mut buffer = [0; MAX_PART];
    let payload: Payload = parse(encoded, &mut buffer).ok_or(TokenError::Invalid)?;
    let organization = match (payload.org_id, payload.role) {
        (Some(id), Some(role)) => Some(ActiveOrganization { id, role }),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => return Err(TokenError::Invalid),
    };
    let now = now.timestamp();

    let lifetime = payload.exp.checked_sub(payload.iat);
    let for_us = payload.iat <= now + CLOCK_SKEW
        && lifetime
            .is_some_and(|seconds| (1..=lifetimes::ACCESS_TOKEN.num_seconds()).contains(&seconds))
        && payload.nbf.is_none_or(|nbf| nbf <= now)
        && issued_by(payload.iss.as_ref(), rules.issuer.as_deref())
        && meant_for(payload.aud.as_ref(), rules.audience.as_deref());
    if !for_us {
        return Err(TokenError::Invalid);
    }
    if payload.exp <= now {
        return Err(TokenError::Expired);
    }
    Ok(Claims {
        sub: payload.sub,
        organization,
        sid: payload.sid,
        ver: payload.ver,
        pv: payload.pv,
        iat: payload.iat,
        exp: payload.exp,
    })
}

fn issued_by(iss: Option<&Text<'_>>, issuer: Option<&str>) -> bool {
    issuer.is_none_or(|issuer| iss.is_some_and(|iss| iss.0 == issuer))
}

fn meant_for(aud: Option<&Audience<'_>>, audience: Option<&str>) -> bool {
    match (aud, audience) {
        (None, None) => true,
        (Some(Audience::One(aud)), Some(audience)) => aud.0 == audience,
        (Some(Audience::Several(auds)), Some(audience)) => auds.iter().any(|aud| aud.0 == audience),
        (None, Some(_)) | (Some(_), None) => false,
    }
}

/// Decodes canonical base64url and parses the JSON object in it.
fn parse<'de, T: Deserialize<'de>>(encoded: &str, buffer: &'de mut [u8; MAX_PART]) -> Option<T> {
    let length = BASE64URL_NOPAD.decode_len(encoded.len()).ok()?;
    let buffer = buffer.get_mut(..length)?;
    BASE64URL_NOPAD
        .decode_mut(encoded.as_bytes(), buffer)
        .ok()?;
    // serde_json does not check the UTF-8 of members that it skips.
    let json = std::str::from_utf8(buffer).ok()?;
    let object: Object<T> = serde_json::from_str(json).ok()?;
    Some(object.0)
}

#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    alg: Text<'a>,
    #[serde(borrow)]
    kid: Text<'a>,
    #[serde(borrow, default, deserialize_with = "present")]
    typ: Option<Text<'a>>,
    /// Parameters that change how a token is read, or that provide a key. We reject all of them.
    #[serde(
        rename = "crit",
        alias = "b64",
        alias = "zip",
        alias = "jku",
        alias = "jwk",
        alias = "x5u",
        alias = "x5c",
        default,
        deserialize_with = "present"
    )]
    unsupported: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    sub: UserId,
    #[serde(default, deserialize_with = "present")]
    org_id: Option<OrganizationId>,
    #[serde(default, deserialize_with = "role")]
    role: Option<Role>,
    sid: SessionId,
    ver: i32,
    #[serde(default)]
    pv: i32,
    iat: i64,
    exp: i64,
    #[serde(default, deserialize_with = "present")]
    nbf: Option<i64>,
    #[serde(borrow, default, deserialize_with = "present")]
    iss: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    aud: Option<Audience<'a>>,
}

/// A string, copied only when it was written with escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience<'a> {
    #[serde(borrow)]
    One(Text<'a>),
    #[serde(borrow)]
    Several(Vec<Text<'a>>),
}

/// For optional members: unlike serde's default, `null` does not count as absent.
fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// A role as a string; the derived deserializer would also accept `{"admin": null}`.
fn role<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Role>, D::Error> {
    Text::deserialize(deserializer)?
        .0
        .parse()
        .map(Some)
        .map_err(D::Error::custom)
}

/// A `T` from a JSON object with at most `MAX_MEMBERS` members and no duplicate names.
///
/// Derived deserializers alone accept an array for a struct, and duplicates of unknown members.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
        let distinct = Distinct {
            members,
            names: [""; MAX_MEMBERS],
            count: 0,
        };
        T::deserialize(MapAccessDeserializer::new(distinct)).map(Object)
    }
}

/// The members of an object; a duplicate name is an error.
struct Distinct<'de, A> {
    members: A,
    names: [&'de str; MAX_MEMBERS],
    count: usize,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Distinct<'de, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Self::Error> {
        // Borrowed, so a name with escapes is an error. No serious issuer writes such names.
        let Some(name) = self.members.next_key::<&'de str>()? else {
            return Ok(None);
        };
        if self.names.iter().take(self.count).any(|n| *n == name) {
            return Err(A::Error::custom("duplicate member name"));
        }
        let place = self
            .names
            .get_mut(self.count)
            .ok_or_else(|| A::Error::custom("too many members"))?;
        *place = name;
        self.count += 1;
        seed.deserialize(BorrowedStrDeserializer::new(name))
            .map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, Self::Error> {
        self.members.next_value_seed(seed)
    }
}

#[cfg(test)]
#[path = "../../tests/support/bad_tokens.rs"]
mod bad_tokens;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use jsonwebtoken::{Algorithm, DecodingKey, Validation};
    use proptest::prelude::*;
    use ring::signature::EcdsaKeyPair;
    use secrecy::{ExposeSecret, SecretString};
    use serde_json::json;
    use uuid::Uuid;

    use super::bad_tokens::{Key, Signer, Verdict, corpus, good_tokens, key_pair};
    use super::*;
    use crate::crypto::jwt_provider;
    use crate::crypto::keyring::Keyring;
    use crate::crypto::signing_key::{SigningKey, generate};
    use crate::crypto::token_keys::{SecretUse, SigningKeys};
    use crate::domain::PublicKey;

    const NEW: &str = "the newer secret, of at least 32 bytes";
    const OLD: &str = "the older secret, of at least 32 bytes";
    const NOW: i64 = 1_800_000_000;

    const REMEMBERED: usize = 1000;

    fn sign(claims: &Claims, keys: &TokenKeys, rules: &Rules) -> String {
        super::sign(claims, &Extras::default(), keys, rules)
    }

    fn keyring(secrets: &[&str]) -> Keyring {
        let secrets: Vec<SecretString> = secrets.iter().map(|&s| s.into()).collect();
        Keyring::new(&secrets).unwrap()
    }

    /// Keys that sign with the first secret.
    fn shared(secrets: &[&str]) -> TokenKeys {
        TokenKeys::new(keyring(secrets), None, REMEMBERED)
    }

    fn kid(secret: &str) -> String {
        keyring(&[secret]).newest_kid().to_owned()
    }

    /// A P-256 key, as the program holds it and as `ring` does.
    struct Pair {
        ours: SigningKey,
        pair: EcdsaKeyPair,
    }

    impl Pair {
        fn new() -> Self {
            let pem = generate().unwrap();
            let pem = pem.expose_secret();
            Self {
                ours: SigningKey::read_all(pem).remove(0).unwrap(),
                pair: key_pair(pem),
            }
        }

        fn key(&self) -> Key<'_> {
            let signer = Signer::Es256(&self.pair);
            let kid = self.ours.kid();
            Key { kid, signer }
        }
    }

    /// Keys that sign with the first pair, and accept what both secrets have signed.
    fn published(pairs: &[&Pair]) -> TokenKeys {
        with_secrets(pairs, SecretUse::Verifies)
    }

    fn with_secrets(pairs: &[&Pair], secret_use: SecretUse) -> TokenKeys {
        let keys = pairs.iter().map(|pair| pair.ours.clone()).collect();
        let signing = SigningKeys::new(keys, secret_use);
        assert!(signing.is_some());
        TokenKeys::new(keyring(&[NEW, OLD]), signing, REMEMBERED)
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn claims() -> Claims {
        Claims {
            sub: UserId(Uuid::from_u128(1)),
            organization: Some(ActiveOrganization {
                id: OrganizationId(Uuid::from_u128(2)),
                role: Role::Manager,
            }),
            sid: SessionId(Uuid::from_u128(3)),
            ver: 4,
            pv: 5,
            iat: NOW - 60,
            exp: NOW + 600,
        }
    }

    fn strict() -> Rules {
        Rules {
            issuer: Some("https://id.example".into()),
            audience: Some("https://api.example".into()),
        }
    }

    fn wire(rules: &Rules) -> serde_json::Value {
        let claims = claims();
        let mut object = json!({
            "sub": claims.sub, "sid": claims.sid,
            "ver": claims.ver, "pv": claims.pv, "iat": claims.iat, "exp": claims.exp,
        });
        if let Some(organization) = claims.organization {
            object["orgId"] = json!(organization.id);
            object["role"] = json!(organization.role);
        }
        for (name, value) in [("iss", &rules.issuer), ("aud", &rules.audience)] {
            if let Some(value) = value {
                object[name] = json!(value);
            }
        }
        object
    }

    #[test]
    fn every_good_token_is_accepted() {
        let pairs = [Pair::new(), Pair::new()];
        let keys = published(&[&pairs[0], &pairs[1]]);
        let kids = [kid(NEW), kid(OLD)];
        for rules in [Rules::default(), strict()] {
            for key in all(&pairs, &kids) {
                let good = good_tokens(key, &wire(&rules), NOW);
                assert!(good.len() >= 10);
                // The second time, a signature may be remembered.
                for (name, token) in good.iter().chain(&good) {
                    let verified = verify(token, at(NOW), &keys, &rules);
                    let sub = verified.map(|claims| claims.sub);
                    assert_eq!(sub, Ok(claims().sub), "{name}: {token}");
                }
            }
        }
    }

    #[test]
    fn every_bad_token_is_refused() {
        let pairs = [Pair::new(), Pair::new()];
        let keys = published(&[&pairs[0], &pairs[1]]);
        let kids = [kid(NEW), kid(OLD)];
        let all = all(&pairs, &kids);
        for rules in [Rules::default(), strict()] {
            for key in all {
                let others: Vec<Key<'_>> = all
                    .into_iter()
                    .filter(|other| other.kid != key.kid)
                    .collect();
                let bad = corpus(key, &others, wire(&rules), NOW);
                let tokens: HashSet<&str> = bad.iter().map(|bad| bad.token.as_str()).collect();
                assert!(tokens.len() >= 80);
                assert!(bad.iter().filter(|bad| bad.fits_a_header()).count() >= 80);
                for bad in bad.iter().chain(&bad) {
                    let expected = match bad.expected {
                        Verdict::Invalid => TokenError::Invalid,
                        Verdict::Expired => TokenError::Expired,
                    };
                    let verified = verify(&bad.token, at(NOW), &keys, &rules);
                    assert_eq!(verified, Err(expected), "{}: {}", bad.name, bad.token);
                }
            }
        }
    }

    fn all<'a>(pairs: &'a [Pair; 2], kids: &'a [String; 2]) -> [Key<'a>; 4] {
        let [new, old] = [(NEW, &kids[0]), (OLD, &kids[1])].map(|(secret, kid)| Key {
            kid,
            signer: Signer::Hs256(secret.as_bytes()),
        });
        [pairs[0].key(), pairs[1].key(), new, old]
    }

    #[test]
    fn a_token_of_a_secret_is_refused_once_secrets_are_not_accepted() {
        let (pair, rules) = (Pair::new(), Rules::default());
        let [accepting, refusing] = [SecretUse::Verifies, SecretUse::Refused]
            .map(|secret_use| with_secrets(&[&pair], secret_use));
        for secret in [NEW, OLD] {
            let token = sign(&claims(), &shared(&[secret]), &rules);
            assert_eq!(verify(&token, at(NOW), &accepting, &rules), Ok(claims()));
            assert_eq!(
                verify(&token, at(NOW), &refusing, &rules),
                Err(TokenError::Invalid)
            );
            let kid = kid(secret);
            let key = Key {
                kid: &kid,
                signer: Signer::Hs256(secret.as_bytes()),
            };
            for (name, token) in good_tokens(key, &wire(&rules), NOW) {
                let verified = verify(&token, at(NOW), &refusing, &rules);
                assert_eq!(verified, Err(TokenError::Invalid), "{name}: {token}");
            }
        }
        let token = sign(&claims(), &refusing, &rules);
        assert_eq!(verify(&token, at(NOW), &refusing, &rules), Ok(claims()));
    }

    #[test]
    fn a_rotated_signing_key_verifies_until_it_is_removed() {
        let (old, new, rules) = (Pair::new(), Pair::new(), Rules::default());
        let steps = [&[&old][..], &[&old, &new], &[&new, &old], &[&new]].map(published);
        let signed = steps.each_ref().map(|keys| sign(&claims(), keys, &rules));
        for (token, good) in signed.iter().zip([
            [true, true, true, false],
            [true, true, true, false],
            [false, true, true, true],
            [false, true, true, true],
        ]) {
            let verified = steps
                .each_ref()
                .map(|keys| verify(token, at(NOW), keys, &rules).is_ok());
            assert_eq!(verified, good);
        }
    }

    #[test]
    fn a_remembered_signature_spares_no_other_check() {
        let (pair, rules) = (Pair::new(), Rules::default());
        let keys = published(&[&pair]);
        let token = sign(&claims(), &keys, &rules);
        let other = Rules {
            issuer: Some("https://other.example".into()),
            ..Rules::default()
        };
        for _ in 0..2 {
            assert_eq!(verify(&token, at(NOW), &keys, &rules), Ok(claims()));
            assert_eq!(
                verify(&token, at(claims().exp), &keys, &rules),
                Err(TokenError::Expired)
            );
            assert_eq!(
                verify(&token, at(claims().iat - 61), &keys, &rules),
                Err(TokenError::Invalid)
            );
            assert_eq!(
                verify(&token, at(NOW), &keys, &other),
                Err(TokenError::Invalid)
            );
        }
        // Its hash is remembered, and that of another signature of the same payload is not.
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let first = if signature.starts_with('A') { "B" } else { "A" };
        let forged = format!("{signed}.{first}{}", &signature[1..]);
        assert_eq!(
            verify(&forged, at(NOW), &keys, &rules),
            Err(TokenError::Invalid)
        );
    }

    #[test]
    fn a_token_of_a_secret_is_the_same_byte_for_byte() {
        // Computed with Python: HKDF for the kid as in `keyring`, then HMAC-SHA256.
        assert_eq!(
            sign(&claims(), &shared(&[NEW, OLD]), &strict()),
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIsImtpZCI6IkJZVGJGcmk2X2o0In0.\
             eyJzdWIiOiIwMDAwMDAwMC0wMDAwLTAwMDAtMDAwMC0wMDAwMDAwMDAwMDEiLCJvcmdJZCI6IjAwMDAwMDAwLTAwMDAtMDAwMC0wMDAw\
             LTAwMDAwMDAwMDAwMiIsInJvbGUiOiJtYW5hZ2VyIiwiaWF0IjoxNzk5OTk5OTQwLCJleHAiOjE4MDAwMDA2MDAsInNpZCI6IjAwMDAw\
             MDAwLTAwMDAtMDAwMC0wMDAwLTAwMDAwMDAwMDAwMyIsInZlciI6NCwicHYiOjUsImlzcyI6Imh0dHBzOi8vaWQuZXhhbXBsZSIsImF1\
             ZCI6Imh0dHBzOi8vYXBpLmV4YW1wbGUifQ.\
             WSwqjpPW2NY4472xDWKFO98834zXzB1kXRn08Up0usM"
        );
    }

    #[test]
    fn a_token_has_exactly_the_documented_claims() {
        let pair = Pair::new();
        for (keys, alg, kid) in [
            (shared(&[NEW, OLD]), "HS256", kid(NEW)),
            (published(&[&pair]), "ES256", pair.ours.kid().to_owned()),
        ] {
            let token = sign(&claims(), &keys, &Rules::default());
            let parts: Vec<serde_json::Value> = token
                .split('.')
                .take(2)
                .map(|part| BASE64URL_NOPAD.decode(part.as_bytes()).unwrap())
                .map(|part| serde_json::from_slice(&part).unwrap())
                .collect();
            assert_eq!(parts[0], json!({"alg": alg, "typ": "JWT", "kid": kid}));
            assert_eq!(parts[1], wire(&Rules::default()));
        }
    }

    #[test]
    fn configured_issuer_and_audience_are_set_and_required() {
        let ring = shared(&[NEW]);
        let with = sign(&claims(), &ring, &strict());
        let without = sign(&claims(), &ring, &Rules::default());
        assert_eq!(verify(&with, at(NOW), &ring, &strict()), Ok(claims()));
        assert_eq!(
            verify(&without, at(NOW), &ring, &strict()),
            Err(TokenError::Invalid)
        );
        let quoted = Rules {
            issuer: Some("a \"quoted\" name".into()),
            audience: Some("a\\b".into()),
        };
        let token = sign(&claims(), &ring, &quoted);
        assert_eq!(verify(&token, at(NOW), &ring, &quoted), Ok(claims()));
    }

    #[test]
    fn a_token_is_valid_until_the_second_of_its_exp() {
        let ring = shared(&[NEW]);
        let token = sign(&claims(), &ring, &Rules::default());
        let verify_at = |seconds, millis| {
            let now = at(seconds) + chrono::TimeDelta::milliseconds(millis);
            verify(&token, now, &ring, &Rules::default())
        };
        assert_eq!(verify_at(claims().exp - 1, 999), Ok(claims()));
        assert_eq!(verify_at(claims().exp, 0), Err(TokenError::Expired));
        assert_eq!(verify_at(claims().iat - 60, 0), Ok(claims()));
        assert_eq!(verify_at(claims().iat - 61, 999), Err(TokenError::Invalid));
    }

    #[test]
    fn a_token_has_both_claims_of_an_organization_or_neither() {
        let (ring, rules) = (shared(&[NEW]), Rules::default());
        let verified = |without: &[&str]| {
            let mut payload = wire(&rules);
            for name in without {
                payload.as_object_mut().unwrap().remove(*name);
            }
            let json = serde_json::to_vec(&payload).unwrap();
            let key = ring.newest();
            let signed = format!("{}.{}", key.encoded_header(), BASE64URL_NOPAD.encode(&json));
            let token = format!("{signed}.{}", key.sign(&signed));
            verify(&token, at(NOW), &ring, &rules).map(|claims| claims.organization)
        };
        assert_eq!(verified(&[]), Ok(claims().organization));
        assert_eq!(verified(&["orgId", "role"]), Ok(None));
        assert_eq!(verified(&["orgId"]), Err(TokenError::Invalid));
        assert_eq!(verified(&["role"]), Err(TokenError::Invalid));

        let without = Claims {
            organization: None,
            ..claims()
        };
        let token = sign(&without, &ring, &rules);
        assert_eq!(verify(&token, at(NOW), &ring, &rules), Ok(without));
    }

    #[test]
    fn a_rotated_secret_verifies_until_it_is_removed() {
        let rules = Rules::default();
        let (before, during, after) = (shared(&[OLD]), shared(&[NEW, OLD]), shared(&[NEW]));
        let old = sign(&claims(), &before, &rules);
        let new = sign(&claims(), &during, &rules);
        assert_eq!(verify(&old, at(NOW), &during, &rules), Ok(claims()));
        assert_eq!(verify(&new, at(NOW), &during, &rules), Ok(claims()));
        assert_eq!(verify(&new, at(NOW), &after, &rules), Ok(claims()));
        assert_eq!(
            verify(&old, at(NOW), &after, &rules),
            Err(TokenError::Invalid)
        );
        assert_eq!(
            verify(&new, at(NOW), &before, &rules),
            Err(TokenError::Invalid)
        );
    }

    fn any_claims() -> impl Strategy<Value = Claims> {
        let role = prop_oneof![Just(Role::Employee), Just(Role::Manager), Just(Role::Admin)];
        let role = proptest::option::of(role);
        let life = 1..=lifetimes::ACCESS_TOKEN.num_seconds();
        (any::<[u128; 3]>(), role, any::<[i32; 2]>(), 0..=NOW, life).prop_map(
            |([sub, org, sid], role, [ver, pv], iat, life)| Claims {
                sub: UserId(Uuid::from_u128(sub)),
                organization: role.map(|role| ActiveOrganization {
                    id: OrganizationId(Uuid::from_u128(org)),
                    role,
                }),
                sid: SessionId(Uuid::from_u128(sid)),
                ver,
                pv,
                iat,
                exp: iat + life,
            },
        )
    }

    proptest! {
        #[test]
        fn signed_tokens_verify(claims in any_claims(), issuer: Option<String>, audience: Option<String>) {
            let rules = Rules { issuer, audience };
            for keys in [shared(&[NEW]), published(&[&Pair::new()])] {
                let token = sign(&claims, &keys, &rules);
                if token.len() <= MAX_TOKEN {
                    for _ in 0..2 {
                        prop_assert_eq!(verify(&token, at(claims.iat), &keys, &rules), Ok(claims.clone()));
                    }
                }
            }
        }

        #[test]
        fn an_independent_verifier_agrees(claims in any_claims()) {
            jwt_provider::install();
            let pair = Pair::new();
            let PublicKey { x, y, .. } = pair.ours.public();
            let decoding = [
                (shared(&[NEW]), Algorithm::HS256, DecodingKey::from_secret(NEW.as_bytes())),
                (published(&[&pair]), Algorithm::ES256, DecodingKey::from_ec_components(x, y).unwrap()),
            ];
            for (keys, algorithm, key) in decoding {
            let token = sign(&claims, &keys, &strict());
            let mut validation = Validation::new(algorithm);
            validation.validate_exp = false;
            validation.set_issuer(&["https://id.example"]);
            validation.set_audience(&["https://api.example"]);
            let decoded = jsonwebtoken::decode::<serde_json::Value>(&token, &key, &validation).unwrap();
            prop_assert_eq!(&decoded.claims["sub"], &json!(claims.sub));
            prop_assert_eq!(&decoded.claims["exp"], &json!(claims.exp));
            let PublicKey { x, y, .. } = Pair::new().ours.public().clone();
            for other in [
                DecodingKey::from_secret(OLD.as_bytes()),
                DecodingKey::from_ec_components(&x, &y).unwrap(),
            ] {
                prop_assert!(jsonwebtoken::decode::<serde_json::Value>(&token, &other, &validation).is_err());
            }
            }
        }

        #[test]
        fn a_token_with_any_character_changed_is_invalid(
            claims in any_claims(),
            place: prop::sample::Index,
            to in "[A-Za-z0-9_.=-]",
        ) {
            let rules = Rules::default();
            for keys in [shared(&[NEW]), published(&[&Pair::new()])] {
                let token = sign(&claims, &keys, &rules);
                prop_assert!(verify(&token, at(claims.iat), &keys, &rules).is_ok());
                let place = place.index(token.len());
                prop_assume!(token[place..=place] != to);
                let forged = format!("{}{to}{}", &token[..place], &token[place + 1..]);
                prop_assert_eq!(verify(&forged, at(claims.iat), &keys, &rules), Err(TokenError::Invalid));
            }
        }

        #[test]
        fn arbitrary_text_is_not_a_token(
            text in ".{0,300}",
            parts in "[A-Za-z0-9_-]{0,99}\\.[A-Za-z0-9_-]{0,99}\\.[A-Za-z0-9_-]{43}{1,2}",
            signature in any::<[[u8; 32]; 2]>(),
        ) {
            let (keys, rules) = (published(&[&Pair::new()]), Rules::default());
            let header = keys.newest().encoded_header().to_owned();
            let signed = format!("{header}.{}", BASE64URL_NOPAD.encode(&serde_json::to_vec(&wire(&rules)).unwrap()));
            let forged = format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature.concat()));
            for token in [text, parts, forged] {
                prop_assert_eq!(verify(&token, at(NOW), &keys, &rules), Err(TokenError::Invalid));
            }
        }

        #[test]
        fn arbitrary_signed_text_is_not_a_token(header in ".{0,200}", payload in ".{0,200}") {
            let rules = Rules::default();
            for keys in [shared(&[NEW]), published(&[&Pair::new()])] {
                let key = keys.newest();
                for header in [BASE64URL_NOPAD.encode(header.as_bytes()), key.encoded_header().to_owned()] {
                    let signed = format!("{header}.{}", BASE64URL_NOPAD.encode(payload.as_bytes()));
                    let token = format!("{signed}.{}", key.sign(&signed));
                    prop_assert_eq!(verify(&token, at(NOW), &keys, &rules), Err(TokenError::Invalid));
                }
            }
        }
    }

    #[test]
    fn the_last_character_of_a_token_is_canonical() {
        let rules = Rules::default();
        for keys in [shared(&[NEW]), published(&[&Pair::new()])] {
            let token = sign(&claims(), &keys, &rules);
            let (rest, last) = token.split_at(token.len() - 1);
            let accepted: Vec<char> = ('!'..='~')
                .filter(|c| verify(&format!("{rest}{c}"), at(NOW), &keys, &rules).is_ok())
                .collect();
            assert_eq!(accepted, last.chars().collect::<Vec<char>>());
        }
    }
}
