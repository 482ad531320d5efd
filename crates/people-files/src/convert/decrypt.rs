//! Columns that other systems encrypt.

use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use data_encoding::HEXLOWER_PERMISSIVE;
use sha2::{Digest, Sha256};

use crate::candidate::Problem;
use crate::mapping::Cipher;

const NONCE_BYTES: usize = 24;

/// # Errors
/// The secret is another one, or the text is nothing that was encrypted.
pub(crate) fn decrypt(text: &str, cipher: Cipher, secret: &[u8]) -> Result<String, Problem> {
    match cipher {
        Cipher::BetterAuth => better_auth(text, secret).ok_or_else(|| {
            Problem::new(
                "not_decrypted",
                "It cannot be decrypted with this secret.",
                "Check the secret of the old system in the HALLPASS_IMPORT_PEPPER_… setting that the mapping names.",
            )
        }),
    }
}

/// Nonce, text and tag in hexadecimal, and before them `$ba$<version>$` where secrets are versioned.
fn better_auth(text: &str, secret: &[u8]) -> Option<String> {
    let (version, digits) = match text.strip_prefix("$ba$") {
        Some(rest) => rest
            .split_once('$')
            .map(|(version, digits)| (Some(version), digits))?,
        None => (None, text),
    };
    let bytes = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok()?;
    let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES)?;
    let nonce = XNonce::try_from(nonce).ok()?;
    let open = |secret: &str| {
        let key = Sha256::digest(secret.as_bytes());
        let opened = XChaCha20Poly1305::new(&key).decrypt(&nonce, sealed).ok()?;
        String::from_utf8(opened).ok()
    };
    let secret = std::str::from_utf8(secret).ok()?;
    versions(secret, version).find_map(open)
}

/// A secret, or several as better-auth writes them: `2:newer,1:older`. Those of the version come before the whole.
fn versions<'a>(secret: &'a str, version: Option<&'a str>) -> impl Iterator<Item = &'a str> {
    let entries = secret
        .split(',')
        .filter_map(|entry| entry.trim().split_once(':'));
    let wanted = entries.filter(move |(name, _)| version.is_none_or(|version| version == *name));
    wanted
        .map(|(_, secret)| secret)
        .chain(std::iter::once(secret))
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    fn sealed(text: &str, secret: &str) -> String {
        let nonce = XNonce::from([7; NONCE_BYTES]);
        let key = Sha256::digest(secret.as_bytes());
        let sealed = XChaCha20Poly1305::new(&key)
            .encrypt(&nonce, text.as_bytes())
            .unwrap();
        HEXLOWER.encode(&[&nonce[..], &sealed].concat())
    }

    #[test]
    fn the_secret_of_the_old_system_opens_what_it_sealed() {
        let text = sealed("authenticator key", "its secret");
        assert_eq!(
            better_auth(&text, b"its secret").unwrap(),
            "authenticator key"
        );
        assert_eq!(
            decrypt(&text, Cipher::BetterAuth, b"another")
                .unwrap_err()
                .code,
            "not_decrypted"
        );
        for broken in ["", "00", "zz", "$ba$", "$ba$1$00", &text[2..]] {
            assert_eq!(better_auth(broken, b"its secret"), None, "{broken}");
        }
    }

    #[test]
    fn the_version_before_a_text_says_which_secret_it_is() {
        let text = sealed("key", "older, with a comma");
        let versioned = format!("$ba$1${}", sealed("key", "older"));
        assert_eq!(better_auth(&text, b"older, with a comma").unwrap(), "key");
        assert_eq!(better_auth(&versioned, b"2:newer,1:older").unwrap(), "key");
        assert_eq!(better_auth(&versioned, b"older").unwrap(), "key");
        assert_eq!(better_auth(&versioned, b"2:older,1:newer"), None);
        assert_eq!(
            better_auth(&sealed("key", "older"), b"2:newer,1:older").unwrap(),
            "key"
        );
    }
}
