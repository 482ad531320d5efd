//! `{SCHEME}…` of LDAP servers and Dovecot (RFC 2307 §5.3). Where both use one name, what follows tells them apart.
//! <https://doc.dovecot.org/main/core/config/auth/schemes.html>,
//! <https://www.openldap.org/doc/admin26/security.html#Password%20Storage>

use crate::hash_function::HashFunction;
use crate::kdf::Kdf;
use crate::primitives::md5_crypt::Prefix;
use crate::primitives::scram::Scram;
use crate::refusal::Refusal;

use super::modular::crypt_text;
use super::phc::{argon2, pbkdf2_of};
use super::reading::Reading;
use super::text::{ab64, base64, digest, fields, hex, number, split};
use super::{crypt, digests, passlib};

/// Names in any case, and Dovecot's `.HEX` and `.B64` behind them.
pub(super) fn braces(text: &str) -> Result<Reading, Refusal> {
    let (name, value) = named(text).ok_or(Refusal::Unknown)?;
    let name = name.to_ascii_uppercase();
    let (name, encoding) = match name.split_once('.') {
        Some((name, encoding)) => (name, Some(encoding)),
        None => (name.as_str(), None),
    };
    if READABLE.contains(&name) {
        return Err(Refusal::Readable);
    }
    if let Some(function) = digest_named(name) {
        return digest_of(
            function,
            name.starts_with("SS") || name == "SMD5",
            value,
            encoding,
        );
    }
    match encoding {
        None => other(name, value),
        // The text of a hash, in hexadecimal or base64.
        Some(encoding) => {
            let decoded = String::from_utf8(encoded(value, encoding)?)
                .map_err(|_| Refusal::Malformed("an encoded hash is text"))?;
            other(name, &decoded)
        }
    }
}

/// What stands in the braces, and what behind them.
pub(super) fn named(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('{')?.split_once('}')
}

const READABLE: &[&str] = &[
    "CLEAR",
    "CLEARTEXT",
    "PLAIN",
    "PLAINTEXT",
    "PLAIN-TRUNC",
    "NOOP",
];

fn other(name: &str, value: &str) -> Result<Reading, Refusal> {
    match name {
        "CRYPT" | "BLF-CRYPT" | "SHA256-CRYPT" | "SHA512-CRYPT" | "MD5-CRYPT" | "DES-CRYPT" => {
            crypt_text(value)
        }
        "ARGON2" | "ARGON2I" | "ARGON2ID" => argon2(value),
        "PBKDF2" if value.starts_with('$') => pbkdf2_of_dovecot(value),
        "PBKDF2" | "PBKDF2-SHA1" => pbkdf2(HashFunction::Sha1, value),
        "PBKDF2-SHA256" => pbkdf2(HashFunction::Sha256, value),
        "PBKDF2-SHA512" => pbkdf2(HashFunction::Sha512, value),
        "PKCS5S2" => passlib::atlassian(value),
        "APR1" => md5_crypt(Prefix::Apache, value),
        "BSDMD5" => md5_crypt(Prefix::Unix, value),
        "SCRAM-SHA-256" => scram(value),
        _ => Err(refused(name)),
    }
}

fn refused(name: &str) -> Refusal {
    match name {
        "SCRAM-SHA-1" => Refusal::Unsupported("SCRAM-SHA-1"),
        "CRAM-MD5" | "HMAC-MD5" | "DIGEST-MD5" | "RPA" => Refusal::Unsupported(
            "a hash for challenges with MD5, which can be used like the password,",
        ),
        "OTP" | "SKEY" => Refusal::Unsupported("a one-time password of S/KEY or OTP"),
        "PLAIN-MD4" | "MD4" => Refusal::Unsupported("MD4"),
        "NTLM" | "NT" | "LANMAN" | "LM" => Refusal::Unsupported("an NT or LM hash"),
        "SASL" | "KERBEROS" | "EXTERNAL" => {
            Refusal::Unsupported("a password that another server verifies")
        }
        _ if name.starts_with("FSHP") => Refusal::Unsupported("FSHP"),
        _ => Refusal::Unknown,
    }
}

/// With and without a salt. Dovecot's `{MD5}` is MD5-crypt, and its `{PLAIN-MD5}` and `{LDAP-MD5}` the digest.
fn digest_named(name: &str) -> Option<HashFunction> {
    match name {
        "MD5" | "SMD5" | "PLAIN-MD5" | "LDAP-MD5" => Some(HashFunction::Md5),
        "SHA" | "SHA1" | "SSHA" | "SSHA1" => Some(HashFunction::Sha1),
        "SHA256" | "SSHA256" => Some(HashFunction::Sha256),
        "SHA384" | "SSHA384" => Some(HashFunction::Sha384),
        "SHA512" | "SSHA512" => Some(HashFunction::Sha512),
        _ => None,
    }
}

/// The salt is behind the password, and behind the digest.
fn digest_of(
    function: HashFunction,
    is_salted: bool,
    value: &str,
    encoding: Option<&str>,
) -> Result<Reading, Refusal> {
    if value.starts_with('$') {
        return crypt_text(value);
    }
    let bytes = match encoding {
        Some(encoding) => encoded(value, encoding)?,
        None if is_salted => base64(value)?,
        None => digest(function, value)?,
    };
    if !is_salted {
        return Ok(digests::plain(function, bytes));
    }
    let (output, salt) = split(&bytes, function.output_length())?;
    Ok(digests::salt_last(function, &salt, output))
}

fn encoded(value: &str, encoding: &str) -> Result<Vec<u8>, Refusal> {
    match encoding {
        "HEX" => hex(value),
        "B64" | "BASE64" => base64(value),
        _ => Err(Refusal::Unknown),
    }
}

/// `<iterations>$<salt>$<hash>` of OpenLDAP and passlib, in passlib's base64.
fn pbkdf2(function: HashFunction, value: &str) -> Result<Reading, Refusal> {
    let [iterations, salt, output] = fields(value, '$')?;
    Ok(pbkdf2_of(
        function,
        number(iterations)?,
        ab64(salt)?,
        ab64(output)?,
    ))
}

/// `$1$<salt>$<iterations>$<hexadecimal>`, with SHA-1. The salt is used as text.
fn pbkdf2_of_dovecot(value: &str) -> Result<Reading, Refusal> {
    let ["", "1", salt, iterations, output] = fields(value, '$')? else {
        return Err(Refusal::Malformed("Dovecot's PBKDF2 begins with `$1$`"));
    };
    let salt = salt.as_bytes().to_vec();
    let iterations = number(iterations)?;
    Ok(pbkdf2_of(
        HashFunction::Sha1,
        iterations,
        salt,
        hex(output)?,
    ))
}

/// `slapd-contrib`'s: base64 of digest and salt.
fn md5_crypt(prefix: Prefix, value: &str) -> Result<Reading, Refusal> {
    let (output, salt) = split(&base64(value)?, HashFunction::Md5.output_length())?;
    Ok(crypt::md5_crypt_of(prefix, salt, output))
}

/// `<iterations>,<salt>,<stored key>,<server key>`, in base64.
fn scram(value: &str) -> Result<Reading, Refusal> {
    let [iterations, salt, stored_key, _] = fields(value, ',')?;
    let kdf = Scram {
        iterations: number(iterations)?,
        salt: base64(salt)?,
    };
    Ok(Reading::new(Kdf::Scram(kdf), base64(stored_key)?))
}
