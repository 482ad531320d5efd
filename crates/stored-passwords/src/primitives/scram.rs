//! The stored key of SCRAM-SHA-256 (RFC 5802 §3, RFC 7677): `scram-sha256$i=4096$<salt>$<stored key>`.

use std::fmt;

use zeroize::Zeroizing;

use crate::cost::Cost;
use crate::hash_function::HashFunction;
use crate::primitives::pbkdf2::Pbkdf2;
use crate::primitives::{Primitive, output_is};
use crate::reader::Reader;
use crate::refusal::Refusal;
use crate::stage::Failed;

pub(crate) const NAME: &str = "scram-sha256";

/// PBKDF2 with SHA-256, from which the key is made.
#[derive(Clone, PartialEq, Eq)]
pub struct Scram {
    /// From 1.
    pub iterations: u32,
    /// As bytes.
    pub salt: Vec<u8>,
}

impl Scram {
    pub(crate) fn parse(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let [iterations] = reader.numbers(["i"])?;
        Ok(Self {
            iterations,
            salt: reader.bytes()?,
        })
    }

    fn salted(&self) -> Pbkdf2 {
        Pbkdf2 {
            function: HashFunction::Sha256,
            iterations: self.iterations,
            salt: self.salt.clone(),
        }
    }
}

impl Primitive for Scram {
    fn check(&self, output: usize) -> Result<(), Refusal> {
        output_is(output, HashFunction::Sha256.output_length())?;
        self.salted().check(output)
    }

    fn cost(&self, output: usize, typed: usize) -> Cost {
        self.salted().cost(output, typed)
    }

    fn derive(&self, input: &[u8], output: &mut [u8]) -> Result<(), Failed> {
        let mut salted = Zeroizing::new([0; 32]);
        self.salted().derive(input, salted.as_mut_slice())?;
        let client_key = HashFunction::Sha256.hmac(salted.as_slice(), b"Client Key");
        let stored_key = HashFunction::Sha256.digest(&[&client_key]);
        output.copy_from_slice(&stored_key);
        Ok(())
    }
}

impl fmt::Display for Scram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let salt = data_encoding::BASE64_NOPAD.encode(&self.salt);
        write!(f, "{NAME}$i={}${salt}", self.iterations)
    }
}
