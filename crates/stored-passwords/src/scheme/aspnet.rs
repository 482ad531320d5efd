//! ASP.NET Core Identity, and ASP.NET Identity before it.
//! <https://github.com/dotnet/aspnetcore/blob/main/src/Identity/Extensions.Core/src/PasswordHasher.cs>

use crate::hash_function::HashFunction;
use crate::refusal::Refusal;

use super::phc::pbkdf2_of;
use super::reading::Reading;
use super::text::{base64, split};

const V2_ITERATIONS: u32 = 1000;
const V2_SALT: usize = 16;
const V2_OUTPUT: usize = 32;

/// Base64. The first byte is the version: 0 has a fixed form, 1 says its digest, iterations and length of salt, each in
/// four bytes, the highest first.
pub(super) fn aspnet(text: &str) -> Result<Reading, Refusal> {
    let bytes = base64(text)?;
    match bytes.split_first() {
        Some((0, rest)) => v2(rest),
        Some((1, rest)) => v3(rest),
        _ => Err(Refusal::Malformed(
            "ASP.NET's hashes have the versions 2 and 3",
        )),
    }
}

fn v2(rest: &[u8]) -> Result<Reading, Refusal> {
    let (salt, output) = split(rest, V2_SALT)?;
    match output.len() {
        V2_OUTPUT => Ok(pbkdf2_of(HashFunction::Sha1, V2_ITERATIONS, salt, output)),
        _ => Err(Refusal::Malformed("ASP.NET's version 2 has 49 bytes")),
    }
}

fn v3(rest: &[u8]) -> Result<Reading, Refusal> {
    let (function, rest) = word(rest)?;
    let (iterations, rest) = word(rest)?;
    let (length, rest) = word(rest)?;
    let function = match function {
        0 => HashFunction::Sha1,
        1 => HashFunction::Sha256,
        2 => HashFunction::Sha512,
        _ => return Err(Refusal::Malformed("ASP.NET has the digests 0, 1 and 2")),
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let (salt, output) = split(rest, length)?;
    Ok(pbkdf2_of(function, iterations, salt, output))
}

fn word(bytes: &[u8]) -> Result<(u32, &[u8]), Refusal> {
    let (word, rest) = bytes
        .split_first_chunk()
        .ok_or(Refusal::Malformed("the hash is cut"))?;
    Ok((u32::from_be_bytes(*word), rest))
}
