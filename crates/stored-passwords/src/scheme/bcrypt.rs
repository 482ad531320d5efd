//! bcrypt's own text, which everybody writes alike: `$2b$12$` and 53 characters.

use crate::kdf::Kdf;
use crate::primitives::bcrypt::Bcrypt;
use crate::refusal::Refusal;
use crate::step::Step;

use super::reading::Reading;
use super::text::{bcrypt64, fields};

const SALT_CHARS: usize = 22;
const CHECKSUM_CHARS: usize = 31;

/// Of the text. All implementations but Python's bcrypt 5 cut the password at 72 bytes without a word, so it is cut.
pub(super) fn bcrypt(text: &str) -> Result<Reading, Refusal> {
    let ["", version, cost, rest] = fields(text, '$')? else {
        return Err(Refusal::Malformed("a bcrypt hash begins with `$`"));
    };
    let (salt, checksum) = rest
        .split_at_checked(SALT_CHARS)
        .filter(|_| cost.len() == 2)
        .ok_or(Refusal::Malformed("a bcrypt hash has 60 characters"))?;
    parts(version, cost, salt, checksum)
}

/// Of its four parts: passlib writes them in another order.
pub(super) fn parts(
    version: &str,
    cost: &str,
    salt: &str,
    checksum: &str,
) -> Result<Reading, Refusal> {
    match version {
        "2a" | "2b" | "2y" => {}
        "2x" => return Err(Refusal::Unsupported("bcrypt in the faulty version `$2x$`")),
        "2" => return Err(Refusal::Unsupported("bcrypt in the first version `$2$`")),
        _ => return Err(Refusal::Unknown),
    }
    let is_cost = (1..=2).contains(&cost.len()) && cost.bytes().all(|b| b.is_ascii_digit());
    let cost = cost.parse().ok().filter(|_| is_cost);
    let has_length = salt.len() == SALT_CHARS && checksum.len() == CHECKSUM_CHARS;
    let kdf = Bcrypt {
        cost: cost.ok_or(Refusal::Malformed("the cost of a bcrypt hash"))?,
        salt: bcrypt64(salt)?
            .try_into()
            .ok()
            .filter(|_| has_length)
            .ok_or(Refusal::Malformed("a bcrypt hash has 60 characters"))?,
    };
    Ok(Reading::new(Kdf::Bcrypt(kdf), bcrypt64(checksum)?).after([Step::Cut72]))
}
