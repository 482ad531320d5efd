//! OpenID Connect ID tokens, valid or with a flaw on demand.

use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64URL_NOPAD;
use ring::hmac;
use serde_json::{Map, Value, json};

use super::fault::Flaw;
use super::flow::{EMAIL, PROFILE};
use super::keys::SigningKey;
use super::persona::Persona;
use super::state::Grant;
use super::{CLIENT_ID, CLIENT_SECRET};

const ISSUER: &str = "https://slack.com";

const LIFETIME: TimeDelta = TimeDelta::minutes(5);

/// An ID token for `persona` with the scopes of `grant`, issued at `now`.
pub(super) fn id_token(
    key: &SigningKey,
    persona: &Persona,
    grant: &Grant,
    now: DateTime<Utc>,
    flaw: Option<Flaw>,
) -> String {
    let has = |wrong| flaw == Some(wrong);
    let audience = if has(Flaw::WrongAudience) {
        "9999999999.0000000000"
    } else {
        CLIENT_ID
    };
    let issuer = if has(Flaw::WrongIssuer) {
        "https://slack.example"
    } else {
        ISSUER
    };
    let nonce = if has(Flaw::WrongNonce) {
        "of another sign-in"
    } else {
        &grant.nonce
    };
    let issued_at = if has(Flaw::Expired) {
        now - TimeDelta::hours(1)
    } else {
        now
    };
    let kid = if has(Flaw::UnknownKid) {
        "of-another-key"
    } else {
        key.id()
    };
    let algorithm = match flaw {
        Some(Flaw::AlgNone) => "none",
        Some(Flaw::Hs256) => "HS256",
        _ => "RS256",
    };

    let mut claims = json!({
        "iss": issuer,
        "sub": persona.user_id,
        "aud": audience,
        "exp": (issued_at + LIFETIME).timestamp(),
        "iat": issued_at.timestamp(),
        "nonce": nonce,
    });
    if let Some(claims) = claims.as_object_mut() {
        claims.extend(about(persona, &grant.scopes));
    }
    let header = json!({"alg": algorithm, "typ": "JWT", "kid": kid});
    let signed = format!("{}.{}", part(&header), part(&claims));
    let signature = match flaw {
        Some(Flaw::AlgNone) => Vec::new(),
        Some(Flaw::Hs256) => {
            let secret = hmac::Key::new(hmac::HMAC_SHA256, CLIENT_SECRET.as_bytes());
            hmac::sign(&secret, signed.as_bytes()).as_ref().to_vec()
        }
        Some(Flaw::BadSignature) => key.sign(b"something else"),
        _ => key.sign(signed.as_bytes()),
    };
    format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
}

/// The claims about a user, which `openid.connect.userInfo` also returns.
pub(super) fn about(persona: &Persona, scopes: &[String]) -> Map<String, Value> {
    let covers = |scope| scopes.iter().any(|granted| granted == scope);
    let mut claims = Map::new();
    let mut claim = |name: &str, value: Value| {
        claims.insert(name.to_owned(), value);
    };
    claim("https://slack.com/user_id", persona.user_id.into());
    claim(
        "https://slack.com/team_id",
        persona.workspace.team_id.into(),
    );
    if let Some(enterprise) = persona.workspace.enterprise {
        claim("https://slack.com/enterprise_id", enterprise.id.into());
    }
    if covers(EMAIL) {
        if let Some(email) = persona.email {
            claim("email", email.into());
        }
        claim("email_verified", persona.is_email_confirmed.into());
    }
    if covers(PROFILE) {
        claim("name", persona.name.into());
        // Slack leaves them empty if the user did not set them.
        claim("given_name", "".into());
        claim("family_name", "".into());
    }
    claims
}

fn part(json: &Value) -> String {
    BASE64URL_NOPAD.encode(json.to_string().as_bytes())
}
