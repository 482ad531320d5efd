//! bcrypt (Provos and Mazières, 1999): `2b$12$<salt and checksum>`. `$2a$` and `$2y$` are the same function.

use std::fmt;
use std::sync::LazyLock;

use bcrypt_lanes::Input;
use data_encoding::{Encoding, Specification};

use crate::cost::Cost;
use crate::primitives::{Primitive, at_most, output_is};
use crate::reader::Reader;
use crate::refusal::Refusal;
use crate::stage::Failed;

const SALT_CHARS: usize = 22;
pub(crate) const CHECKSUM_BYTES: usize = 23;
/// One of them takes seconds.
const MOST_COST: u32 = 16;

/// A cost of 4–16, and the salt as bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Bcrypt {
    /// The binary logarithm of the iterations.
    pub cost: u32,
    /// As bytes.
    pub salt: [u8; 16],
}

impl Bcrypt {
    /// With the checksum, after the `2b`.
    pub(crate) fn parse(reader: &mut Reader<'_>) -> Result<(Self, Vec<u8>), Refusal> {
        let cost = reader.field()?;
        let is_cost = cost.len() == 2 && cost.bytes().all(|b| b.is_ascii_digit());
        let cost = cost.parse().ok().filter(|_| is_cost);
        let (salt, checksum) = reader
            .field()?
            .split_at_checked(SALT_CHARS)
            .ok_or(Refusal::Malformed("a bcrypt hash is cut"))?;
        let bytes = |text: &str| BASE64_BCRYPT.decode(text.as_bytes()).ok();
        let parsed = cost.zip(bytes(salt).and_then(|salt| salt.try_into().ok()));
        let (cost, salt) = parsed.ok_or(Refusal::Malformed("cost or salt of a bcrypt hash"))?;
        let checksum = bytes(checksum).ok_or(Refusal::Malformed("checksum of a bcrypt hash"))?;
        Ok((Self { cost, salt }, checksum))
    }

    /// As in the stored text; some pre-steps are keyed with it.
    pub(crate) fn salt_text(&self) -> String {
        BASE64_BCRYPT.encode(&self.salt)
    }

    /// The key is cut at 72 bytes.
    pub(crate) fn input(&self, key: &[u8]) -> Result<Input, Failed> {
        Input::new(key, self.salt, self.cost).map_err(|_| Failed::Parameters)
    }
}

impl Primitive for Bcrypt {
    fn check(&self, output: usize) -> Result<(), Refusal> {
        output_is(output, CHECKSUM_BYTES)?;
        if self.cost < 4 {
            return Err(Refusal::Malformed("bcrypt has costs from 4"));
        }
        at_most("a bcrypt cost", self.cost.into(), MOST_COST.into())
    }

    fn cost(&self, _: usize, _: usize) -> Cost {
        Cost {
            work: 1 << self.cost,
            memory: 0,
        }
    }

    fn derive(&self, input: &[u8], output: &mut [u8]) -> Result<(), Failed> {
        let digest = bcrypt_lanes::bcrypt(&self.input(input)?);
        for (to, from) in output.iter_mut().zip(digest.checksum()) {
            *to = from;
        }
        Ok(())
    }
}

impl fmt::Display for Bcrypt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "2b${:02}${}", self.cost, self.salt_text())
    }
}

/// Base64 with bcrypt's alphabet, without padding.
pub(crate) static BASE64_BCRYPT: LazyLock<Encoding> = LazyLock::new(|| {
    let mut alphabet = Specification::new();
    alphabet
        .symbols
        .push_str("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
    #[expect(
        clippy::expect_used,
        reason = "a constant of 64 different characters, covered by every test here"
    )]
    alphabet.encoding().expect("bcrypt's alphabet is valid")
});
