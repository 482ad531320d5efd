//! Texts in which nothing says what they are.

use crate::refusal::Refusal;

/// What such a text can be.
pub(super) fn nameless(text: &str) -> Refusal {
    let is_hex = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit());
    match text.split_once(':') {
        Some((salt, output)) if is_hex(salt) && is_hex(output) => Refusal::Ambiguous(
            "`better-auth` and recipes such as `salt:hash scrypt(password, salt, 16384, 8, 1)`",
        ),
        None if is_hex(text) && text.len() >= SHORTEST_DIGEST => Refusal::Undeclared,
        None if is_des(text) => Refusal::Unsupported("crypt(3) with DES"),
        None if is_mysql(text) => Refusal::Unsupported("MySQL's `PASSWORD()`"),
        _ => Refusal::Unknown,
    }
}

/// MD5, in hexadecimal.
const SHORTEST_DIGEST: usize = 32;

/// 13 characters of crypt(3)'s base64, or BSD's 20 after a `_`.
fn is_des(text: &str) -> bool {
    let is_crypt = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'/';
    let (body, length) = match text.strip_prefix('_') {
        Some(body) => (body, 19),
        None => (text, 13),
    };
    body.len() == length && body.bytes().all(is_crypt)
}

fn is_mysql(text: &str) -> bool {
    let digits = text.strip_prefix('*').unwrap_or_default();
    digits.len() == 40 && digits.bytes().all(|b| b.is_ascii_hexdigit())
}
