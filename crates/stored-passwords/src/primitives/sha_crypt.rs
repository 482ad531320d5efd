//! crypt(3) with SHA-256 (`$5$`) or SHA-512 (`$6$`) (<https://www.akkadia.org/drepper/SHA-crypt.txt>):
//! `sha512crypt$i=5000$<salt>$<output>`. The output is the digest itself, not in the order of crypt(3).

use std::fmt;

use data_encoding::BASE64_NOPAD;
use sha_crypt::Params;

use crate::cost::Cost;
use crate::hash_function::HashFunction;
use crate::primitives::{Primitive, at_least, at_most, output_is};
use crate::reader::Reader;
use crate::refusal::Refusal;
use crate::stage::Failed;

pub(crate) const SHA256: &str = "sha256crypt";
pub(crate) const SHA512: &str = "sha512crypt";
const MOST_ROUNDS: u64 = 1_000_000;
const MOST_SALT: u64 = 16;
/// Bytes of password that are digested beside what every round digests.
const BLOCK: u64 = 64;

/// The function is SHA-256 or SHA-512.
#[derive(Clone, PartialEq, Eq)]
pub struct ShaCrypt {
    /// SHA-256 or SHA-512.
    pub function: HashFunction,
    /// 1,000 to 1,000,000; 5,000 where the text names none.
    pub rounds: u32,
    /// The salt's text, up to 16 bytes.
    pub salt: Vec<u8>,
}

impl ShaCrypt {
    pub(crate) fn parse(function: HashFunction, reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let [rounds] = reader.numbers(["i"])?;
        Ok(Self {
            function,
            rounds,
            salt: reader.bytes()?,
        })
    }

    /// Rounds with a short password that take as long as one iteration of bcrypt.
    fn per_iteration_of_bcrypt(&self) -> u64 {
        match self.function {
            HashFunction::Sha256 => 550,
            HashFunction::Md5
            | HashFunction::Sha1
            | HashFunction::Sha384
            | HashFunction::Sha512 => 200,
        }
    }

    fn name(&self) -> Option<&'static str> {
        match self.function {
            HashFunction::Sha256 => Some(SHA256),
            HashFunction::Sha512 => Some(SHA512),
            HashFunction::Md5 | HashFunction::Sha1 | HashFunction::Sha384 => None,
        }
    }
}

impl Primitive for ShaCrypt {
    fn check(&self, output: usize) -> Result<(), Refusal> {
        if self.name().is_none() {
            return Err(Refusal::Unsupported(
                "crypt(3) with other functions than SHA-256 and SHA-512",
            ));
        }
        output_is(output, self.function.output_length())?;
        at_most("bytes of a salt", self.salt.len() as u64, MOST_SALT)?;
        let rounds = self.rounds.into();
        at_least("crypt(3) rounds", rounds, Params::ROUNDS_MIN.into())?;
        at_most("crypt(3) rounds", rounds, MOST_ROUNDS)
    }

    fn cost(&self, _: usize, typed: usize) -> Cost {
        let blocks = 1 + typed as u64 / BLOCK;
        Cost {
            work: u64::from(self.rounds) * blocks / self.per_iteration_of_bcrypt(),
            memory: 0,
        }
    }

    fn derive(&self, input: &[u8], output: &mut [u8]) -> Result<(), Failed> {
        let params = Params::new(self.rounds).map_err(|_| Failed::Parameters)?;
        match self.function {
            HashFunction::Sha256 => {
                output.copy_from_slice(&sha_crypt::sha256_crypt(input, &self.salt, params));
            }
            HashFunction::Sha512 => {
                output.copy_from_slice(&sha_crypt::sha512_crypt(input, &self.salt, params));
            }
            HashFunction::Md5 | HashFunction::Sha1 | HashFunction::Sha384 => {
                return Err(Failed::Parameters);
            }
        }
        Ok(())
    }
}

impl fmt::Display for ShaCrypt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let salt = BASE64_NOPAD.encode(&self.salt);
        let name = self.name().unwrap_or_default();
        write!(f, "{name}$i={}${salt}", self.rounds)
    }
}
