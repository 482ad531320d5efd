//! argon2d, argon2i and argon2id, in versions 1.0 and 1.3 (RFC 9106): `argon2id$v=19,m=65536,t=3,p=4$<salt>$<output>`.

use std::fmt;

use argon2::{Algorithm, Params};
use data_encoding::BASE64_NOPAD;

use crate::cost::Cost;
use crate::primitives::{Primitive, at_least, at_most, salt_within_limits};
use crate::reader::{Reader, number_of};
use crate::refusal::Refusal;
use crate::stage::Failed;

pub(crate) const PREFIX: &str = "argon2";
const LEAST_OUTPUT: usize = 12;
const MOST_OUTPUT: usize = 1024;
const LEAST_SALT: usize = 8;
/// In KiB: 256 MiB.
const MOST_MEMORY: u64 = 256 * 1024;
/// Memory in KiB × passes: 1 GiB.
const MOST_WORK: u64 = 1024 * 1024;
const MOST_LANES: u32 = 16;
/// KiB × passes that take as long as one iteration of bcrypt.
const PER_ITERATION_OF_BCRYPT: u64 = 80;

/// The variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// argon2d.
    D,
    /// argon2i.
    I,
    /// argon2id.
    Id,
}

/// A text without `v=` is of version 1.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 1.0, `v=16`.
    V10,
    /// 1.3, `v=19`.
    V13,
}

/// Memory in KiB, passes over it, lanes.
#[derive(Clone, PartialEq, Eq)]
pub struct Argon2 {
    /// d, i or id.
    pub variant: Variant,
    /// 1.0 or 1.3.
    pub version: Version,
    /// In KiB.
    pub memory: u32,
    /// Over the memory.
    pub passes: u32,
    /// Also called parallelism.
    pub lanes: u32,
    /// As bytes.
    pub salt: Vec<u8>,
}

impl Argon2 {
    pub(crate) fn parse(variant: &str, reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let variant = match variant {
            "d" => Variant::D,
            "i" => Variant::I,
            "id" => Variant::Id,
            _ => return Err(Refusal::Unknown),
        };
        let [version, memory, passes, lanes] = reader.parameters(["v", "m", "t", "p"])?;
        let version = match version {
            "16" => Version::V10,
            "19" => Version::V13,
            _ => return Err(Refusal::Malformed("argon2 has the versions 16 and 19")),
        };
        Ok(Self {
            variant,
            version,
            memory: number_of(memory)?,
            passes: number_of(passes)?,
            lanes: number_of(lanes)?,
            salt: reader.bytes()?,
        })
    }

    fn work(&self) -> u64 {
        u64::from(self.memory).saturating_mul(self.passes.into())
    }

    fn algorithm(&self) -> Algorithm {
        match self.variant {
            Variant::D => Algorithm::Argon2d,
            Variant::I => Algorithm::Argon2i,
            Variant::Id => Algorithm::Argon2id,
        }
    }

    fn crates_version(&self) -> argon2::Version {
        match self.version {
            Version::V10 => argon2::Version::V0x10,
            Version::V13 => argon2::Version::V0x13,
        }
    }
}

impl Primitive for Argon2 {
    fn check(&self, output: usize) -> Result<(), Refusal> {
        at_least(
            "bytes of an argon2 hash",
            output as u64,
            LEAST_OUTPUT as u64,
        )?;
        at_most("bytes of an argon2 hash", output as u64, MOST_OUTPUT as u64)?;
        let salt = self.salt.len() as u64;
        at_least("bytes of an argon2 salt", salt, LEAST_SALT as u64)?;
        salt_within_limits(&self.salt)?;
        at_most("argon2 lanes", self.lanes.into(), MOST_LANES.into())?;
        at_most("argon2 memory in KiB", self.memory.into(), MOST_MEMORY)?;
        at_most("argon2 memory in KiB × passes", self.work(), MOST_WORK)?;
        // Zeros, and less memory than the lanes need.
        Params::new(self.memory, self.passes, self.lanes, Some(output))
            .map(drop)
            .map_err(|_| Refusal::Malformed("argon2 has no such parameters"))
    }

    fn cost(&self, _: usize, _: usize) -> Cost {
        Cost {
            work: self.work() / PER_ITERATION_OF_BCRYPT,
            memory: u64::from(self.memory) * 1024,
        }
    }

    fn derive(&self, input: &[u8], output: &mut [u8]) -> Result<(), Failed> {
        let params = Params::new(self.memory, self.passes, self.lanes, Some(output.len()))
            .map_err(|_| Failed::Parameters)?;
        argon2::Argon2::new(self.algorithm(), self.crates_version(), params)
            .hash_password_into(input, &self.salt, output)
            .map_err(|error| match error {
                argon2::Error::OutOfMemory => Failed::Memory,
                _ => Failed::Parameters,
            })
    }
}

impl fmt::Display for Argon2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variant = match self.variant {
            Variant::D => "d",
            Variant::I => "i",
            Variant::Id => "id",
        };
        let version = match self.version {
            Version::V10 => 16,
            Version::V13 => 19,
        };
        let Self {
            memory,
            passes,
            lanes,
            ..
        } = self;
        let salt = BASE64_NOPAD.encode(&self.salt);
        write!(
            f,
            "{PREFIX}{variant}$v={version},m={memory},t={passes},p={lanes}${salt}"
        )
    }
}
