//! Clerk's `password_digest`, which its `password_hasher` tells how to read: two of them look alike.
//! <https://clerk.com/docs/reference/backend/user/create-user>

use crate::hash_function::HashFunction;
use crate::primitives::digest::Part;
use crate::refusal::Refusal;
use crate::step::Step;

use super::phc::pbkdf2_of;
use super::reading::Reading;
use super::stored::Stored;
use super::text::{base64, fields, hex, number};
use super::{bcrypt, braces, crypt, digests, django, firebase, phc, werkzeug};

pub(super) fn clerk(text: &str, stored: &Stored<'_>) -> Result<Reading, Refusal> {
    let hasher = stored.algorithm.ok_or(Refusal::Missing(
        "the column with the hasher, `password_hasher`",
    ))?;
    match hasher {
        "bcrypt" => bcrypt::bcrypt(text),
        "bcrypt_peppered" => bcrypt_peppered(text, stored),
        "bcrypt_sha256_django" | "pbkdf2_sha256_django" => django::django(text),
        "argon2i" | "argon2id" => phc::argon2(text),
        "pbkdf2_sha1" => pbkdf2_sha1(text),
        "pbkdf2_sha256" => pbkdf2(HashFunction::Sha256, text, base64, base64),
        "pbkdf2_sha512" => pbkdf2(HashFunction::Sha512, text, text_of, hex),
        "pbkdf2_sha512_hex" => pbkdf2(HashFunction::Sha512, text, hex, hex),
        "phpass" | "md5_phpass" => crypt::phpass(text),
        "scrypt_firebase" => firebase::of_clerk(text),
        "scrypt_werkzeug" => werkzeug::werkzeug(text.strip_prefix('$').unwrap_or(text)),
        "ldap_ssha" => braces::braces(text),
        "md5" => Ok(digests::plain(HashFunction::Md5, hex(text)?)),
        "sha256" => Ok(digests::plain(HashFunction::Sha256, hex(text)?)),
        "sha512_symfony" => symfony(text),
        "md5_salted" | "sha256_salted" => Err(Refusal::Undeclared),
        "hmac_sha256_utf16_b64" => Err(Refusal::Unsupported("a hash of UTF-16")),
        "awscognito" => Err(Refusal::Unsupported("a password that Cognito verifies")),
        _ => Err(Refusal::Unsupported("this hasher of Clerk")),
    }
}

/// `<bcrypt>$<pepper>`. The pepper in the row is not taken, since it would lie in the database: the configured one is.
fn bcrypt_peppered(text: &str, stored: &Stored<'_>) -> Result<Reading, Refusal> {
    let pepper = stored.pepper.ok_or(Refusal::Missing("a pepper"))?;
    let hash = match text.match_indices('$').nth(3) {
        Some((end, _)) => text.split_at(end).0,
        None => text,
    };
    Ok(bcrypt::bcrypt(hash)?.after([Step::Pepper(pepper.clone())]))
}

type Decode = fn(&str) -> Result<Vec<u8>, Refusal>;

fn text_of(text: &str) -> Result<Vec<u8>, Refusal> {
    Ok(text.as_bytes().to_vec())
}

/// `<hasher>$<iterations>$<salt>$<hash>`.
fn pbkdf2(
    function: HashFunction,
    text: &str,
    salt_of: Decode,
    output_of: Decode,
) -> Result<Reading, Refusal> {
    let [_, iterations, salt, output] = fields(text, '$')?;
    let iterations = number(iterations)?;
    Ok(pbkdf2_of(
        function,
        iterations,
        salt_of(salt)?,
        output_of(output)?,
    ))
}

/// `pbkdf2_sha1$<iterations>$<salt>$<hash>`, and maybe the length, which is 32 otherwise. The salt is hexadecimal, or
/// text where it is not.
fn pbkdf2_sha1(text: &str) -> Result<Reading, Refusal> {
    let (iterations, salt, output, length) = match fields(text, '$') {
        Ok([_, iterations, salt, output, length]) => (iterations, salt, output, length),
        Err(_) => {
            let [_, iterations, salt, output] = fields(text, '$')?;
            (iterations, salt, output, "32")
        }
    };
    let output = hex(output)?;
    if u32::try_from(output.len()) != Ok(number(length)?) {
        return Err(Refusal::Malformed(
            "the hash has another length than is named",
        ));
    }
    let salt = hex(salt).or_else(|_| text_of(salt))?;
    Ok(pbkdf2_of(
        HashFunction::Sha1,
        number(iterations)?,
        salt,
        output,
    ))
}

/// `sha512_symfony$<iterations>$<salt>$<hash>` of Symfony's `MessageDigestPasswordHasher`.
fn symfony(text: &str) -> Result<Reading, Refusal> {
    let [_, iterations, salt, output] = fields(text, '$')?;
    let braces = |brace: &str| Part::Text(brace.as_bytes().to_vec());
    let parts = match salt {
        "" => vec![Part::Previous, Part::Password],
        _ => vec![
            Part::Previous,
            Part::Password,
            braces("{"),
            Part::Salt,
            braces("}"),
        ],
    };
    let (function, iterations) = (HashFunction::Sha512, number(iterations)?);
    let (salt, output) = (salt.as_bytes().to_vec(), base64(output)?);
    Ok(digests::repeated(function, iterations, parts, salt, output))
}
