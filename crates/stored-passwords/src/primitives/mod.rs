//! One file for each function: its parameters, their text, their limits, and what it computes.

pub(crate) mod argon2;
pub(crate) mod bcrypt;
pub(crate) mod digest;
pub(crate) mod firebase;
pub(crate) mod hmac;
pub(crate) mod md5_crypt;
pub(crate) mod pbkdf2;
pub(crate) mod phpass;
pub(crate) mod scram;
pub(crate) mod scrypt;
pub(crate) mod sha_crypt;
pub(crate) mod yescrypt;

use std::fmt;

use crate::cost::Cost;
use crate::refusal::Refusal;
use crate::stage::Failed;

/// A function with its parameters and salt. `Display` is its text up to the output.
pub(crate) trait Primitive: fmt::Display {
    /// Whether the parameters are those of a hash with so many bytes, and within the limits.
    fn check(&self, output: usize) -> Result<(), Refusal>;

    /// For an output and a password of so many bytes.
    fn cost(&self, output: usize, typed: usize) -> Cost;

    /// Fills `output`, whose length has passed [`check`](Self::check).
    fn derive(&self, input: &[u8], output: &mut [u8]) -> Result<(), Failed>;
}

/// A wrong password must not match by chance, however many are tried.
const LEAST_OUTPUT: usize = 16;
/// One of Payload's has 512 bytes.
const MOST_OUTPUT: usize = 1024;
const MOST_SALT: usize = 1024;

pub(crate) fn at_most(what: &'static str, found: u64, most: u64) -> Result<(), Refusal> {
    if found <= most {
        return Ok(());
    }
    Err(Refusal::TooExpensive { what, found, most })
}

pub(crate) fn at_least(what: &'static str, found: u64, least: u64) -> Result<(), Refusal> {
    if found >= least {
        return Ok(());
    }
    Err(Refusal::TooLittle { what, found, least })
}

pub(crate) fn output_within_limits(output: usize) -> Result<(), Refusal> {
    at_least("bytes of a hash", output as u64, LEAST_OUTPUT as u64)?;
    at_most("bytes of a hash", output as u64, MOST_OUTPUT as u64)
}

pub(crate) fn output_is(output: usize, length: usize) -> Result<(), Refusal> {
    if output == length {
        return Ok(());
    }
    Err(Refusal::Malformed("the hash has the wrong length"))
}

pub(crate) fn salt_within_limits(salt: &[u8]) -> Result<(), Refusal> {
    at_most("bytes of a salt", salt.len() as u64, MOST_SALT as u64)
}
