//! Tokens for users and sessions that were inserted with SQL, made from one that the server has signed.

use data_encoding::BASE64URL_NOPAD;
use ring::hmac;
use serde_json::Value;

use super::{Result, SECRET};

/// Signs what a token says, with another user or session.
pub struct Signer {
    header: String,
    claims: Value,
    key: hmac::Key,
}

impl Signer {
    /// From a token that the server has signed.
    pub fn of(token: &str) -> Result<Self> {
        let mut parts = token.split('.');
        let header = parts.next().ok_or("no header")?.to_owned();
        let claims = BASE64URL_NOPAD.decode(parts.next().ok_or("no claims")?.as_bytes())?;
        Ok(Self {
            header,
            claims: serde_json::from_slice(&claims)?,
            key: hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()),
        })
    }

    pub fn claim(&self, name: &str) -> Result<String> {
        super::population::text(&self.claims[name])
    }

    pub fn sign(&self, user_id: &str, session_id: &str) -> String {
        let mut claims = self.claims.clone();
        claims["sub"] = user_id.into();
        claims["sid"] = session_id.into();
        let claims = BASE64URL_NOPAD.encode(claims.to_string().as_bytes());
        let input = format!("{}.{claims}", self.header);
        let mac = hmac::sign(&self.key, input.as_bytes());
        format!("{input}.{}", BASE64URL_NOPAD.encode(mac.as_ref()))
    }
}
