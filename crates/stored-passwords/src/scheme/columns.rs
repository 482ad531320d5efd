//! Systems that keep the hash, the salt and the algorithm in columns of their own.

use crate::hash_function::HashFunction;
use crate::kdf::Kdf;
use crate::primitives::argon2::{Argon2, Variant, Version};
use crate::primitives::scrypt::Scrypt;
use crate::refusal::Refusal;

use super::bcrypt::bcrypt;
use super::phc::pbkdf2_of;
use super::reading::Reading;
use super::stored::Stored;
use super::text::{fields, hex, log_of, number};

fn salt<'a>(stored: &Stored<'a>) -> Result<&'a str, Refusal> {
    stored
        .salt
        .ok_or(Refusal::Missing("the column with the salt"))
}

/// Payload's `pbkdf2-sha256-v1:<64 digits>`, or before 3.9x 1,024 digits alone. The salt is used as text.
/// <https://github.com/payloadcms/payload/tree/main/packages/payload/src/auth/strategies/local>
pub(super) fn payload(text: &str, stored: &Stored<'_>) -> Result<Reading, Refusal> {
    let (iterations, length, output) = match text.strip_prefix(PAYLOAD) {
        Some(output) => (600_000, 32, hex(output)?),
        None => (25_000, 512, hex(text)?),
    };
    if output.len() != length {
        return Err(Refusal::Malformed(
            "Payload's hashes have 32 or, before, 512 bytes",
        ));
    }
    let salt = salt(stored)?.as_bytes().to_vec();
    Ok(pbkdf2_of(HashFunction::Sha256, iterations, salt, output))
}

pub(super) const PAYLOAD: &str = "pbkdf2-sha256-v1:";

/// Discourse: hexadecimal, the salt as text, and `$pbkdf2-sha256$i=64000,l=32$` as the algorithm.
/// <https://github.com/discourse/discourse/blob/main/lib/password_hasher.rb>
pub(super) fn discourse(text: &str, stored: &Stored<'_>) -> Result<Reading, Refusal> {
    let algorithm = stored.algorithm.ok_or(Refusal::Missing(
        "the column with the algorithm, `password_algorithm`",
    ))?;
    // The `$` at both ends can be left out.
    let algorithm = algorithm.strip_prefix('$').unwrap_or(algorithm);
    let algorithm = algorithm.strip_suffix('$').unwrap_or(algorithm);
    let costs = algorithm
        .strip_prefix("pbkdf2-sha256$")
        .ok_or(Refusal::Malformed(
            "Discourse's algorithm is `$pbkdf2-sha256$…$`",
        ))?;
    let [iterations, length] = super::text::numbers(costs, ["i", "l"])?;
    let output = hex(text)?;
    has_length(&output, length)?;
    let salt = salt(stored)?.as_bytes().to_vec();
    Ok(pbkdf2_of(HashFunction::Sha256, iterations, salt, output))
}

/// Grafana: 50 bytes in hexadecimal, 10,000 iterations, the salt as text.
/// <https://github.com/grafana/grafana/blob/main/pkg/util/encoding.go>
pub(super) fn grafana(text: &str, stored: &Stored<'_>) -> Result<Reading, Refusal> {
    let output = hex(text)?;
    has_length(&output, 50)?;
    let salt = salt(stored)?.as_bytes().to_vec();
    Ok(pbkdf2_of(HashFunction::Sha256, 10_000, salt, output))
}

/// Gitea: hexadecimal, and `pbkdf2$50000$50` or the like as the algorithm, whose numbers older rows leave out.
/// <https://github.com/go-gitea/gitea/tree/main/modules/auth/password/hash>
pub(super) fn gitea(text: &str, stored: &Stored<'_>) -> Result<Reading, Refusal> {
    let algorithm = stored.algorithm.ok_or(Refusal::Missing(
        "the column with the algorithm, `passwd_hash_algo`",
    ))?;
    let algorithm = match algorithm {
        "" | "pbkdf2" => "pbkdf2$10000$50",
        "argon2" => "argon2$2$65536$8$50",
        "scrypt" => "scrypt$65536$16$2$50",
        _ => algorithm,
    };
    let (name, costs) = algorithm.split_once('$').unwrap_or((algorithm, ""));
    if name == "bcrypt" {
        return bcrypt(text);
    }
    let (salt, output) = (salt_of_gitea(salt(stored)?)?, hex(text)?);
    match name {
        "pbkdf2" => {
            let [iterations, length] = fields(costs, '$')?;
            has_length(&output, number(length)?)?;
            let iterations = number(iterations)?;
            Ok(pbkdf2_of(HashFunction::Sha256, iterations, salt, output))
        }
        "argon2" => {
            let [passes, memory, lanes, length] = fields(costs, '$')?;
            has_length(&output, number(length)?)?;
            let kdf = Argon2 {
                variant: Variant::Id,
                version: Version::V13,
                memory: number(memory)?,
                passes: number(passes)?,
                lanes: number(lanes)?,
                salt,
            };
            Ok(Reading::new(Kdf::Argon2(kdf), output))
        }
        "scrypt" => {
            let [n, r, p, length] = fields(costs, '$')?;
            has_length(&output, number(length)?)?;
            let kdf = Scrypt {
                log_n: log_of(n)?,
                r: number(r)?,
                p: number(p)?,
                salt,
            };
            Ok(Reading::new(Kdf::Scrypt(kdf), output))
        }
        _ => Err(Refusal::Malformed(
            "Gitea has pbkdf2, argon2, scrypt and bcrypt",
        )),
    }
}

/// Hexadecimal, except for the ten characters that the first versions wrote.
fn salt_of_gitea(salt: &str) -> Result<Vec<u8>, Refusal> {
    match salt.len() {
        10 => Ok(salt.as_bytes().to_vec()),
        _ => hex(salt),
    }
}

fn has_length(output: &[u8], length: u32) -> Result<(), Refusal> {
    match u32::try_from(output.len()) == Ok(length) {
        true => Ok(()),
        false => Err(Refusal::Malformed(
            "the hash has another length than its algorithm",
        )),
    }
}
