//! Session tokens of the system that was here before, read with its secret.
//!
//! Each format is what its package makes, checked with tokens of the real ones (`tests/legacy-sessions/make.mjs`). What
//! is not as the package would have made it is no token of its.

mod claims;
mod jwe;
mod jws;
mod signed_id;

use chrono::{DateTime, Utc};
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};

use super::opaque::OpaqueHash;
use claims::Payload;
use jwe::DerivedKeys;

/// How the earlier system wrote its session tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// NextAuth 4: an encrypted JWT (`dir`, A256GCM), or the token of a session in its database.
    NextAuth,
    /// Auth.js 5: an encrypted JWT (`dir`, A256CBC-HS512) whose key depends on the cookie's name, or the token of a session
    /// in its database.
    AuthJs,
    /// better-auth: the token of a session in its database, signed.
    BetterAuth,
    /// express-session and connect: the id of a session in their store, signed.
    Express,
    /// Supabase Auth: a JWT of a person who signed in.
    Supabase,
    /// A JWT of the application's own, or of a provider whose public keys are known.
    Jwt,
}

impl Format {
    /// With the names that settings and imports use.
    pub const ALL: [(&'static str, Self); 6] = [
        ("nextauth", Self::NextAuth),
        ("authjs", Self::AuthJs),
        ("better-auth", Self::BetterAuth),
        ("express", Self::Express),
        ("supabase", Self::Supabase),
        ("jwt", Self::Jwt),
    ];

    /// The cookie's name unless the application chose another one; `None` if there is no usual one.
    fn cookie(self) -> Option<&'static str> {
        match self {
            Self::NextAuth => Some("next-auth.session-token"),
            Self::AuthJs => Some("authjs.session-token"),
            Self::BetterAuth => Some("better-auth.session_token"),
            Self::Express => Some("connect.sid"),
            Self::Supabase | Self::Jwt => None,
        }
    }
}

/// A token that the earlier system did issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegacyToken {
    /// The same for each form in which the token can be written.
    pub hash: OpaqueHash,
    /// `None` if the earlier system stored what the session is, so that only an import can tell.
    pub claims: Option<LegacyClaims>,
}

/// What a token says of its session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegacyClaims {
    /// The person's id in the earlier system.
    pub subject: String,
    pub issued_at: DateTime<Utc>,
    /// Perhaps in the past.
    pub expires_at: DateTime<Utc>,
}

/// Reads the tokens of one system.
pub struct Reader {
    format: Format,
    cookies: Vec<String>,
    /// For each secret and, where the key depends on it, each cookie.
    derived: Vec<DerivedKeys>,
    /// For each secret, of signed ids.
    macs: Vec<hmac::Key>,
    /// Of signed JWTs.
    keys: Vec<jws::Key>,
    /// The `iss` that they must have, if any.
    issuer: Option<String>,
}

impl Reader {
    /// With the secrets of the earlier system, and the name of its cookie if it was not the usual one.
    pub fn new(format: Format, secrets: &[SecretString], cookie: Option<&str>) -> Self {
        let name = cookie.or(format.cookie());
        let cookies: Vec<String> = name.map(with_prefix).into_iter().flatten().collect();
        let secrets = || secrets.iter().map(|it| it.expose_secret().as_bytes());
        let mac = |secret| hmac::Key::new(hmac::HMAC_SHA256, secret);
        let (mut derived, mut macs, mut keys) = (vec![], vec![], vec![]);
        match format {
            Format::NextAuth => derived = secrets().map(DerivedKeys::of_next_auth).collect(),
            Format::AuthJs => {
                let of = |secret| {
                    let with = move |cookie: &String| DerivedKeys::of_auth_js(secret, cookie);
                    cookies.iter().map(with)
                };
                derived = secrets().flat_map(of).collect();
            }
            Format::BetterAuth | Format::Express => macs = secrets().map(mac).collect(),
            Format::Supabase | Format::Jwt => {
                keys = secrets().flat_map(signing_keys).collect();
            }
        }
        Self {
            format,
            cookies,
            derived,
            macs,
            keys,
            issuer: None,
        }
    }

    /// Reads only JWTs of this issuer. Public keys may be those of many applications, so that nothing else tells whose
    /// people a token is about.
    #[must_use]
    pub fn of_issuer(self, issuer: Option<String>) -> Self {
        Self { issuer, ..self }
    }

    /// The names of the cookies that may have a token, the one of https first.
    pub fn cookies(&self) -> &[String] {
        &self.cookies
    }

    /// Reads a token, which came in a cookie of this name, or in none; `None` unless the earlier system has issued it.
    /// That it has expired is the caller's to see: the package's 15 seconds of tolerance count for clocks that were
    /// ahead only.
    pub fn read(
        &self,
        token: &str,
        cookie: Option<&str>,
        now: DateTime<Utc>,
    ) -> Option<LegacyToken> {
        match self.format {
            Format::NextAuth | Format::AuthJs if !token.contains('.') => stored(token),
            Format::NextAuth | Format::AuthJs => {
                let keys = self.derived.iter().filter(|keys| keys.fit(cookie));
                let payload = jwe::open(token, keys)?;
                told(token, &Payload::parse(&payload)?, now)
            }
            Format::BetterAuth => stored(&signed_id::of_better_auth(token, &self.macs)?),
            Format::Express => stored(&signed_id::of_express(token, &self.macs)?),
            Format::Supabase => {
                let (signed, payload) = self.open_jws(token)?;
                payload.is_of_a_person_at_supabase().then_some(())?;
                told(signed, &payload, now)
            }
            Format::Jwt => {
                let (signed, payload) = self.open_jws(token)?;
                told(signed, &payload, now)
            }
        }
    }

    fn open_jws<'a>(&self, token: &'a str) -> Option<(&'a str, Payload)> {
        let (signed, payload) = jws::open(token, &self.keys)?;
        let payload = Payload::parse(&payload)?;
        let is_theirs = match &self.issuer {
            None => true,
            Some(issuer) => payload.is_by(issuer),
        };
        is_theirs.then_some((signed, payload))
    }
}

/// Whether a setting holds public keys instead of a secret: a JWK Set with a key that is understood.
pub fn is_key_set(text: &str) -> bool {
    jws::Key::of_set(text).is_some_and(|keys| !keys.is_empty())
}

/// The keys of a JWK Set, or else the text itself as a secret.
fn signing_keys(secret: &[u8]) -> Vec<jws::Key> {
    let set = std::str::from_utf8(secret).ok().and_then(jws::Key::of_set);
    set.unwrap_or_else(|| vec![jws::Key::of_secret(secret)])
}

/// How the token of a stored session is found again: an import knows it by this hash.
pub fn hash_of_stored(token: &str) -> OpaqueHash {
    OpaqueHash::of(token)
}

fn stored(token: &str) -> Option<LegacyToken> {
    (!token.is_empty()).then(|| LegacyToken {
        hash: hash_of_stored(token),
        claims: None,
    })
}

fn told(identity: &str, payload: &Payload, now: DateTime<Utc>) -> Option<LegacyToken> {
    Some(LegacyToken {
        hash: OpaqueHash::of(identity),
        claims: Some(payload.claims(now)?),
    })
}

/// A cookie's name as it is under https and without.
fn with_prefix(name: &str) -> [String; 2] {
    let plain = name.strip_prefix("__Secure-").unwrap_or(name);
    [format!("__Secure-{plain}"), plain.to_owned()]
}

#[cfg(test)]
mod tests;
