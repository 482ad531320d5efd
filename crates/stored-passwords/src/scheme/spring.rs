//! Spring Security's `{id}…`.
//! <https://docs.spring.io/spring-security/reference/features/authentication/password-storage.html>

use crate::hash_function::HashFunction;
use crate::kdf::Kdf;
use crate::primitives::digest::Part;
use crate::primitives::scrypt::Scrypt;
use crate::refusal::Refusal;

use super::modular::modular;
use super::phc::{argon2, pbkdf2_of};
use super::reading::Reading;
use super::text::{base64, fields, hex, split};
use super::{bcrypt, braces, digests};

/// Without an id it is what applications without `DelegatingPasswordEncoder` store.
pub(super) fn spring(text: &str) -> Result<Reading, Refusal> {
    let Some((id, value)) = braces::named(text) else {
        return modular(text);
    };
    let (name, defaults) = match id.split_once('@') {
        Some((name, defaults)) => (name, Some(defaults)),
        None => (id, None),
    };
    match (name, defaults) {
        ("bcrypt", None) => bcrypt::bcrypt(value),
        ("argon2", None | Some("SpringSecurity_v5_2" | "SpringSecurity_v5_8")) => argon2(value),
        ("scrypt", None | Some("SpringSecurity_v4_1" | "SpringSecurity_v5_8")) => scrypt(value),
        ("pbkdf2", None | Some("SpringSecurity_v5_5")) => {
            pbkdf2(HashFunction::Sha1, 185_000, 8, value)
        }
        ("pbkdf2", Some("SpringSecurity_v5_8")) => pbkdf2(HashFunction::Sha256, 310_000, 16, value),
        ("sha256", None) => standard(value),
        ("MD5", None) => message_digest(HashFunction::Md5, value),
        ("SHA-1", None) => message_digest(HashFunction::Sha1, value),
        ("SHA-256", None) => message_digest(HashFunction::Sha256, value),
        ("SHA-512", None) => message_digest(HashFunction::Sha512, value),
        ("ldap", None) => braces::braces(value),
        ("noop", None) => Err(Refusal::Readable),
        ("MD4", None) => Err(Refusal::Unsupported("MD4")),
        _ => Err(Refusal::Unknown),
    }
}

/// Whether the id is one of Spring's, and none of an LDAP server's: those have capitals and base64.
pub(super) fn is_named(text: &str) -> bool {
    let Some((id, value)) = braces::named(text) else {
        return false;
    };
    let is_hex = value.bytes().all(|b| b.is_ascii_hexdigit());
    match id {
        "bcrypt" | "argon2" | "scrypt" | "SHA-1" | "SHA-256" | "SHA-512" | "ldap" | "noop"
        | "MD4" => true,
        "pbkdf2" | "sha256" => is_hex,
        "MD5" => is_hex || value.starts_with('{'),
        _ => id.contains("@SpringSecurity_"),
    }
}

/// Hexadecimal of salt and hash. The parameters are those of the id, since the text names none.
fn pbkdf2(
    function: HashFunction,
    iterations: u32,
    salt: usize,
    value: &str,
) -> Result<Reading, Refusal> {
    let (salt, output) = split(&hex(value)?, salt)?;
    match output.len() {
        32 => Ok(pbkdf2_of(function, iterations, salt, output)),
        _ => Err(Refusal::Malformed(
            "Spring's PBKDF2 has 32 bytes behind the salt of its id",
        )),
    }
}

/// `$e0801$<salt>$<hash>`: the binary logarithm of N, r and p, the last two a byte each, in hexadecimal.
fn scrypt(value: &str) -> Result<Reading, Refusal> {
    let ["", costs, salt, output] = fields(value, '$')? else {
        return Err(Refusal::Malformed("Spring's scrypt begins with `$`"));
    };
    let is_number = costs.bytes().all(|b| b.is_ascii_hexdigit());
    let costs = u32::from_str_radix(costs, 16)
        .ok()
        .filter(|_| is_number)
        .ok_or(Refusal::Malformed("the parameters of Spring's scrypt"))?;
    let [_, _, r, p] = costs.to_be_bytes().map(u32::from);
    let kdf = Scrypt {
        log_n: costs >> 16,
        r,
        p,
        salt: base64(salt)?,
    };
    Ok(Reading::new(Kdf::Scrypt(kdf), base64(output)?))
}

/// `StandardPasswordEncoder`: 8 bytes of salt, and 1,024 rounds of SHA-256 of salt and password. 32 bytes alone are one
/// digest of the password.
fn standard(value: &str) -> Result<Reading, Refusal> {
    let function = HashFunction::Sha256;
    let bytes = hex(value)?;
    if bytes.len() == function.output_length() {
        return Ok(digests::plain(function, bytes));
    }
    let (salt, output) = split(&bytes, 8)?;
    let parts = vec![Part::Salt, Part::Password];
    Ok(digests::repeated(function, 1024, parts, salt, output))
}

/// `MessageDigestPasswordEncoder`: `{<salt>}<hexadecimal>`, and the braces are digested as well.
fn message_digest(function: HashFunction, value: &str) -> Result<Reading, Refusal> {
    let Some((salt, output)) = braces::named(value) else {
        return Ok(digests::plain(function, hex(value)?));
    };
    let salt = format!("{{{salt}}}");
    Ok(digests::salt_last(function, salt.as_bytes(), hex(output)?))
}
