//! A digest of a declared recipe: `sha1$i=1,of=password.salt$<salt>$<output>`.

use std::fmt;

use data_encoding::BASE64_NOPAD;

use crate::cost::Cost;
use crate::hash_function::HashFunction;
use crate::primitives::{Primitive, at_least, at_most, output_is, salt_within_limits};
use crate::reader::{Reader, number_of};
use crate::refusal::Refusal;
use crate::stage::Failed;

const MOST_ITERATIONS: u64 = 100_000;
const MOST_PARTS: u64 = 16;
const MOST_TEXT: u64 = 256;
/// Iterations that take as long as one of bcrypt.
const PER_ITERATION_OF_BCRYPT: u64 = 128;

/// What is digested, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// What the steps have made of it.
    Password,
    /// The stored salt, as bytes.
    Salt,
    /// The same for everybody.
    Text(Vec<u8>),
}

/// The digest of the parts, and then of that digest, `iterations` in all.
#[derive(Clone, PartialEq, Eq)]
pub struct Digest {
    /// Of every iteration.
    pub function: HashFunction,
    /// From 1.
    pub iterations: u32,
    /// The password is among them.
    pub of: Vec<Part>,
    /// Empty if it is not among the parts.
    pub salt: Vec<u8>,
}

impl Digest {
    pub(crate) fn parse(function: &str, reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let function = HashFunction::named(function)?;
        let [iterations, of] = reader.parameters(["i", "of"])?;
        Ok(Self {
            function,
            iterations: number_of(iterations)?,
            of: of.split('.').map(Part::parse).collect::<Result<_, _>>()?,
            salt: reader.bytes()?,
        })
    }
}

impl Part {
    fn parse(text: &str) -> Result<Self, Refusal> {
        match text {
            "password" => Ok(Self::Password),
            "salt" => Ok(Self::Salt),
            _ => text
                .strip_prefix("text:")
                .and_then(|bytes| BASE64_NOPAD.decode(bytes.as_bytes()).ok())
                .map(Self::Text)
                .ok_or(Refusal::Malformed("a part of a recipe is unknown")),
        }
    }
}

impl Primitive for Digest {
    fn check(&self, output: usize) -> Result<(), Refusal> {
        output_is(output, self.function.output_length())?;
        salt_within_limits(&self.salt)?;
        // Else every password would be right.
        if !self.of.contains(&Part::Password) {
            return Err(Refusal::Malformed("a recipe is without the password"));
        }
        if self.of.contains(&Part::Salt) == self.salt.is_empty() {
            return Err(Refusal::Malformed(
                "a recipe has a salt if and only if one is stored",
            ));
        }
        at_most("parts of a recipe", self.of.len() as u64, MOST_PARTS)?;
        for part in &self.of {
            if let Part::Text(text) = part {
                at_most("bytes of a text in a recipe", text.len() as u64, MOST_TEXT)?;
            }
        }
        at_least("iterations", self.iterations.into(), 1)?;
        at_most("iterations", self.iterations.into(), MOST_ITERATIONS)
    }

    fn cost(&self, _: usize, _: usize) -> Cost {
        Cost {
            work: u64::from(self.iterations) / PER_ITERATION_OF_BCRYPT,
            memory: 0,
        }
    }

    fn derive(&self, input: &[u8], output: &mut [u8]) -> Result<(), Failed> {
        let parts: Vec<&[u8]> = self
            .of
            .iter()
            .map(|part| match part {
                Part::Password => input,
                Part::Salt => &self.salt,
                Part::Text(text) => text,
            })
            .collect();
        let mut digest = self.function.digest(&parts);
        for _ in 1..self.iterations {
            digest = self.function.digest(&[&digest]);
        }
        output.copy_from_slice(&digest);
        Ok(())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (function, iterations) = (self.function, self.iterations);
        let of: Vec<String> = self.of.iter().map(ToString::to_string).collect();
        let (of, salt) = (of.join("."), BASE64_NOPAD.encode(&self.salt));
        write!(f, "{function}$i={iterations},of={of}${salt}")
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password => f.write_str("password"),
            Self::Salt => f.write_str("salt"),
            Self::Text(text) => write!(f, "text:{}", BASE64_NOPAD.encode(text)),
        }
    }
}
