//! scrypt (RFC 7914): `scrypt$ln=14,r=16,p=1$<salt>$<output>`.

use std::fmt;

use data_encoding::BASE64_NOPAD;
use scrypt::Params;

use crate::cost::Cost;
use crate::primitives::{Primitive, at_least, at_most, output_within_limits, salt_within_limits};
use crate::reader::Reader;
use crate::refusal::Refusal;
use crate::stage::Failed;

pub(crate) const NAME: &str = "scrypt";
/// N × r: 128 MiB, as 128 × N × r bytes are used.
const MOST_BLOCKS: u64 = 1 << 20;
/// N × r × p.
const MOST_WORK: u64 = 1 << 22;
/// r × p: 128 × r × p bytes are used as well.
const MOST_LANES: u64 = 1 << 17;
/// N × r × p that takes as long as one iteration of bcrypt.
const PER_ITERATION_OF_BCRYPT: u64 = 200;

/// The parameters of scrypt, and those of yescrypt that mean the same.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) log_n: u32,
    pub(crate) r: u32,
    pub(crate) p: u32,
}

impl Size {
    fn n(self) -> u64 {
        1_u64.checked_shl(self.log_n).unwrap_or(u64::MAX)
    }

    /// N × r × p.
    pub(crate) fn work(self) -> u64 {
        self.n()
            .saturating_mul(self.r.into())
            .saturating_mul(self.p.into())
    }

    pub(crate) fn check(self) -> Result<(), Refusal> {
        let (r, p) = (u64::from(self.r), u64::from(self.p));
        at_least("ln of scrypt", self.log_n.into(), 1)?;
        at_least("r × p of scrypt", r * p, 1)?;
        at_most("N × r of scrypt", self.n().saturating_mul(r), MOST_BLOCKS)?;
        at_most("N × r × p of scrypt", self.work(), MOST_WORK)?;
        at_most("r × p of scrypt", r * p, MOST_LANES)
    }

    pub(crate) fn cost(self) -> Cost {
        let (n, r, p) = (self.n(), u64::from(self.r), u64::from(self.p));
        Cost {
            work: self.work() / PER_ITERATION_OF_BCRYPT,
            memory: 128_u64.saturating_mul(r).saturating_mul(n + p),
        }
    }
}

/// The binary logarithm of N, the block size, the parallelization.
#[derive(Clone, PartialEq, Eq)]
pub struct Scrypt {
    /// N is two to the power of it.
    pub log_n: u32,
    /// The block size.
    pub r: u32,
    /// The parallelization.
    pub p: u32,
    /// As bytes.
    pub salt: Vec<u8>,
}

impl Scrypt {
    pub(crate) fn parse(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let [log_n, r, p] = reader.numbers(["ln", "r", "p"])?;
        Ok(Self {
            log_n,
            r,
            p,
            salt: reader.bytes()?,
        })
    }

    fn size(&self) -> Size {
        Size {
            log_n: self.log_n,
            r: self.r,
            p: self.p,
        }
    }
}

impl Primitive for Scrypt {
    fn check(&self, output: usize) -> Result<(), Refusal> {
        output_within_limits(output)?;
        salt_within_limits(&self.salt)?;
        self.size().check()
    }

    fn cost(&self, _: usize, _: usize) -> Cost {
        self.size().cost()
    }

    fn derive(&self, input: &[u8], output: &mut [u8]) -> Result<(), Failed> {
        let log_n = u8::try_from(self.log_n).map_err(|_| Failed::Parameters)?;
        let params = Params::new(log_n, self.r, self.p).map_err(|_| Failed::Parameters)?;
        scrypt::scrypt(input, &self.salt, &params, output).map_err(|_| Failed::Parameters)
    }
}

impl fmt::Display for Scrypt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { log_n, r, p, salt } = self;
        let salt = BASE64_NOPAD.encode(salt);
        write!(f, "{NAME}$ln={log_n},r={r},p={p}${salt}")
    }
}
