//! Auth0: bcrypt in an export, and `custom_password_hash` in a file for its import.
//! <https://auth0.com/docs/manage-users/user-migration/bulk-user-import-database-schema-and-examples>

use serde_json::Value;

use crate::hash_function::HashFunction;
use crate::kdf::Kdf;
use crate::primitives::scrypt::Scrypt;
use crate::refusal::Refusal;

use super::json::{integer, json, optional_text, text};
use super::reading::Reading;
use super::text::{base64_of_either_alphabet, function_named, hex};
use super::{bcrypt, braces, digests, phc};

/// The text of bcrypt, or the JSON of `custom_password_hash`.
pub(super) fn auth0(stored: &str) -> Result<Reading, Refusal> {
    if !stored.starts_with('{') {
        return bcrypt::bcrypt(stored);
    }
    let custom = json(stored)?;
    let hash = member(&custom, "hash")?;
    is_utf8(custom.get("password"))?;
    match text(&custom, "algorithm")? {
        "bcrypt" => bcrypt::bcrypt(text(hash, "value")?),
        "argon2" => phc::argon2(text(hash, "value")?),
        "pbkdf2" => phc::pbkdf2(text(hash, "value")?),
        "ldap" => braces::braces(text(hash, "value")?),
        "hmac" => hmac(&custom, hash),
        "scrypt" => scrypt(&custom, hash),
        name => digest(function_named(name)?, &custom, hash),
    }
}

/// Whether JSON is such an object.
pub(super) fn is_custom(object: &Value) -> bool {
    object.get("algorithm").is_some() && object.get("hash").is_some()
}

fn member<'a>(object: &'a Value, key: &str) -> Result<&'a Value, Refusal> {
    object
        .get(key)
        .ok_or(Refusal::Malformed("a member of the JSON is missing"))
}

fn is_utf8(password: Option<&Value>) -> Result<(), Refusal> {
    let encoding = password.map(|password| optional_text(password, "encoding"));
    match encoding.transpose()?.flatten() {
        None | Some("utf8") => Ok(()),
        Some(_) => Err(Refusal::Unsupported(
            "a hash of another encoding than UTF-8",
        )),
    }
}

/// A value in the encoding that stands beside it.
fn decoded(object: &Value, default: &str) -> Result<Vec<u8>, Refusal> {
    let value = text(object, "value")?;
    match optional_text(object, "encoding")?.unwrap_or(default) {
        "hex" => hex(value),
        "base64" => base64_of_either_alphabet(value),
        "utf8" => Ok(value.as_bytes().to_vec()),
        _ => Err(Refusal::Malformed(
            "Auth0 has the encodings hex, base64 and utf8",
        )),
    }
}

/// A hash in its encoding; a digest as text is none.
fn output(hash: &Value) -> Result<Vec<u8>, Refusal> {
    match optional_text(hash, "encoding")? {
        Some("hex" | "base64") => decoded(hash, "hex"),
        _ => Err(Refusal::Malformed(
            "the encoding of Auth0's hash is hex or base64",
        )),
    }
}

fn digest(function: HashFunction, custom: &Value, hash: &Value) -> Result<Reading, Refusal> {
    let output = output(hash)?;
    let Some(salt) = custom.get("salt").filter(|salt| !salt.is_null()) else {
        return Ok(digests::plain(function, output));
    };
    let bytes = decoded(salt, "utf8")?;
    match optional_text(salt, "position")? {
        None | Some("prefix") => Ok(digests::salt_first(function, &bytes, output)),
        Some("suffix") => Ok(digests::salt_last(function, &bytes, output)),
        Some(_) => Err(Refusal::Malformed(
            "the position of a salt is prefix or suffix",
        )),
    }
}

fn hmac(custom: &Value, hash: &Value) -> Result<Reading, Refusal> {
    if custom.get("salt").is_some_and(|salt| !salt.is_null()) {
        return Err(Refusal::Unsupported("an HMAC with a salt beside its key"));
    }
    let function = function_named(text(hash, "digest")?)?;
    let key = decoded(member(hash, "key")?, "utf8")?;
    Ok(digests::hmac(function, &key, output(hash)?))
}

fn scrypt(custom: &Value, hash: &Value) -> Result<Reading, Refusal> {
    let output = output(hash)?;
    if u32::try_from(output.len()) != Ok(integer(hash, "keylen")?) {
        return Err(Refusal::Malformed(
            "the hash has another length than is named",
        ));
    }
    let n = integer(hash, "cost")?;
    let kdf = Scrypt {
        log_n: super::text::log_of(&n.to_string())?,
        r: integer(hash, "blockSize")?,
        p: integer(hash, "parallelization")?,
        salt: decoded(member(custom, "salt")?, "utf8")?,
    };
    Ok(Reading::new(Kdf::Scrypt(kdf), output))
}
