//! yescrypt as crypt(3) has it in `$y$` (<https://www.openwall.com/yescrypt/>), in its read-write flavour and without
//! a ROM: `yescrypt$ln=12,r=32,p=1,t=0$<salt>$<output>`.

use std::fmt;

use data_encoding::BASE64_NOPAD;
use yescrypt::{Mode, Params};

use crate::cost::Cost;
use crate::primitives::scrypt::Size;
use crate::primitives::{Primitive, at_least, at_most, output_within_limits, salt_within_limits};
use crate::reader::Reader;
use crate::refusal::Refusal;
use crate::stage::Failed;

pub(crate) const NAME: &str = "yescrypt";
/// N × r × p × (t + 1), which is proportional to the time.
const MOST_WORK: u64 = 1 << 22;

/// As for scrypt, and `t`, which adds time without memory.
#[derive(Clone, PartialEq, Eq)]
pub struct Yescrypt {
    /// N is two to the power of it.
    pub log_n: u32,
    /// The block size.
    pub r: u32,
    /// The parallelization.
    pub p: u32,
    /// More time: 0 is usual.
    pub t: u32,
    /// As bytes.
    pub salt: Vec<u8>,
}

impl Yescrypt {
    pub(crate) fn parse(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let [log_n, r, p, t] = reader.numbers(["ln", "r", "p", "t"])?;
        Ok(Self {
            log_n,
            r,
            p,
            t,
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

    fn passes(&self) -> u64 {
        u64::from(self.t) + 1
    }

    fn params(&self) -> Option<Params> {
        let n = 1_u64.checked_shl(self.log_n)?;
        // The crate divides by it.
        let p = (self.p > 0).then_some(self.p)?;
        Params::new_with_all_params(Mode::Rw, n, self.r, p, self.t, 0).ok()
    }
}

impl Primitive for Yescrypt {
    fn check(&self, output: usize) -> Result<(), Refusal> {
        output_within_limits(output)?;
        salt_within_limits(&self.salt)?;
        self.size().check()?;
        let work = self.size().work().saturating_mul(self.passes());
        at_most("N × r × p × (t + 1) of yescrypt", work, MOST_WORK)?;
        at_least("r of yescrypt", self.r.into(), 1)?;
        match self.params() {
            Some(_) => Ok(()),
            None => Err(Refusal::Malformed("yescrypt has no such parameters")),
        }
    }

    fn cost(&self, _: usize, _: usize) -> Cost {
        let once = self.size().cost();
        Cost {
            work: once.work.saturating_mul(self.passes()),
            ..once
        }
    }

    fn derive(&self, input: &[u8], output: &mut [u8]) -> Result<(), Failed> {
        let params = self.params().ok_or(Failed::Parameters)?;
        yescrypt::yescrypt(input, &self.salt, &params, output).map_err(|_| Failed::Parameters)
    }
}

impl fmt::Display for Yescrypt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { log_n, r, p, t, .. } = self;
        let salt = BASE64_NOPAD.encode(&self.salt);
        write!(f, "{NAME}$ln={log_n},r={r},p={p},t={t}${salt}")
    }
}
