//! A stored password, within the limits.

use std::fmt;

use bcrypt_lanes::{Digest, Input};
use data_encoding::BASE64_NOPAD;

use crate::cost::Cost;
use crate::kdf::Kdf;
use crate::pepper::{PepperName, Peppers};
use crate::primitives::bcrypt::{BASE64_BCRYPT, Bcrypt, CHECKSUM_BYTES};
use crate::primitives::{Primitive as _, at_most};
use crate::reader::Reader;
use crate::refusal::Refusal;
use crate::stage::{Derivation, Failed, Stage, in_lanes, wrapped_key};
use crate::step::{Step, Steps};

/// What canonical texts begin with.
pub(crate) const PREFIX: &str = "$in$";
const WRAPPED: &str = "wrapped";
const BCRYPT: &str = "2b";
/// No text within the limits is longer.
const MOST_TEXT: u64 = 8192;
/// A password of usual length, in bytes.
const USUAL_PASSWORD: usize = 16;

/// Steps, a function, and its output. Each value is within the limits, so it can be computed whenever a password is
/// typed. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct ImportedHash {
    steps: Steps,
    kdf: Kdf,
    expected: Expected,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Expected {
    Output(Vec<u8>),
    /// The function's output is in bcrypt.
    Wrapped(Bcrypt, [u8; CHECKSUM_BYTES]),
}

impl ImportedHash {
    /// Of `output`, which is what the function makes of the password after the steps. `Raw` comes first if no
    /// normalization does.
    ///
    /// # Errors
    /// `TooExpensive` and `TooLittle` outside the limits; `Malformed` where steps, function and length do not fit
    /// each other.
    pub fn new(steps: Vec<Step>, kdf: Kdf, output: Vec<u8>) -> Result<Self, Refusal> {
        let steps = Steps::new(steps, &kdf)?;
        kdf.primitive().check(output.len())?;
        Ok(Self {
            steps,
            kdf,
            expected: Expected::Output(output),
        })
    }

    /// Of the canonical text.
    ///
    /// # Errors
    /// `Unknown` for any other text; otherwise as [`new`](Self::new). Takes microseconds, whatever the text.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        at_most("characters", text.len() as u64, MOST_TEXT)?;
        let rest = text.strip_prefix(PREFIX).ok_or(Refusal::Unknown)?;
        let mut reader = Reader::new(rest);
        let steps = reader.field()?;
        let (kdf, expected) = match reader.field()? {
            WRAPPED => {
                let (bcrypt, checksum) = bcrypt_of(&mut reader)?;
                let name = reader.field()?;
                let kdf = Kdf::parse(name, &mut reader)?;
                let weak = Refusal::Malformed("a wrapped function is none of the weak ones");
                kdf.primitive().check(kdf.output_of_weak().ok_or(weak)?)?;
                (kdf, Expected::Wrapped(bcrypt, checksum))
            }
            BCRYPT => {
                let (bcrypt, output) = Bcrypt::parse(&mut reader)?;
                bcrypt.check(output.len())?;
                (Kdf::Bcrypt(bcrypt), Expected::Output(output))
            }
            name => {
                let kdf = Kdf::parse(name, &mut reader)?;
                let output = reader.bytes()?;
                kdf.primitive().check(output.len())?;
                (kdf, Expected::Output(output))
            }
        };
        reader.end()?;
        Ok(Self {
            steps: Steps::parse(steps, &kdf)?,
            kdf,
            expected,
        })
    }

    /// Of one computation with a password of usual length.
    pub fn cost(&self) -> Cost {
        self.cost_for(USUAL_PASSWORD)
    }

    /// Of one computation with a password of so many bytes.
    pub fn cost_for(&self, typed: usize) -> Cost {
        let output = self.expected.output_length(&self.kdf);
        let cost = self.kdf.primitive().cost(output, typed);
        match &self.expected {
            Expected::Output(_) => cost,
            Expected::Wrapped(bcrypt, _) => Cost {
                work: cost.work + bcrypt.cost(CHECKSUM_BYTES, 0).work,
                ..cost
            },
        }
    }

    /// Whether its function is one that is tried by the billion, and not in bcrypt.
    pub fn is_weak(&self) -> bool {
        matches!(self.expected, Expected::Output(_)) && self.kdf.output_of_weak().is_some()
    }

    /// Whether it is a weak function in bcrypt.
    pub fn is_wrapped(&self) -> bool {
        matches!(self.expected, Expected::Wrapped(..))
    }

    /// What must be configured for it.
    pub fn peppers(&self) -> impl Iterator<Item = &PepperName> {
        self.steps.peppers()
    }

    /// Begins a comparison. How much it computes depends on the hash and the typed text, not on whether it is right.
    ///
    /// # Errors
    /// `Pepper`, if it is not configured.
    pub fn begin(&self, typed: &str, peppers: &Peppers) -> Result<Stage, Failed> {
        let candidates = self.steps.apply(typed, &self.kdf, peppers)?;
        match (&self.kdf, &self.expected) {
            (Kdf::Bcrypt(bcrypt), Expected::Output(checksum)) => {
                let checksum = checksum
                    .as_slice()
                    .try_into()
                    .map_err(|_| Failed::Parameters)?;
                in_lanes(bcrypt, checksum, candidates.into_iter())
            }
            _ => Ok(Stage::Derive(Derivation {
                kdf: self.kdf.clone(),
                expected: self.expected.clone(),
                candidates,
            })),
        }
    }

    /// Whether the typed password is right, computed on this thread. Never, without the peppers.
    pub fn verify(&self, typed: &str, peppers: &Peppers) -> bool {
        let mut stage = self.begin(typed, peppers);
        loop {
            stage = match stage {
                Ok(Stage::Derive(derivation)) => derivation.run(),
                Ok(Stage::Bcrypt(tries)) => {
                    let matching = tries
                        .iter()
                        .filter(|(input, check)| check.matches(&bcrypt_lanes::bcrypt(input)));
                    return matching.count() > 0;
                }
                Ok(Stage::Done(is_right)) => return is_right,
                Err(_) => return false,
            }
        }
    }

    /// The same parameters without the salt and the output: what others with the same cost have too. No password is
    /// right.
    #[must_use]
    pub fn form(&self) -> Self {
        let expected = match &self.expected {
            Expected::Output(output) => Expected::Output(vec![0; output.len()]),
            Expected::Wrapped(bcrypt, _) => Expected::Wrapped(
                Bcrypt {
                    salt: [0; 16],
                    ..*bcrypt
                },
                [0; CHECKSUM_BYTES],
            ),
        };
        Self {
            steps: self.steps.clone(),
            kdf: self.kdf.clone().without_salt(),
            expected,
        }
    }

    /// The input of bcrypt that wraps a [weak](Self::is_weak) hash; `None` for others, and for a cost outside 4–16.
    /// [`wrapped`](Self::wrapped) takes its digest.
    pub fn wrap(&self, cost: u32, salt: [u8; 16]) -> Option<Input> {
        let bcrypt = Bcrypt { cost, salt };
        bcrypt.check(CHECKSUM_BYTES).ok()?;
        match &self.expected {
            Expected::Output(output) if self.is_weak() => {
                bcrypt.input(&wrapped_key(&bcrypt, output)).ok()
            }
            Expected::Output(_) | Expected::Wrapped(..) => None,
        }
    }

    /// The hash in the bcrypt whose input [`wrap`](Self::wrap) made, with the same cost and salt.
    #[must_use]
    pub fn wrapped(&self, cost: u32, salt: [u8; 16], digest: &Digest) -> Self {
        Self {
            steps: self.steps.clone(),
            kdf: self.kdf.clone(),
            expected: Expected::Wrapped(Bcrypt { cost, salt }, digest.checksum()),
        }
    }
}

impl Expected {
    pub(crate) fn output_length(&self, kdf: &Kdf) -> usize {
        match self {
            Self::Output(output) => output.len(),
            Self::Wrapped(..) => kdf.output_of_weak().unwrap_or_default(),
        }
    }
}

/// With its checksum, after [`WRAPPED`].
fn bcrypt_of(reader: &mut Reader<'_>) -> Result<(Bcrypt, [u8; CHECKSUM_BYTES]), Refusal> {
    if reader.field()? != BCRYPT {
        return Err(Refusal::Malformed("a hash is wrapped in bcrypt only"));
    }
    let (bcrypt, checksum) = Bcrypt::parse(reader)?;
    bcrypt.check(checksum.len())?;
    let checksum = checksum
        .try_into()
        .map_err(|_| Refusal::Malformed("a bcrypt hash is cut"))?;
    Ok((bcrypt, checksum))
}

impl fmt::Display for ImportedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (steps, kdf) = (&self.steps, &self.kdf);
        write!(f, "{PREFIX}{steps}$")?;
        match (kdf, &self.expected) {
            (Kdf::Bcrypt(_), Expected::Output(output)) => {
                write!(f, "{kdf}{}", BASE64_BCRYPT.encode(output))
            }
            (_, Expected::Output(output)) => write!(f, "{kdf}${}", BASE64_NOPAD.encode(output)),
            (_, Expected::Wrapped(bcrypt, checksum)) => {
                let checksum = BASE64_BCRYPT.encode(checksum);
                write!(f, "{WRAPPED}${bcrypt}{checksum}${kdf}")
            }
        }
    }
}

impl fmt::Debug for ImportedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ImportedHash(…)")
    }
}
