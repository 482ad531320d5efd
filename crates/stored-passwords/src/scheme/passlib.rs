//! Forms that only passlib writes. <https://passlib.readthedocs.io/en/stable/lib/passlib.hash.html>

use crate::hash_function::HashFunction;
use crate::refusal::Refusal;
use crate::step::Step;

use super::braces;
use super::modular::{crypt_text, modular};
use super::phc::{pbkdf2_of, scrypt};
use super::reading::Reading;
use super::text::{
    ab64, base64_of_either_alphabet, fields, hex, number, parameters, required, split,
};
use super::{bcrypt, crypt, django};

/// Of the hashes that a context of passlib can hold.
pub(super) fn passlib(text: &str) -> Result<Reading, Refusal> {
    match text.as_bytes().first() {
        Some(b'{') => braces::braces(text),
        Some(b'$') if text.starts_with("$scrypt$") => scrypt(text),
        Some(b'$') if text.starts_with("$P$") || text.starts_with("$H$") => crypt::phpass(text),
        Some(b'$') => modular(text),
        _ if text.starts_with(GRUB) => grub(text),
        _ if django::is_named(text) => django::django(text),
        _ => crypt_text(text),
    }
}

/// `$bcrypt-sha256$v=2,t=2b,r=12$<salt>$<checksum>`, and version 1: `$bcrypt-sha256$2b,12$…`. Version 2 keys the digest
/// with the text of the salt.
pub(super) fn bcrypt_sha256(text: &str) -> Result<Reading, Refusal> {
    let ["", "bcrypt-sha256", costs, salt, checksum] = fields(text, '$')? else {
        return Err(Refusal::Malformed("a hash begins with `$bcrypt-sha256$`"));
    };
    let (step, ident, rounds) = match costs.contains('=') {
        false => {
            let [ident, rounds] = fields(costs, ',')?;
            (Step::Base64(HashFunction::Sha256), ident, rounds)
        }
        true => {
            let [Some("2"), ident, rounds] = parameters(costs, ["v", "t", "r"])? else {
                return Err(Refusal::Malformed("bcrypt-sha256 has the versions 1 and 2"));
            };
            (Step::HmacSalt, required(ident)?, required(rounds)?)
        }
    };
    Ok(bcrypt::parts(ident, rounds, salt, checksum)?.after([step]))
}

/// `$p5k2$<rounds in hexadecimal>$<salt>$<hash>`, which two packages write. Cryptacular pads its base64 and decodes its
/// salt; Dwayne Litzenberger's uses all of the text before the hash as its salt, and 400 rounds if none are named.
pub(super) fn p5k2(text: &str) -> Result<Reading, Refusal> {
    let ["", "p5k2", rounds, salt, output] = fields(text, '$')? else {
        return Err(Refusal::Malformed("a hash begins with `$p5k2$`"));
    };
    let is_number = rounds.bytes().all(|b| b.is_ascii_hexdigit());
    let named = u32::from_str_radix(rounds, 16).ok().filter(|_| is_number);
    if output.ends_with('=') {
        let rounds = named.ok_or(Refusal::Malformed("the rounds of `$p5k2$`"))?;
        let salt = base64_of_either_alphabet(salt)?;
        let output = base64_of_either_alphabet(output)?;
        return Ok(pbkdf2_of(HashFunction::Sha1, rounds, salt, output));
    }
    let rounds = match rounds {
        "" => LITZENBERGERS_ROUNDS,
        _ => named.ok_or(Refusal::Malformed("the rounds of `$p5k2$`"))?,
    };
    let (salt, _) = text.rsplit_once('$').ok_or(Refusal::Unknown)?;
    let salt = salt.as_bytes().to_vec();
    Ok(pbkdf2_of(HashFunction::Sha1, rounds, salt, ab64(output)?))
}

const LITZENBERGERS_ROUNDS: u32 = 400;

/// Atlassian's `{PKCS5S2}`: 16 bytes of salt and 32 of PBKDF2 with SHA-1, 10,000 iterations.
pub(super) fn atlassian(text: &str) -> Result<Reading, Refusal> {
    let (salt, output) = split(&super::text::base64(text)?, 16)?;
    match output.len() {
        32 => Ok(pbkdf2_of(HashFunction::Sha1, 10_000, salt, output)),
        _ => Err(Refusal::Malformed("`{PKCS5S2}` has 48 bytes")),
    }
}

const GRUB: &str = "grub.pbkdf2.sha512.";

/// `grub.pbkdf2.sha512.<rounds>.<salt>.<hash>`, in hexadecimal.
fn grub(text: &str) -> Result<Reading, Refusal> {
    let rest = text.strip_prefix(GRUB).ok_or(Refusal::Unknown)?;
    let [rounds, salt, output] = fields(rest, '.')?;
    let function = HashFunction::Sha512;
    Ok(pbkdf2_of(
        function,
        number(rounds)?,
        hex(salt)?,
        hex(output)?,
    ))
}
