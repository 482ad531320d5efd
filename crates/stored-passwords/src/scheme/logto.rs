//! Logto's passwords, whose `passwordAlgorithm` tells how to read them.
//! <https://docs.logto.io/user-management/user-migration>

use serde_json::Value;

use crate::hash_function::HashFunction;
use crate::primitives::digest::Part;
use crate::refusal::Refusal;

use super::json::json;
use super::phc::{argon2, pbkdf2_of};
use super::reading::Reading;
use super::stored::Stored;
use super::text::{function_named, hex, number};
use super::{bcrypt, digests, firebase};

/// Without an algorithm it is the list of `Legacy`.
pub(super) fn logto(text: &str, stored: &Stored<'_>) -> Result<Reading, Refusal> {
    match stored.algorithm {
        None | Some("Legacy") => legacy(text),
        Some("Argon2i" | "Argon2id" | "Argon2d") => argon2(text),
        Some("Bcrypt") => bcrypt::bcrypt(text),
        Some("MD5") => Ok(digests::plain(HashFunction::Md5, hex(text)?)),
        Some("SHA1") => Ok(digests::plain(HashFunction::Sha1, hex(text)?)),
        Some("SHA256") => Ok(digests::plain(HashFunction::Sha256, hex(text)?)),
        Some(_) => Err(Refusal::Unsupported("this algorithm of Logto")),
    }
}

/// `["sha256", ["salt", "@"], "<hexadecimal>"]`, where `@` is the password.
pub(super) fn legacy(text: &str) -> Result<Reading, Refusal> {
    let malformed = Refusal::Malformed("Logto's legacy form is a list of name, arguments and hash");
    let list = json(text)?;
    let Some(
        [
            Value::String(name),
            Value::Array(arguments),
            Value::String(output),
        ],
    ) = list.as_array().map(Vec::as_slice)
    else {
        return Err(malformed);
    };
    let arguments = arguments
        .iter()
        .map(|argument| argument.as_str().ok_or(malformed.clone()))
        .collect::<Result<Vec<_>, _>>()?;
    match name.as_str() {
        "pbkdf2" => pbkdf2(&arguments, hex(output)?),
        "firebase-scrypt" => firebase::of_logto(&arguments, output),
        name => Ok(digest(function_named(name)?, &arguments, hex(output)?)),
    }
}

/// Salt, iterations, length and digest. The salt is text, unless it says that it is hexadecimal.
fn pbkdf2(arguments: &[&str], output: Vec<u8>) -> Result<Reading, Refusal> {
    let [salt, iterations, length, digest, ..] = arguments else {
        return Err(Refusal::Malformed(
            "an argument of Logto's PBKDF2 is missing",
        ));
    };
    if u32::try_from(output.len()) != Ok(number(length)?) {
        return Err(Refusal::Malformed(
            "the hash has another length than is named",
        ));
    }
    let salt = match salt.strip_prefix("hex:") {
        Some(digits) => hex(digits)?,
        None => salt.as_bytes().to_vec(),
    };
    Ok(pbkdf2_of(
        function_named(digest)?,
        number(iterations)?,
        salt,
        output,
    ))
}

/// The first text of its own is the salt, and others stand in the recipe.
fn digest(function: HashFunction, arguments: &[&str], output: Vec<u8>) -> Reading {
    let salt = arguments.iter().find(|argument| **argument != "@");
    let part = |argument: &&str| match *argument {
        "@" => Part::Password,
        text if Some(&text) == salt => Part::Salt,
        text => Part::Text(text.as_bytes().to_vec()),
    };
    let parts = arguments.iter().map(part).collect();
    let salt = salt.map(|salt| salt.as_bytes().to_vec());
    digests::of(function, parts, salt.unwrap_or_default(), output)
}
