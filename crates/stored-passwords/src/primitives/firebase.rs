//! Firebase's scrypt (<https://github.com/firebase/scrypt>): the project's signer key, encrypted with AES-256-CTR under
//! a key made by scrypt: `firebase$ln=14,r=8$<salt>$<separator>$<signer key>$<output>`.

use std::fmt;

use aes::Aes256;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit as _, StreamCipher as _};
use data_encoding::BASE64_NOPAD;
use zeroize::Zeroizing;

use crate::cost::Cost;
use crate::primitives::scrypt::Scrypt;
use crate::primitives::{Primitive, output_is, output_within_limits};
use crate::reader::Reader;
use crate::refusal::Refusal;
use crate::stage::Failed;

pub(crate) const NAME: &str = "firebase";
const KEY_BYTES: usize = 32;

/// The project's four values, and the salt of the account.
#[derive(Clone, PartialEq, Eq)]
pub struct Firebase {
    /// "Memory cost": the binary logarithm of scrypt's N.
    pub log_n: u32,
    /// "Rounds": scrypt's r.
    pub rounds: u32,
    /// Of the account.
    pub salt: Vec<u8>,
    /// Of the project.
    pub separator: Vec<u8>,
    /// Of the project.
    pub signer_key: Vec<u8>,
}

impl Firebase {
    pub(crate) fn parse(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let [log_n, rounds] = reader.numbers(["ln", "r"])?;
        Ok(Self {
            log_n,
            rounds,
            salt: reader.bytes()?,
            separator: reader.bytes()?,
            signer_key: reader.bytes()?,
        })
    }

    fn scrypt(&self) -> Scrypt {
        Scrypt {
            log_n: self.log_n,
            r: self.rounds,
            p: 1,
            salt: [self.salt.as_slice(), &self.separator].concat(),
        }
    }
}

impl Primitive for Firebase {
    fn check(&self, output: usize) -> Result<(), Refusal> {
        output_within_limits(output)?;
        output_is(output, self.signer_key.len())?;
        self.scrypt().check(KEY_BYTES)
    }

    fn cost(&self, _: usize, typed: usize) -> Cost {
        self.scrypt().cost(KEY_BYTES, typed)
    }

    fn derive(&self, input: &[u8], output: &mut [u8]) -> Result<(), Failed> {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        self.scrypt().derive(input, key.as_mut_slice())?;
        output.copy_from_slice(&self.signer_key);
        Ctr128BE::<Aes256>::new((&*key).into(), &[0; 16].into()).apply_keystream(output);
        Ok(())
    }
}

impl fmt::Display for Firebase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [salt, separator, key] =
            [&self.salt, &self.separator, &self.signer_key].map(|bytes| BASE64_NOPAD.encode(bytes));
        let (log_n, rounds) = (self.log_n, self.rounds);
        write!(f, "{NAME}$ln={log_n},r={rounds}${salt}${separator}${key}")
    }
}
