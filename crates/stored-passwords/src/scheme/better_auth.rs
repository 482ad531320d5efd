//! better-auth. <https://www.better-auth.com/docs/authentication/email-password>

use crate::kdf::Kdf;
use crate::primitives::scrypt::Scrypt;
use crate::refusal::Refusal;
use crate::step::Step;

use super::reading::Reading;
use super::text::{fields, hex};

const OUTPUT: usize = 64;

/// `<salt>:<hash>` in hexadecimal, of the NFKC form. The salt's digits themselves are the salt.
pub(super) fn better_auth(text: &str) -> Result<Reading, Refusal> {
    let [salt, output] = fields(text, ':')?;
    hex(salt)?;
    let output = hex(output)?;
    if output.len() != OUTPUT {
        return Err(Refusal::Malformed("better-auth's hashes have 64 bytes"));
    }
    let kdf = Scrypt {
        log_n: 14,
        r: 16,
        p: 1,
        salt: salt.as_bytes().to_vec(),
    };
    Ok(Reading::new(Kdf::Scrypt(kdf), output).after([Step::Nfkc]))
}
