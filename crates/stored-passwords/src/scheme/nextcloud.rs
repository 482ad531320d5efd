//! Nextcloud's `<version>|<hash>`.
//! <https://github.com/nextcloud/server/blob/master/lib/private/Security/Hasher.php>

use crate::hash_function::HashFunction;
use crate::pepper::PepperName;
use crate::refusal::Refusal;
use crate::step::Step;

use super::bcrypt::bcrypt;
use super::digests;
use super::modular::modular;
use super::reading::Reading;
use super::text::hex;

/// Hashes without a version are older: bcrypt with the site's `passwordsalt` behind the password, or SHA-1.
pub(super) fn nextcloud(text: &str, salt: Option<&PepperName>) -> Result<Reading, Refusal> {
    match text.split_once('|') {
        Some(("1" | "2" | "3", hash)) => modular(hash),
        Some(_) => Err(Refusal::Unknown),
        None if text.len() == 2 * HashFunction::Sha1.output_length() => {
            Ok(digests::plain(HashFunction::Sha1, hex(text)?))
        }
        None => {
            let salt = salt.ok_or(Refusal::Missing(
                "a pepper, the `passwordsalt` of config.php",
            ))?;
            Ok(bcrypt(text)?.after([Step::Pepper(salt.clone())]))
        }
    }
}

/// Whether it begins with a version.
pub(super) fn has_version(text: &str) -> bool {
    matches!(text.as_bytes(), [b'1'..=b'3', b'|', b'$', ..])
}
