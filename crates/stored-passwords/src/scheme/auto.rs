//! Texts that say themselves what they are, and in which only one reading is possible.

use crate::refusal::Refusal;

use super::json::json;
use super::modular::modular;
use super::nameless::nameless;
use super::reading::Reading;
use super::stored::Stored;
use super::{
    aspnet, auth0, braces, columns, django, keycloak, logto, nextcloud, passlib, spring, werkzeug,
};

/// Refuses what two systems write alike, and names them.
pub(super) fn auto(text: &str, stored: &Stored<'_>) -> Result<Reading, Refusal> {
    match text.as_bytes() {
        [b'$', ..] => modular(text),
        [b'[', ..] => logto::legacy(text),
        [b'{', b'"' | b' ' | b'\n' | b'\r' | b'\t', ..] => object(text),
        [b'{', ..] if spring::is_named(text) => spring::spring(text),
        [b'{', ..] => braces::braces(text),
        _ if nextcloud::has_version(text) => nextcloud::nextcloud(text, None),
        _ if text.starts_with("grub.") => passlib::passlib(text),
        _ if text.starts_with(columns::PAYLOAD) => columns::payload(text, stored),
        _ if text.starts_with("scrypt:") || text.starts_with("pbkdf2:") => werkzeug::werkzeug(text),
        _ if text.starts_with("plain$") => Err(Refusal::Readable),
        _ if text.starts_with(ASPNET) => aspnet::aspnet(text),
        _ => named(text),
    }
}

/// What version 3 of ASP.NET's hashes begins with, up to the highest byte of the digest's number.
const ASPNET: &str = "AQAAAA";

fn object(text: &str) -> Result<Reading, Refusal> {
    let object = json(text)?;
    match auth0::is_custom(&object) {
        true => auth0::auth0(text),
        false if object.get("secretData").is_some() => keycloak::keycloak(text, None),
        false => Err(Refusal::Unknown),
    }
}

/// `<name>$…`, and what has no name.
fn named(text: &str) -> Result<Reading, Refusal> {
    let name = text.split_once('$').map(|(name, _)| name);
    match name {
        Some("pbkdf2_sha256") => Err(Refusal::Ambiguous("`django` and `clerk`")),
        // Clerk's has another length.
        Some("pbkdf2_sha1") => {
            django::django(text).map_err(|_| Refusal::Ambiguous("`django` and `clerk`"))
        }
        Some("sha1" | "md5") => Err(Refusal::Ambiguous("`django` and `werkzeug`")),
        Some("sha256" | "sha384" | "sha512") => Err(Refusal::Ambiguous(
            "`werkzeug` and recipes such as `sha256(salt + password)`",
        )),
        Some("scrypt" | "argon2" | "bcrypt" | "bcrypt_sha256" | "crypt") => django::django(text),
        Some(_) => Err(Refusal::Unknown),
        None => Err(nameless(text)),
    }
}
