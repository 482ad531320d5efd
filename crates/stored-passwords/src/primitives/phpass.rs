//! phpass's portable hash, `$P$` and `$H$` (<https://www.openwall.com/phpass/>): `phpass$ln=13$<salt>$<output>`. The
//! output is the digest itself.

use std::fmt;

use data_encoding::BASE64_NOPAD;

use crate::cost::Cost;
use crate::hash_function::HashFunction;
use crate::primitives::{Primitive, at_least, at_most, output_is};
use crate::reader::Reader;
use crate::refusal::Refusal;
use crate::stage::Failed;

pub(crate) const NAME: &str = "phpass";
const LEAST_LOG_ROUNDS: u64 = 7;
const MOST_LOG_ROUNDS: u64 = 20;
/// What one digest takes of a password beside the previous digest.
const BLOCK: u64 = 64;
/// Rounds with a short password that take as long as one iteration of bcrypt.
const PER_ITERATION_OF_BCRYPT: u64 = 400;

/// The binary logarithm of the rounds, and the salt's text.
#[derive(Clone, PartialEq, Eq)]
pub struct Phpass {
    /// 7 to 20.
    pub log_rounds: u32,
    /// As text.
    pub salt: [u8; 8],
}

impl Phpass {
    pub(crate) fn parse(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let [log_rounds] = reader.numbers(["ln"])?;
        Ok(Self {
            log_rounds,
            salt: reader.array()?,
        })
    }
}

impl Primitive for Phpass {
    fn check(&self, output: usize) -> Result<(), Refusal> {
        output_is(output, HashFunction::Md5.output_length())?;
        let log_rounds = self.log_rounds.into();
        at_least("ln of phpass", log_rounds, LEAST_LOG_ROUNDS)?;
        at_most("ln of phpass", log_rounds, MOST_LOG_ROUNDS)
    }

    fn cost(&self, _: usize, typed: usize) -> Cost {
        let blocks = 1 + typed as u64 / BLOCK;
        Cost {
            work: (blocks << self.log_rounds) / PER_ITERATION_OF_BCRYPT,
            memory: 0,
        }
    }

    fn derive(&self, input: &[u8], output: &mut [u8]) -> Result<(), Failed> {
        let mut digest = HashFunction::Md5.digest(&[&self.salt, input]);
        for _ in 0..1_u64 << self.log_rounds {
            digest = HashFunction::Md5.digest(&[&digest, input]);
        }
        output.copy_from_slice(&digest);
        Ok(())
    }
}

impl fmt::Display for Phpass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let salt = BASE64_NOPAD.encode(&self.salt);
        write!(f, "{NAME}$ln={}${salt}", self.log_rounds)
    }
}
