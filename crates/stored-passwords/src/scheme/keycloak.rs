//! Keycloak's credentials: JSON in texts of JSON, and parameters as lists of texts.
//! <https://github.com/keycloak/keycloak/tree/main/server-spi/src/main/java/org/keycloak/models/credential>

use serde_json::Value;

use crate::hash_function::HashFunction;
use crate::kdf::Kdf;
use crate::primitives::argon2::{Argon2, Version};
use crate::refusal::Refusal;

use super::json::{integer, json, optional_text, text};
use super::phc::{pbkdf2_of, variant_of};
use super::reading::Reading;
use super::text::{base64, number};

/// Of the credential of an exported realm; or of the columns `SECRET_DATA` and, as the algorithm, `CREDENTIAL_DATA`.
pub(super) fn keycloak(hash: &str, algorithm: Option<&str>) -> Result<Reading, Refusal> {
    if let Some(credential_data) = algorithm {
        return credential(&json(hash)?, &json(credential_data)?);
    }
    let whole = json(hash)?;
    match optional_text(&whole, "type")? {
        None | Some("password") => {}
        Some(_) => {
            return Err(Refusal::Malformed(
                "a credential of Keycloak is none of a password",
            ));
        }
    }
    credential(
        &inner(&whole, "secretData")?,
        &inner(&whole, "credentialData")?,
    )
}

/// A text of JSON, or the JSON itself.
fn inner(whole: &Value, key: &str) -> Result<Value, Refusal> {
    match whole.get(key) {
        Some(Value::String(text)) => json(text),
        Some(object @ Value::Object(_)) => Ok(object.clone()),
        _ => Err(Refusal::Malformed(
            "a credential has `secretData` and `credentialData`",
        )),
    }
}

/// The length of a hash is that of its value: older realms have 64 bytes whatever the digest.
fn credential(secret: &Value, data: &Value) -> Result<Reading, Refusal> {
    let (salt, output) = (
        base64(text(secret, "salt")?)?,
        base64(text(secret, "value")?)?,
    );
    let iterations = integer(data, "hashIterations")?;
    let function = match text(data, "algorithm")? {
        "argon2" => {
            let kdf = argon2(iterations, salt, data.get("additionalParameters"))?;
            return Ok(Reading::new(Kdf::Argon2(kdf), output));
        }
        "pbkdf2" => HashFunction::Sha1,
        "pbkdf2-sha256" => HashFunction::Sha256,
        "pbkdf2-sha512" => HashFunction::Sha512,
        _ => {
            return Err(Refusal::Unsupported(
                "an algorithm that an extension added to Keycloak",
            ));
        }
    };
    Ok(pbkdf2_of(function, iterations, salt, output))
}

fn argon2(passes: u32, salt: Vec<u8>, parameters: Option<&Value>) -> Result<Argon2, Refusal> {
    let parameter = |name: &str| {
        let value = parameters.and_then(|parameters| parameters.get(name));
        value.and_then(first_text).ok_or(Refusal::Malformed(
            "a parameter of Keycloak's argon2 is missing",
        ))
    };
    let version = match parameter("version")? {
        "1.0" => Version::V10,
        "1.3" => Version::V13,
        _ => return Err(Refusal::Malformed("argon2 has the versions 1.0 and 1.3")),
    };
    Ok(Argon2 {
        variant: variant_of(parameter("type")?)?,
        version,
        memory: number(parameter("memory")?)?,
        passes,
        lanes: number(parameter("parallelism")?)?,
        salt,
    })
}

fn first_text(value: &Value) -> Option<&str> {
    match value {
        Value::Array(values) if values.len() == 1 => values.first()?.as_str(),
        _ => value.as_str(),
    }
}
