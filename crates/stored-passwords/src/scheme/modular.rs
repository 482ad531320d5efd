//! Texts that begin with `$`, and say themselves what they are.

use crate::refusal::Refusal;

use super::bcrypt::bcrypt;
use super::nameless::nameless;
use super::reading::Reading;
use super::{crypt, firebase, kratos, passlib, phc, wordpress};

/// The text between the first two `$` decides; where two systems write the same, what follows it.
pub(super) fn modular(text: &str) -> Result<Reading, Refusal> {
    let rest = text.strip_prefix('$').ok_or(Refusal::Unknown)?;
    let (id, rest) = rest.split_once('$').ok_or(Refusal::Unknown)?;
    match id {
        "2a" | "2b" | "2y" | "2x" | "2" => bcrypt(text),
        "argon2d" | "argon2i" | "argon2id" => phc::argon2(text),
        "1" | "apr1" => crypt::md5_crypt(text),
        "5" | "6" => crypt::sha_crypt(text),
        "y" => crypt::yescrypt(text),
        _ if id == "pbkdf2" || id.starts_with("pbkdf2-") => pbkdf2(text, rest),
        "scrypt" => phc::scrypt_of_either(text),
        "bcrypt-sha256" => passlib::bcrypt_sha256(text),
        "p5k2" => passlib::p5k2(text),
        "fbscrypt" => firebase::of_gotrue(text),
        "wp" => wordpress::bcrypt(text),
        "firescrypt" | "md5-crypt" | "sha256-crypt" | "sha512-crypt" => kratos::kratos(text),
        _ if id.starts_with("hmac-") || kratos::is_digest(id, rest) => kratos::kratos(text),
        "P" | "H" => Err(Refusal::Ambiguous("`wordpress` and `phpass`")),
        _ => Err(refused(id)),
    }
}

fn pbkdf2(text: &str, rest: &str) -> Result<Reading, Refusal> {
    match rest.split('$').next() {
        Some(costs) if costs.contains("f=") => phc::pbkdf2_of_mattermost(text),
        Some(costs) if costs.contains('=') => phc::pbkdf2(text),
        _ => phc::pbkdf2_of_passlib(text),
    }
}

/// What is known, and not computed.
fn refused(id: &str) -> Refusal {
    match id.split(',').next() {
        Some("gy") => Refusal::Unsupported("gost-yescrypt, `$gy$`"),
        Some("7") => Refusal::Unsupported("scrypt in the form `$7$`"),
        Some("md5") => Refusal::Unsupported("SunMD5, `$md5`"),
        Some("sha1") => Refusal::Unsupported("sha1crypt, `$sha1$`"),
        Some("3") => Refusal::Unsupported("the NT hash, `$3$`"),
        Some("S") => Refusal::Unsupported("Drupal 7's hash, `$S$`"),
        Some("scram") => Refusal::Unsupported("passlib's `$scram$`"),
        _ => Refusal::Unknown,
    }
}

/// What crypt(3) has written, in a file or behind `{CRYPT}`.
pub(super) fn crypt_text(text: &str) -> Result<Reading, Refusal> {
    match text.starts_with('$') {
        true => modular(text),
        false => Err(nameless(text)),
    }
}
