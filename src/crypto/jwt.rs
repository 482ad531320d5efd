//! Access tokens: JSON Web Tokens (RFC 7519) signed with HS256.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use data_encoding::BASE64URL_NOPAD;
use ring::hmac;
use serde::de::value::{BorrowedStrDeserializer, MapAccessDeserializer};
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::jwt_provider;
use super::keyring::{Key, Keyring};
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
/// HMAC-SHA256, in bytes and in base64.
const MAC: usize = 32;
const MAC_CHARS: usize = 43;
/// In a header or a payload. Ours have three and up to ten.
const MAX_MEMBERS: usize = 32;
/// How many seconds the clock of the signing instance may be ahead.
const CLOCK_SKEW: i64 = 60;

/// Signs with the keyring's newest key.
pub fn sign(claims: &Claims, keyring: &Keyring, rules: &Rules) -> String {
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
    }

    jwt_provider::install();
    let key = keyring.newest();
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
    };
    #[expect(
        clippy::expect_used,
        reason = "strings and integers always serialise, and the provider supports HS256"
    )]
    jsonwebtoken::encode(&key.header, &payload, &key.signs).expect("HS256 signs every payload")
}

/// Verifies a token without leeway: it is expired if `exp <= now`, and `nbf`, which ours do not have, is exact.
///
/// # Errors
/// `Expired` if the token is valid except for its expiry, otherwise `Invalid`.
pub fn verify(
    token: &str,
    now: DateTime<Utc>,
    keyring: &Keyring,
    rules: &Rules,
) -> Result<Claims, TokenError> {
    if token.len() > MAX_TOKEN {
        return Err(TokenError::Invalid);
    }
    let (signed, mac) = token.rsplit_once('.').ok_or(TokenError::Invalid)?;
    // With more than three parts the payload contains a dot, which the decoder rejects.
    let (header, payload) = signed.split_once('.').ok_or(TokenError::Invalid)?;

    let key = key_for(header, keyring).ok_or(TokenError::Invalid)?;
    check_mac(signed, mac, key).ok_or(TokenError::Invalid)?;
    read_payload(payload, now, rules)
}

fn key_for<'a>(encoded: &str, keyring: &'a Keyring) -> Option<&'a Key> {
    if let Some(key) = keyring.iter().find(|key| key.encoded_header == encoded) {
        return Some(key);
    }
    let mut buffer = [0; MAX_PART];
    let header: Header = parse(encoded, &mut buffer)?;
    let is_supported = header.alg.0 == "HS256"
        && header.typ.is_none_or(|typ| typ.0 == "JWT")
        && header.unsupported.is_none();
    if !is_supported {
        return None;
    }
    keyring.iter().find(|key| key.kid == header.kid.0)
}

fn check_mac(signed: &str, mac: &str, key: &Key) -> Option<()> {
    if mac.len() != MAC_CHARS {
        return None;
    }
    let mut bytes = [0; MAC];
    BASE64URL_NOPAD
        .decode_mut(mac.as_bytes(), &mut bytes)
        .ok()?;
    hmac::verify(&key.verifies, signed.as_bytes(), &bytes).ok()
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
    use secrecy::SecretString;
    use serde_json::json;
    use uuid::Uuid;

    use super::bad_tokens::{Verdict, corpus, good_tokens};
    use super::*;

    const NEW: &str = "the newer secret, of at least 32 bytes";
    const OLD: &str = "the older secret, of at least 32 bytes";
    const NOW: i64 = 1_800_000_000;

    fn keyring(secrets: &[&str]) -> Keyring {
        let secrets: Vec<SecretString> = secrets.iter().map(|&s| s.into()).collect();
        Keyring::new(&secrets).unwrap()
    }

    fn kid(secret: &str) -> String {
        keyring(&[secret]).newest().kid.clone()
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
        let ring = keyring(&[NEW, OLD]);
        for rules in [Rules::default(), strict()] {
            for secret in [NEW, OLD] {
                let good = good_tokens(secret.as_bytes(), &kid(secret), &wire(&rules), NOW);
                assert!(good.len() >= 10);
                for (name, token) in good {
                    let verified = verify(&token, at(NOW), &ring, &rules);
                    let sub = verified.map(|claims| claims.sub);
                    assert_eq!(sub, Ok(claims().sub), "{name}: {token}");
                }
            }
        }
    }

    #[test]
    fn every_bad_token_is_refused() {
        let ring = keyring(&[NEW, OLD]);
        let (new, old) = (NEW.as_bytes(), OLD.as_bytes());
        for rules in [Rules::default(), strict()] {
            let bad = corpus(new, &kid(NEW), (old, &kid(OLD)), wire(&rules), NOW);
            let tokens: HashSet<&str> = bad.iter().map(|bad| bad.token.as_str()).collect();
            assert!(tokens.len() >= 80);
            assert!(bad.iter().filter(|bad| bad.fits_a_header()).count() >= 80);
            for bad in &bad {
                let expected = match bad.expected {
                    Verdict::Invalid => TokenError::Invalid,
                    Verdict::Expired => TokenError::Expired,
                };
                let verified = verify(&bad.token, at(NOW), &ring, &rules);
                assert_eq!(verified, Err(expected), "{}: {}", bad.name, bad.token);
            }
        }
    }

    #[test]
    fn a_token_has_exactly_the_documented_claims() {
        let token = sign(&claims(), &keyring(&[NEW, OLD]), &Rules::default());
        let parts: Vec<serde_json::Value> = token
            .split('.')
            .take(2)
            .map(|part| BASE64URL_NOPAD.decode(part.as_bytes()).unwrap())
            .map(|part| serde_json::from_slice(&part).unwrap())
            .collect();
        assert_eq!(
            parts[0],
            json!({"alg": "HS256", "typ": "JWT", "kid": kid(NEW)})
        );
        assert_eq!(parts[1], wire(&Rules::default()));
    }

    #[test]
    fn configured_issuer_and_audience_are_set_and_required() {
        let ring = keyring(&[NEW]);
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
        let ring = keyring(&[NEW]);
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
        let (ring, rules) = (keyring(&[NEW]), Rules::default());
        let verified = |without: &[&str]| {
            let mut payload = wire(&rules);
            for name in without {
                payload.as_object_mut().unwrap().remove(*name);
            }
            let header = jsonwebtoken::Header::new(Algorithm::HS256);
            let header = jsonwebtoken::Header {
                kid: Some(kid(NEW)),
                ..header
            };
            let key = jsonwebtoken::EncodingKey::from_secret(NEW.as_bytes());
            let token = jsonwebtoken::encode(&header, &payload, &key).unwrap();
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
        let (before, during, after) = (keyring(&[OLD]), keyring(&[NEW, OLD]), keyring(&[NEW]));
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
            let (ring, rules) = (keyring(&[NEW]), Rules { issuer, audience });
            let token = sign(&claims, &ring, &rules);
            if token.len() <= MAX_TOKEN {
                prop_assert_eq!(verify(&token, at(claims.iat), &ring, &rules), Ok(claims));
            }
        }

        #[test]
        fn an_independent_verifier_agrees(claims in any_claims()) {
            let token = sign(&claims, &keyring(&[NEW]), &strict());
            let mut validation = Validation::new(Algorithm::HS256);
            validation.validate_exp = false;
            validation.set_issuer(&["https://id.example"]);
            validation.set_audience(&["https://api.example"]);
            let key = DecodingKey::from_secret(NEW.as_bytes());
            let decoded = jsonwebtoken::decode::<serde_json::Value>(&token, &key, &validation).unwrap();
            prop_assert_eq!(&decoded.claims["sub"], &json!(claims.sub));
            prop_assert_eq!(&decoded.claims["exp"], &json!(claims.exp));
            let other = DecodingKey::from_secret(OLD.as_bytes());
            prop_assert!(jsonwebtoken::decode::<serde_json::Value>(&token, &other, &validation).is_err());
        }

        #[test]
        fn a_token_with_any_character_changed_is_invalid(
            claims in any_claims(),
            place: prop::sample::Index,
            to in "[A-Za-z0-9_.=-]",
        ) {
            let (ring, rules) = (keyring(&[NEW]), Rules::default());
            let token = sign(&claims, &ring, &rules);
            let place = place.index(token.len());
            prop_assume!(token[place..=place] != to);
            let forged = format!("{}{to}{}", &token[..place], &token[place + 1..]);
            prop_assert_eq!(verify(&forged, at(claims.iat), &ring, &rules), Err(TokenError::Invalid));
        }

        #[test]
        fn arbitrary_text_is_not_a_token(
            text in ".{0,300}",
            parts in "[A-Za-z0-9_-]{0,99}\\.[A-Za-z0-9_-]{0,99}\\.[A-Za-z0-9_-]{43}",
        ) {
            let (ring, rules) = (keyring(&[NEW]), Rules::default());
            prop_assert_eq!(verify(&text, at(NOW), &ring, &rules), Err(TokenError::Invalid));
            prop_assert_eq!(verify(&parts, at(NOW), &ring, &rules), Err(TokenError::Invalid));
        }

        #[test]
        fn arbitrary_signed_text_is_not_a_token(header in ".{0,200}", payload in ".{0,200}") {
            let (ring, rules) = (keyring(&[NEW]), Rules::default());
            let key = ring.newest();
            for header in [BASE64URL_NOPAD.encode(header.as_bytes()), key.encoded_header.clone()] {
                let signed = format!("{header}.{}", BASE64URL_NOPAD.encode(payload.as_bytes()));
                let mac = BASE64URL_NOPAD.encode(hmac::sign(&key.verifies, signed.as_bytes()).as_ref());
                let token = format!("{signed}.{mac}");
                prop_assert_eq!(verify(&token, at(NOW), &ring, &rules), Err(TokenError::Invalid));
            }
        }
    }

    #[test]
    fn the_last_character_of_a_token_is_canonical() {
        let (ring, rules) = (keyring(&[NEW]), Rules::default());
        let token = sign(&claims(), &ring, &rules);
        let (rest, last) = token.split_at(token.len() - 1);
        let accepted: Vec<char> = ('!'..='~')
            .filter(|c| verify(&format!("{rest}{c}"), at(NOW), &ring, &rules).is_ok())
            .collect();
        assert_eq!(accepted, last.chars().collect::<Vec<char>>());
    }
}
