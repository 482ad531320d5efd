//! A comparison in stages, so that a caller can compute bcrypt in lanes, and everything else on a thread of its own.

use bcrypt_lanes::{Digest, Input};
use ctutils::CtEq as _;
use zeroize::Zeroizing;

use crate::HashFunction;
use crate::cost::Cost;
use crate::imported_hash::Expected;
use crate::kdf::Kdf;
use crate::pepper::PepperName;
use crate::primitives::bcrypt::{Bcrypt, CHECKSUM_BYTES};
use crate::step::{BCRYPT_BYTES, base64};

/// What is left to do.
pub enum Stage {
    /// Takes time and memory.
    Derive(Derivation),
    /// One for each spelling of the password; right if one of them matches.
    Bcrypt(Vec<(Input, Check)>),
    /// Whether the password was right.
    Done(bool),
}

/// Why a comparison has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// It is not configured here.
    #[error("the pepper `{0}` is not configured")]
    Pepper(PepperName),
    /// There was not enough.
    #[error("there was not enough memory to compute the hash")]
    Memory,
    /// The implementation refused them.
    #[error("the hash cannot be computed with its parameters")]
    Parameters,
}

/// Compares a digest of bcrypt.
pub struct Check {
    checksum: [u8; CHECKSUM_BYTES],
    /// Whether bcrypt reads all of the password.
    fits: bool,
}

/// Computes everything but bcrypt.
pub struct Derivation {
    pub(crate) kdf: Kdf,
    pub(crate) expected: Expected,
    pub(crate) candidates: Vec<Zeroizing<Vec<u8>>>,
}

impl Check {
    /// In constant time.
    pub fn matches(&self, digest: &Digest) -> bool {
        digest.matches(&self.checksum) && self.fits
    }
}

impl Derivation {
    /// How many spellings of the password are computed: one or two.
    pub fn spellings(&self) -> usize {
        self.candidates.len()
    }

    /// Of all spellings together, one after the other.
    pub fn cost(&self) -> Cost {
        let output = self.expected.output_length(&self.kdf);
        let primitive = self.kdf.primitive();
        let costs = self
            .candidates
            .iter()
            .map(|candidate| primitive.cost(output, candidate.len()));
        costs.fold(Cost::default(), |all, one| Cost {
            work: all.work.saturating_add(one.work),
            memory: all.memory.max(one.memory),
        })
    }

    /// Every spelling is computed, also after one that matches.
    ///
    /// # Errors
    /// `Memory` and `Parameters`.
    pub fn run(self) -> Result<Stage, Failed> {
        let outputs = self
            .candidates
            .iter()
            .map(|candidate| derived(&self.kdf, candidate, self.expected.output_length(&self.kdf)))
            .collect::<Result<Vec<_>, _>>()?;
        match &self.expected {
            Expected::Output(expected) => {
                let matching = outputs
                    .iter()
                    .filter(|output| output.ct_eq(expected).to_bool());
                Ok(Stage::Done(matching.count() > 0))
            }
            Expected::Wrapped(bcrypt, checksum) => {
                let keys = outputs.iter().map(|output| wrapped_key(bcrypt, output));
                in_lanes(bcrypt, checksum, keys)
            }
        }
    }
}

pub(crate) fn derived(
    kdf: &Kdf,
    input: &[u8],
    length: usize,
) -> Result<Zeroizing<Vec<u8>>, Failed> {
    let mut output = Zeroizing::new(vec![0; length]);
    kdf.primitive().derive(input, &mut output)?;
    Ok(output)
}

/// What of a weak output goes into the bcrypt around it: keyed, so that outputs leaked elsewhere cannot be tried.
pub(crate) fn wrapped_key(bcrypt: &Bcrypt, output: &[u8]) -> Zeroizing<Vec<u8>> {
    base64(&HashFunction::Sha256.hmac(bcrypt.salt_text().as_bytes(), output))
}

pub(crate) fn in_lanes(
    bcrypt: &Bcrypt,
    checksum: &[u8; CHECKSUM_BYTES],
    keys: impl Iterator<Item = Zeroizing<Vec<u8>>>,
) -> Result<Stage, Failed> {
    let tries = keys.map(|key| {
        let check = Check {
            checksum: *checksum,
            fits: key.len() <= BCRYPT_BYTES,
        };
        Ok((bcrypt.input(&key)?, check))
    });
    tries.collect::<Result<_, _>>().map(Stage::Bcrypt)
}
