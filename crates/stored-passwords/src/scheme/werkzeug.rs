//! Werkzeug, and so most applications with Flask. <https://werkzeug.palletsprojects.com/en/stable/utils/>

use crate::kdf::Kdf;
use crate::primitives::scrypt::Scrypt;
use crate::refusal::Refusal;

use super::digests;
use super::phc::pbkdf2_of;
use super::reading::Reading;
use super::text::{fields, function_named, hex, log_of, number};

/// `<method>$<salt>$<hexadecimal>`. The salt is used as text. A method that is only a digest is an HMAC keyed with the
/// salt, which releases before 2.3 made.
pub(super) fn werkzeug(text: &str) -> Result<Reading, Refusal> {
    if text.starts_with("plain$") {
        return Err(Refusal::Readable);
    }
    let [method, salt, output] = fields(text, '$')?;
    let (salt, output) = (salt.as_bytes(), hex(output)?);
    match method.split_once(':') {
        Some(("scrypt", costs)) => scrypt(costs, salt, output),
        Some(("pbkdf2", costs)) => pbkdf2(costs, salt, output),
        None => {
            let function = function_named(method)?;
            Ok(match salt {
                [] => digests::plain(function, output),
                _ => digests::hmac(function, salt, output),
            })
        }
        Some(_) => Err(Refusal::Unknown),
    }
}

fn scrypt(costs: &str, salt: &[u8], output: Vec<u8>) -> Result<Reading, Refusal> {
    let [n, r, p] = fields(costs, ':')?;
    let kdf = Scrypt {
        log_n: log_of(n)?,
        r: number(r)?,
        p: number(p)?,
        salt: salt.to_vec(),
    };
    Ok(Reading::new(Kdf::Scrypt(kdf), output))
}

fn pbkdf2(costs: &str, salt: &[u8], output: Vec<u8>) -> Result<Reading, Refusal> {
    let [function, iterations] = fields(costs, ':')?;
    let (function, iterations) = (function_named(function)?, number(iterations)?);
    Ok(pbkdf2_of(function, iterations, salt.to_vec(), output))
}
