//! Texts that name their parameters: `$argon2id$v=19$m=65536,t=3,p=4$<salt>$<hash>`, and the like for PBKDF2 and
//! scrypt.
//! <https://github.com/P-H-C/phc-string-format>

use crate::hash_function::HashFunction;
use crate::kdf::Kdf;
use crate::primitives::argon2::{Argon2, Variant, Version};
use crate::primitives::pbkdf2::Pbkdf2;
use crate::primitives::scrypt::Scrypt;
use crate::refusal::Refusal;

use super::reading::Reading;
use super::text::{
    ab64, base64, fields, function_named, log_of, number, numbers, parameters, required,
};

/// argon2, with its parameters in any order. Without `v=` it is of version 1.0, which had no version in its text.
pub(super) fn argon2(text: &str) -> Result<Reading, Refusal> {
    let (variant, version, costs, salt, output) = match fields(text, '$') {
        Ok(["", variant, version, costs, salt, output]) => {
            let [version] = parameters(version, ["v"])?;
            (variant, required(version)?, costs, salt, output)
        }
        _ => {
            let ["", variant, costs, salt, output] = fields(text, '$')? else {
                return Err(Refusal::Malformed("an argon2 hash begins with `$`"));
            };
            (variant, "16", costs, salt, output)
        }
    };
    let [memory, passes, lanes] = numbers(costs, ["m", "t", "p"])?;
    let kdf = Argon2 {
        variant: variant_of(variant.strip_prefix("argon2").ok_or(Refusal::Unknown)?)?,
        version: version_of(version)?,
        memory,
        passes,
        lanes,
        salt: base64(salt)?,
    };
    Ok(Reading::new(Kdf::Argon2(kdf), base64(output)?))
}

pub(super) fn variant_of(letters: &str) -> Result<Variant, Refusal> {
    match letters {
        "d" => Ok(Variant::D),
        "i" => Ok(Variant::I),
        "id" => Ok(Variant::Id),
        _ => Err(Refusal::Malformed("argon2 has the variants d, i and id")),
    }
}

/// `16` and `19` in argon2's own texts.
fn version_of(text: &str) -> Result<Version, Refusal> {
    match text {
        "16" => Ok(Version::V10),
        "19" => Ok(Version::V13),
        _ => Err(Refusal::Malformed("argon2 has the versions 16 and 19")),
    }
}

/// `$pbkdf2-sha256$i=4096,l=32$<salt>$<hash>` of Kratos, Auth0 and RustCrypto; without a digest it is SHA-1. The length
/// is that of the hash, as for Kratos.
pub(super) fn pbkdf2(text: &str) -> Result<Reading, Refusal> {
    let ["", name, costs, salt, output] = fields(text, '$')? else {
        return Err(Refusal::Malformed("a PBKDF2 hash begins with `$`"));
    };
    let [iterations, length] = parameters(costs, ["i", "l"])?;
    length.map(number).transpose()?;
    let (function, iterations) = (digest_of(name)?, number(required(iterations)?)?);
    Ok(pbkdf2_of(
        function,
        iterations,
        base64(salt)?,
        base64(output)?,
    ))
}

/// `$pbkdf2-sha512$25000$<salt>$<hash>` of passlib, Odoo and Zitadel, in passlib's base64.
pub(super) fn pbkdf2_of_passlib(text: &str) -> Result<Reading, Refusal> {
    let ["", name, iterations, salt, output] = fields(text, '$')? else {
        return Err(Refusal::Malformed("a PBKDF2 hash begins with `$`"));
    };
    let function = digest_of(name)?;
    Ok(pbkdf2_of(
        function,
        number(iterations)?,
        ab64(salt)?,
        ab64(output)?,
    ))
}

/// `$pbkdf2$f=SHA256,w=600000,l=32$<salt>$<hash>` of Mattermost.
pub(super) fn pbkdf2_of_mattermost(text: &str) -> Result<Reading, Refusal> {
    let ["", "pbkdf2", costs, salt, output] = fields(text, '$')? else {
        return Err(Refusal::Malformed(
            "a hash of Mattermost begins with `$pbkdf2$`",
        ));
    };
    let [function, iterations, length] = parameters(costs, ["f", "w", "l"])?;
    length.map(number).transpose()?;
    let function = match required(function)? {
        "SHA256" => HashFunction::Sha256,
        "SHA512" => HashFunction::Sha512,
        _ => return Err(Refusal::Malformed("Mattermost has SHA256 and SHA512")),
    };
    let iterations = number(required(iterations)?)?;
    Ok(pbkdf2_of(
        function,
        iterations,
        base64(salt)?,
        base64(output)?,
    ))
}

pub(super) fn pbkdf2_of(
    function: HashFunction,
    iterations: u32,
    salt: Vec<u8>,
    output: Vec<u8>,
) -> Reading {
    let kdf = Pbkdf2 {
        function,
        iterations,
        salt,
    };
    Reading::new(Kdf::Pbkdf2(kdf), output)
}

/// Of `pbkdf2`, which is with SHA-1, and of `pbkdf2-sha256` and the like.
fn digest_of(name: &str) -> Result<HashFunction, Refusal> {
    match name.strip_prefix("pbkdf2") {
        Some("") => Ok(HashFunction::Sha1),
        Some(digest) => {
            let function = digest.strip_prefix('-').map(function_named);
            function.unwrap_or(Err(Refusal::Unknown))
        }
        None => Err(Refusal::Unknown),
    }
}

/// `$scrypt$ln=16,r=8,p=1$<salt>$<hash>` of passlib, Zitadel and RustCrypto: `ln` is the binary logarithm of N.
pub(super) fn scrypt(text: &str) -> Result<Reading, Refusal> {
    scrypt_of(text, number)
}

/// Kratos's, where `ln` is N itself.
pub(super) fn scrypt_of_kratos(text: &str) -> Result<Reading, Refusal> {
    scrypt_of(text, log_of)
}

fn scrypt_of(text: &str, log: impl Fn(&str) -> Result<u32, Refusal>) -> Result<Reading, Refusal> {
    let ["", "scrypt", costs, salt, output] = fields(text, '$')? else {
        return Err(Refusal::Malformed("a scrypt hash begins with `$scrypt$`"));
    };
    let [ln, r, p] = parameters(costs, ["ln", "r", "p"])?;
    let kdf = Scrypt {
        log_n: log(required(ln)?)?,
        r: number(required(r)?)?,
        p: number(required(p)?)?,
        salt: base64(salt)?,
    };
    Ok(Reading::new(Kdf::Scrypt(kdf), base64(output)?))
}

/// Either of the above, if only one can be meant: a logarithm is small, Kratos's N is a power of two, and it writes padding
/// where there can be some, which passlib never does.
pub(super) fn scrypt_of_either(text: &str) -> Result<Reading, Refusal> {
    let [_, _, costs, salt, output] = fields(text, '$')?;
    let [ln, _, _] = parameters(costs, ["ln", "r", "p"])?;
    let ln = required(ln)?;
    let is_padded = |field: &str| field.len().is_multiple_of(4);
    let has_padding = salt.ends_with('=') || output.ends_with('=');
    let can_be_log = number(ln)? < u64::BITS && !has_padding;
    let can_be_n = log_of(ln).is_ok() && (!can_be_log || is_padded(salt) && is_padded(output));
    match (can_be_log, can_be_n) {
        (true, true) => Err(Refusal::Ambiguous("`passlib` and `kratos`")),
        (false, true) => scrypt_of_kratos(text),
        (_, false) => scrypt(text),
    }
}
