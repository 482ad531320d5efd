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
/// What one digest takes of a password beside the rest.
const BLOCK: u64 = 64;
/// Iterations that take as long as one of bcrypt.
const PER_ITERATION_OF_BCRYPT: u64 = 180;

/// What is digested, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// What the steps have made of it.
    Password,
    /// The stored salt, as bytes.
    Salt,
    /// The same for everybody.
    Text(Vec<u8>),
    /// What the last iteration has made, and nothing in the first. With it, every iteration digests all parts.
    Previous,
}

/// The digest of the parts, and then of that digest, or of the parts again if [`Part::Previous`] is among them;
/// `iterations` in all.
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

    fn is_repeated(&self) -> bool {
        self.of.contains(&Part::Previous)
    }

    /// How many parts every iteration digests.
    fn parts_again(&self) -> u64 {
        match self.is_repeated() {
            true => self.of.len() as u64,
            false => 1,
        }
    }

    fn parts<'a>(&'a self, input: &'a [u8], previous: &'a [u8]) -> Vec<&'a [u8]> {
        let part = |part: &'a Part| match part {
            Part::Password => input,
            Part::Salt => &self.salt,
            Part::Text(text) => text,
            Part::Previous => previous,
        };
        self.of.iter().map(part).collect()
    }
}

impl Part {
    fn parse(text: &str) -> Result<Self, Refusal> {
        match text {
            "password" => Ok(Self::Password),
            "salt" => Ok(Self::Salt),
            "previous" => Ok(Self::Previous),
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
        let again = self.parts_again();
        let iterations = u64::from(self.iterations).saturating_mul(again);
        at_most("iterations × parts", iterations, MOST_ITERATIONS)
    }

    fn cost(&self, _: usize, typed: usize) -> Cost {
        let blocks = match self.is_repeated() {
            true => self.parts_again() * (1 + typed as u64 / BLOCK),
            false => 1,
        };
        Cost {
            work: u64::from(self.iterations) * blocks / PER_ITERATION_OF_BCRYPT,
            memory: 0,
        }
    }

    fn derive(&self, input: &[u8], output: &mut [u8]) -> Result<(), Failed> {
        let mut digest = self.function.digest(&self.parts(input, &[]));
        for _ in 1..self.iterations {
            digest = match self.is_repeated() {
                true => self.function.digest(&self.parts(input, &digest)),
                false => self.function.digest(&[&digest]),
            };
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
            Self::Previous => f.write_str("previous"),
            Self::Text(text) => write!(f, "text:{}", BASE64_NOPAD.encode(text)),
        }
    }
}
