//! Hallpass itself: what its export holds.

use crate::refusal::Refusal;
use crate::step::Step;

use super::reading::Reading;
use super::{bcrypt, passlib};

/// `$2b$…` for passwords of up to 71 bytes and `$bcrypt-sha256$v=2,…` for longer ones, of the NFKC form. What was
/// imported there and not typed since is in the canonical form already.
pub(super) fn hallpass(text: &str) -> Result<Reading, Refusal> {
    let reading = if text.starts_with("$bcrypt-sha256$") {
        passlib::bcrypt_sha256(text)?
    } else {
        bcrypt::bcrypt(text)?
    };
    Ok(reading.after([Step::Nfkc]))
}
