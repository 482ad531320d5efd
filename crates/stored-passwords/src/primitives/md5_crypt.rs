//! MD5-crypt: `$1$` of FreeBSD (Kamp, 1994) and `$apr1$` of Apache: `md5crypt$<salt>$<output>`. The output is the
//! digest itself, not in the order of crypt(3).

use std::fmt;

use data_encoding::BASE64_NOPAD;

use crate::cost::Cost;
use crate::hash_function::HashFunction;
use crate::primitives::{Primitive, at_most, output_is};
use crate::reader::Reader;
use crate::refusal::Refusal;
use crate::stage::Failed;

pub(crate) const UNIX: &str = "md5crypt";
pub(crate) const APACHE: &str = "apr1";
const MOST_SALT: u64 = 8;
const ROUNDS: u64 = 1000;
/// What one digest takes of a password beside the rest.
const BLOCK: u64 = 64;
/// Rounds with a short password that take as long as one iteration of bcrypt.
const PER_ITERATION_OF_BCRYPT: u64 = 400;

/// What the texts begin with, which is digested too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    /// `$1$`
    Unix,
    /// `$apr1$`
    Apache,
}

/// The salt's text, up to 8 bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Md5Crypt {
    /// Of the text.
    pub prefix: Prefix,
    /// As text.
    pub salt: Vec<u8>,
}

impl Md5Crypt {
    pub(crate) fn parse(prefix: Prefix, reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            prefix,
            salt: reader.bytes()?,
        })
    }

    /// The digest that the rounds begin with.
    fn first(&self, input: &[u8]) -> Vec<u8> {
        let prefix: &[u8] = match self.prefix {
            Prefix::Unix => b"$1$",
            Prefix::Apache => b"$apr1$",
        };
        let other = HashFunction::Md5.digest(&[input, &self.salt, input]);
        let mut parts = vec![input, prefix, self.salt.as_slice()];
        for piece in input.chunks(other.len()) {
            parts.push(other.get(..piece.len()).unwrap_or_default());
        }
        // By the binary digits of the length, lowest first: a NUL for 1, and the first byte for 0.
        let mut length = input.len();
        while length > 0 {
            let first = input.get(..1).unwrap_or_default();
            parts.push(if length & 1 == 1 { b"\0" } else { first });
            length >>= 1;
        }
        HashFunction::Md5.digest(&parts).to_vec()
    }
}

impl Primitive for Md5Crypt {
    fn check(&self, output: usize) -> Result<(), Refusal> {
        output_is(output, HashFunction::Md5.output_length())?;
        at_most("bytes of a salt", self.salt.len() as u64, MOST_SALT)
    }

    fn cost(&self, _: usize, typed: usize) -> Cost {
        let blocks = 1 + typed as u64 / BLOCK;
        Cost {
            work: ROUNDS * blocks / PER_ITERATION_OF_BCRYPT,
            memory: 0,
        }
    }

    fn derive(&self, input: &[u8], output: &mut [u8]) -> Result<(), Failed> {
        let mut digest = zeroize::Zeroizing::new(self.first(input));
        for round in 0..ROUNDS {
            let (is_odd, empty) = (round % 2 == 1, [].as_slice());
            let next = HashFunction::Md5.digest(&[
                if is_odd { input } else { &digest },
                if round % 3 == 0 { empty } else { &self.salt },
                if round % 7 == 0 { empty } else { input },
                if is_odd { &digest } else { input },
            ]);
            digest = next;
        }
        output.copy_from_slice(&digest);
        Ok(())
    }
}

impl fmt::Display for Md5Crypt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.prefix {
            Prefix::Unix => UNIX,
            Prefix::Apache => APACHE,
        };
        write!(f, "{name}${}", BASE64_NOPAD.encode(&self.salt))
    }
}
