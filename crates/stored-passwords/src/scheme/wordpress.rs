//! WordPress. It trims every password that somebody types.
//! <https://developer.wordpress.org/reference/functions/wp_check_password/>

use crate::hash_function::HashFunction;
use crate::refusal::Refusal;
use crate::step::Step;

use super::modular::modular;
use super::reading::Reading;
use super::text::hex;
use super::{crypt, digests};

/// `$wp$2y$10$…` since 6.8, `$P$B…` before, MD5 in hexadecimal before 2.5, and what plugins make of `password_hash`.
pub(super) fn wordpress(text: &str) -> Result<Reading, Refusal> {
    if text.starts_with("$wp$") {
        return bcrypt(text);
    }
    let reading = match text.len() == 2 * HashFunction::Md5.output_length() {
        true if !text.starts_with('$') => digests::plain(HashFunction::Md5, hex(text)?),
        _ if text.starts_with("$P$") || text.starts_with("$H$") => crypt::phpass(text)?,
        _ => modular(text)?,
    };
    Ok(reading.after([Step::Trim]))
}

/// `$wp` before bcrypt's text: bcrypt of a keyed digest.
pub(super) fn bcrypt(text: &str) -> Result<Reading, Refusal> {
    let rest = text.strip_prefix("$wp").ok_or(Refusal::Unknown)?;
    Ok(super::bcrypt::bcrypt(rest)?.after([Step::Trim, Step::HmacWordPress]))
}
