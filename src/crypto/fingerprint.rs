//! Short names for long texts that are not secret.

use data_encoding::BASE64URL_NOPAD;
use ring::digest::{SHA256, digest};

/// Of a few thousand texts, two have the same one in one of 10^12 cases.
const BYTES: usize = 8;

/// The first eight bytes of the SHA-256 in base64url: 11 characters.
pub fn fingerprint(text: &str) -> String {
    let digest = digest(&SHA256, text.as_bytes());
    let first = digest.as_ref().iter().copied().take(BYTES);
    BASE64URL_NOPAD.encode(&first.collect::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with Python's `hashlib` and `base64`.
    #[test]
    fn a_fingerprint_is_the_start_of_sha_256() {
        assert_eq!(fingerprint("abc"), "ungWv48Bz-o");
    }
}
