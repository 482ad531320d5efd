//! One HMAC under a key that is stored with it: `hmac-sha256$<key>$<output>`.

use std::fmt;

use data_encoding::BASE64_NOPAD;

use crate::cost::Cost;
use crate::hash_function::HashFunction;
use crate::primitives::{Primitive, output_is, salt_within_limits};
use crate::reader::Reader;
use crate::refusal::Refusal;
use crate::stage::Failed;

pub(crate) const PREFIX: &str = "hmac-";

/// The password is the message.
#[derive(Clone, PartialEq, Eq)]
pub struct Hmac {
    /// Below it.
    pub function: HashFunction,
    /// As bytes.
    pub key: Vec<u8>,
}

impl Hmac {
    pub(crate) fn parse(function: &str, reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            function: HashFunction::named(function)?,
            key: reader.bytes()?,
        })
    }
}

impl Primitive for Hmac {
    fn check(&self, output: usize) -> Result<(), Refusal> {
        output_is(output, self.function.output_length())?;
        salt_within_limits(&self.key)
    }

    fn cost(&self, _: usize, _: usize) -> Cost {
        Cost::default()
    }

    fn derive(&self, input: &[u8], output: &mut [u8]) -> Result<(), Failed> {
        output.copy_from_slice(&self.function.hmac(&self.key, input));
        Ok(())
    }
}

impl fmt::Display for Hmac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (function, key) = (self.function, BASE64_NOPAD.encode(&self.key));
        write!(f, "{PREFIX}{function}${key}")
    }
}
