//! Django's hashers. <https://docs.djangoproject.com/en/6.0/topics/auth/passwords/>

use crate::hash_function::HashFunction;
use crate::kdf::Kdf;
use crate::primitives::scrypt::Scrypt;
use crate::refusal::Refusal;
use crate::step::Step;

use super::reading::Reading;
use super::text::{base64, fields, hex, log_of, number};
use super::{bcrypt, digests, phc};

/// `<hasher>$…`; 32 hexadecimal digits alone are its unsalted MD5. Salts are used as text.
pub(super) fn django(text: &str) -> Result<Reading, Refusal> {
    let Some((hasher, rest)) = text.split_once('$') else {
        return unsalted_md5(text);
    };
    match hasher {
        "pbkdf2_sha256" => pbkdf2(HashFunction::Sha256, rest),
        "pbkdf2_sha1" => pbkdf2(HashFunction::Sha1, rest),
        "scrypt" => scrypt(rest),
        "argon2" => phc::argon2(&format!("${rest}")),
        "bcrypt_sha256" => Ok(bcrypt::bcrypt(rest)?.after([Step::Hex(HashFunction::Sha256)])),
        "bcrypt" => bcrypt::bcrypt(rest),
        "sha1" => salted(HashFunction::Sha1, rest),
        "md5" => salted(HashFunction::Md5, rest),
        "crypt" => Err(Refusal::Unsupported("crypt(3) with DES")),
        _ => Err(Refusal::Unknown),
    }
}

/// Whether it begins with a name of Django's.
pub(super) fn is_named(text: &str) -> bool {
    let named = text.split_once('$').map(|(hasher, _)| hasher);
    named.is_some_and(|hasher| HASHERS.contains(&hasher))
}

const HASHERS: &[&str] = &[
    "pbkdf2_sha256",
    "pbkdf2_sha1",
    "scrypt",
    "argon2",
    "bcrypt_sha256",
    "bcrypt",
    "sha1",
    "md5",
    "crypt",
];

/// The hash is as long as the digest; Clerk's form of the same looks alike, and is not.
fn pbkdf2(function: HashFunction, rest: &str) -> Result<Reading, Refusal> {
    let [iterations, salt, output] = fields(rest, '$')?;
    let (salt, output) = (salt.as_bytes().to_vec(), base64(output)?);
    match output.len() == function.output_length() {
        true => Ok(phc::pbkdf2_of(function, number(iterations)?, salt, output)),
        false => Err(Refusal::Malformed(
            "Django's PBKDF2 has the length of its digest",
        )),
    }
}

/// N stands before the salt, and r and p behind it.
fn scrypt(rest: &str) -> Result<Reading, Refusal> {
    let [n, salt, r, p, output] = fields(rest, '$')?;
    let kdf = Scrypt {
        log_n: log_of(n)?,
        r: number(r)?,
        p: number(p)?,
        salt: salt.as_bytes().to_vec(),
    };
    Ok(Reading::new(Kdf::Scrypt(kdf), base64(output)?))
}

fn salted(function: HashFunction, rest: &str) -> Result<Reading, Refusal> {
    let [salt, output] = fields(rest, '$')?;
    Ok(digests::salt_first(function, salt.as_bytes(), hex(output)?))
}

fn unsalted_md5(text: &str) -> Result<Reading, Refusal> {
    match text.len() == 2 * HashFunction::Md5.output_length() {
        true => Ok(digests::plain(HashFunction::Md5, hex(text)?)),
        false => Err(Refusal::Unknown),
    }
}
