//! Ory Kratos. <https://www.ory.com/docs/kratos/manage-identities/import-user-accounts-identities#hashed-passwords>

use crate::hash_function::HashFunction;
use crate::primitives::at_most;
use crate::primitives::digest::Part;
use crate::refusal::Refusal;

use super::modular::modular;
use super::reading::Reading;
use super::text::{base64, fields, function_named, hex};
use super::{braces, crypt, digests, firebase, phc};

/// Of everything that Kratos compares with.
pub(super) fn kratos(text: &str) -> Result<Reading, Refusal> {
    let Some((id, rest)) = text.strip_prefix('$').and_then(|rest| rest.split_once('$')) else {
        return braces::braces(text);
    };
    match id {
        "scrypt" => phc::scrypt_of_kratos(text),
        "firescrypt" => firebase::of_kratos(text),
        "md5-crypt" => crypt::md5_crypt(&format!("$1${rest}")),
        "sha256-crypt" => crypt::sha_crypt(&format!("$5${rest}")),
        "sha512-crypt" => crypt::sha_crypt(&format!("$6${rest}")),
        "md5" | "sha1" | "sha256" | "sha512" => digest(HashFunction::named(id)?, rest),
        _ => match id.strip_prefix("hmac-") {
            Some(function) => hmac(function, rest),
            None => modular(text),
        },
    }
}

/// Whether `$<id>$<rest>` is one of Kratos's digests, and not another hash that begins alike.
pub(super) fn is_digest(id: &str, rest: &str) -> bool {
    let is_bare = id == "md5" && !rest.contains('$') && rest.len() == 24;
    HashFunction::named(id).is_ok() && (rest.starts_with(FORMAT) || is_bare)
}

/// A salting format in base64.
const FORMAT: &str = "pf=";
const MOST_FORMAT: u64 = 1024;

/// `pf=<format>$<salt>$<hash>`, or for MD5 the hash alone, all in base64.
fn digest(function: HashFunction, rest: &str) -> Result<Reading, Refusal> {
    let Some(rest) = rest.strip_prefix(FORMAT) else {
        return match function {
            HashFunction::Md5 => Ok(digests::plain(function, base64(rest)?)),
            _ => Err(Refusal::Malformed("a digest of Kratos has a format, `pf=`")),
        };
    };
    let [format, salt, output] = fields(rest, '$')?;
    let format = base64(format)?;
    at_most("bytes of a format", format.len() as u64, MOST_FORMAT)?;
    let format =
        String::from_utf8(format).map_err(|_| Refusal::Malformed("a format of Kratos is text"))?;
    let (salt, output) = (base64(salt)?, base64(output)?);
    Ok(digests::of(function, parts_of(&format), salt, output))
}

/// `{SALT}` and `{PASSWORD}` stand for themselves, all else for its own text.
fn parts_of(format: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = format;
    while !rest.is_empty() {
        let named = [("{SALT}", Part::Salt), ("{PASSWORD}", Part::Password)];
        let next = named
            .into_iter()
            .filter_map(|(name, part)| Some((rest.find(name)?, name, part)))
            .min_by_key(|(at, ..)| *at);
        let (at, name, part) = match next {
            Some((at, name, part)) => (at, name, Some(part)),
            None => (rest.len(), "", None),
        };
        let (text, more) = rest.split_at(at);
        if !text.is_empty() {
            parts.push(Part::Text(text.as_bytes().to_vec()));
        }
        parts.extend(part);
        rest = more.strip_prefix(name).unwrap_or_default();
    }
    parts
}

/// `$hmac-sha256$<hash>$<key>`: the base64 of the hexadecimal, and of the key.
fn hmac(function: &str, rest: &str) -> Result<Reading, Refusal> {
    let [output, key] = fields(rest, '$')?;
    let function = function_named(function)?;
    let output = String::from_utf8(base64(output)?)
        .map_err(|_| Refusal::Malformed("an HMAC of Kratos is hexadecimal in base64"))?;
    Ok(digests::hmac(function, &base64(key)?, hex(&output)?))
}
