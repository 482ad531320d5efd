//! PBKDF2 with HMAC of SHA-1 or SHA-2 (RFC 8018): `pbkdf2-sha256$i=600000$<salt>$<output>`.

use std::fmt;
use std::num::NonZeroU32;

use data_encoding::BASE64_NOPAD;
use ring::pbkdf2::{self, Algorithm};

use crate::cost::Cost;
use crate::hash_function::HashFunction;
use crate::primitives::{Primitive, at_least, at_most, output_within_limits, salt_within_limits};
use crate::reader::Reader;
use crate::refusal::Refusal;
use crate::stage::Failed;

pub(crate) const PREFIX: &str = "pbkdf2-";
/// Iterations × blocks of output. Django 6.1 has 1,500,000.
pub(crate) const MOST_WORK: u64 = 4_000_000;

/// The digest is not MD5.
#[derive(Clone, PartialEq, Eq)]
pub struct Pbkdf2 {
    /// Below the HMAC.
    pub function: HashFunction,
    /// From 1.
    pub iterations: u32,
    /// As bytes, whatever the old system made of them.
    pub salt: Vec<u8>,
}

impl Pbkdf2 {
    pub(crate) fn parse(function: &str, reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let function = HashFunction::named(function)?;
        let [iterations] = reader.numbers(["i"])?;
        Ok(Self {
            function,
            iterations,
            salt: reader.bytes()?,
        })
    }

    fn algorithm(&self) -> Option<Algorithm> {
        match self.function {
            HashFunction::Md5 => None,
            HashFunction::Sha1 => Some(pbkdf2::PBKDF2_HMAC_SHA1),
            HashFunction::Sha256 => Some(pbkdf2::PBKDF2_HMAC_SHA256),
            HashFunction::Sha384 => Some(pbkdf2::PBKDF2_HMAC_SHA384),
            HashFunction::Sha512 => Some(pbkdf2::PBKDF2_HMAC_SHA512),
        }
    }

    /// Iterations that take as long as one of bcrypt, on a processor with instructions for SHA-256.
    fn per_iteration_of_bcrypt(&self) -> u64 {
        match self.function {
            HashFunction::Md5 | HashFunction::Sha1 => 140,
            HashFunction::Sha256 => 300,
            HashFunction::Sha384 | HashFunction::Sha512 => 110,
        }
    }

    /// Iterations, once for each block of output.
    fn rounds(&self, output: usize) -> u64 {
        let blocks = output.div_ceil(self.function.output_length());
        u64::from(self.iterations).saturating_mul(blocks as u64)
    }
}

impl Primitive for Pbkdf2 {
    fn check(&self, output: usize) -> Result<(), Refusal> {
        if self.algorithm().is_none() {
            return Err(Refusal::Unsupported("PBKDF2 with MD5"));
        }
        output_within_limits(output)?;
        salt_within_limits(&self.salt)?;
        at_least("PBKDF2 iterations", self.iterations.into(), 1)?;
        at_most(
            "PBKDF2 iterations × blocks of output",
            self.rounds(output),
            MOST_WORK,
        )
    }

    fn cost(&self, output: usize, _: usize) -> Cost {
        Cost {
            work: self.rounds(output) / self.per_iteration_of_bcrypt(),
            memory: 0,
        }
    }

    fn derive(&self, input: &[u8], output: &mut [u8]) -> Result<(), Failed> {
        let iterations = NonZeroU32::new(self.iterations).ok_or(Failed::Parameters)?;
        let algorithm = self.algorithm().ok_or(Failed::Parameters)?;
        pbkdf2::derive(algorithm, iterations, &self.salt, input, output);
        Ok(())
    }
}

impl fmt::Display for Pbkdf2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (function, iterations) = (self.function, self.iterations);
        let salt = BASE64_NOPAD.encode(&self.salt);
        write!(f, "{PREFIX}{function}$i={iterations}${salt}")
    }
}
