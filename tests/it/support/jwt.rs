//! Tokens as another service handles them: decoded, and signed with the shared secret alone.

use data_encoding::BASE64URL_NOPAD;
use hallpass::crypto::signing_key::{SigningKey, generate};
use hallpass::crypto::token_keys::{SecretUse, SigningKeys};
use ring::hmac;
use secrecy::ExposeSecret as _;
use serde_json::Value;

use super::{Db, TestApp};

/// The header and the claims of a token.
pub fn parts(token: &str) -> (Value, Value) {
    let mut parts = token
        .split('.')
        .map(|part| BASE64URL_NOPAD.decode(part.as_bytes()).unwrap());
    let mut json = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
    (json(), json())
}

pub fn header(token: &str) -> Value {
    parts(token).0
}

pub fn claims(token: &str) -> Value {
    parts(token).1
}

/// A correctly signed token with these claims.
pub fn sign(header: &Value, claims: &Value, secret: &str) -> String {
    let encode = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let input = format!("{}.{}", encode(header), encode(claims));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let mac = hmac::sign(&key, input.as_bytes());
    format!("{input}.{}", BASE64URL_NOPAD.encode(mac.as_ref()))
}

/// The token with some claims replaced, signed with the same secret.
pub fn altered(token: &str, secret: &str, change: impl FnOnce(&mut Value)) -> String {
    let (header, mut claims) = parts(token);
    change(&mut claims);
    sign(&header, &claims, secret)
}

/// A new signing key, as PEM.
pub fn new_signing_key() -> String {
    generate().unwrap().expose_secret().to_owned()
}

/// Signing keys as the settings give them, newest first.
pub fn signing(pems: &[&str], secret_use: SecretUse) -> Option<SigningKeys> {
    let keys = SigningKey::read_all(&pems.concat());
    let keys = keys.into_iter().collect::<Result<_, _>>().unwrap();
    SigningKeys::new(keys, secret_use)
}

/// The key id that the program gives to a secret, read from a token signed with it.
pub async fn kid_of(secret: &str) -> String {
    let app = TestApp::configured(Db::sqlite(), |config| {
        config.tokens.secrets = vec![secret.into()];
    })
    .await;
    let ada = app.signs_up("Acme", "ada@acme.example").await;
    header(&ada.token)["kid"].as_str().unwrap().to_owned()
}
