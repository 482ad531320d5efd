//! Encrypted JWTs in the compact form (RFC 7516 §7.1), with a key that a secret gives (`dir`, RFC 7518 §4.5).

use aes::Aes256;
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt as _, KeyIvInit as _};
use data_encoding::BASE64URL_NOPAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::{hkdf, hmac};
use serde::Deserialize;
use subtle::ConstantTimeEq as _;

/// Bytes of a GCM tag, and of half a SHA-512.
const GCM_TAG: usize = 16;
const HS512_TAG: usize = 32;

/// The keys that a secret gives, for each algorithm; and for which cookie, if they depend on it.
pub(super) struct DerivedKeys {
    gcm: LessSafeKey,
    /// For the MAC, and for AES.
    cbc_hs512: [[u8; 32]; 2],
    cookie: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    enc: Encryption,
    /// It names the key. The tag proves which one it is, so it is not needed.
    #[serde(rename = "kid")]
    _kid: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
enum Encryption {
    A256GCM,
    #[serde(rename = "A256CBC-HS512")]
    A256CbcHs512,
}

/// A token whose header is understood.
struct Parts<'a> {
    enc: Encryption,
    /// The header, which is authenticated too.
    aad: &'a str,
    iv: Vec<u8>,
    ciphertext: Vec<u8>,
    tag: Vec<u8>,
}

impl DerivedKeys {
    /// As `next-auth/jwt` 4 derives them.
    pub(super) fn of_next_auth(secret: &[u8]) -> Self {
        Self::derive(secret, b"", "NextAuth.js Generated Encryption Key", None)
    }

    /// As `@auth/core/jwt` derives them for this cookie.
    pub(super) fn of_auth_js(secret: &[u8], cookie: &str) -> Self {
        let info = format!("Auth.js Generated Encryption Key ({cookie})");
        Self::derive(secret, cookie.as_bytes(), &info, Some(cookie.to_owned()))
    }

    /// HKDF-SHA256 (RFC 5869) with the length that each algorithm needs. A longer output begins with a shorter one.
    fn derive(secret: &[u8], salt: &[u8], info: &str, cookie: Option<String>) -> Self {
        struct SixtyFour;

        impl hkdf::KeyType for SixtyFour {
            fn len(&self) -> usize {
                64
            }
        }

        let mut keys = [[0; 32]; 2];
        // HKDF only fails for outputs longer than 255 hashes.
        let _ = hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
            .extract(secret)
            .expand(&[info.as_bytes()], SixtyFour)
            .and_then(|output| output.fill(keys.as_flattened_mut()));
        #[expect(clippy::expect_used, reason = "the key has the length of AES-256")]
        let gcm = UnboundKey::new(&AES_256_GCM, &keys[0]).expect("32 bytes are a key");
        Self {
            gcm: LessSafeKey::new(gcm),
            cbc_hs512: keys,
            cookie,
        }
    }

    /// Whether a token of this cookie, or of an unknown one, may be encrypted with them.
    pub(super) fn fit(&self, cookie: Option<&str>) -> bool {
        match (&self.cookie, cookie) {
            (Some(own), Some(cookie)) => own == cookie,
            (None, _) | (_, None) => true,
        }
    }

    fn open(&self, parts: &Parts<'_>) -> Option<Vec<u8>> {
        match parts.enc {
            Encryption::A256GCM => self.open_gcm(parts),
            Encryption::A256CbcHs512 => self.open_cbc_hs512(parts),
        }
    }

    /// RFC 7518 §5.3.
    fn open_gcm(&self, parts: &Parts<'_>) -> Option<Vec<u8>> {
        let nonce = Nonce::try_assume_unique_for_key(&parts.iv).ok()?;
        if parts.tag.len() != GCM_TAG {
            return None;
        }
        let mut text = [&parts.ciphertext[..], &parts.tag].concat();
        let aad = Aad::from(parts.aad.as_bytes());
        let length = self.gcm.open_in_place(nonce, aad, &mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }

    /// RFC 7518 §5.2.2.2: the tag first, and only then the padding.
    fn open_cbc_hs512(&self, parts: &Parts<'_>) -> Option<Vec<u8>> {
        let [mac_key, cipher_key] = &self.cbc_hs512;
        let aad_bits = u64::try_from(parts.aad.len()).ok()? * 8;
        let mut mac = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA512, mac_key));
        mac.update(parts.aad.as_bytes());
        mac.update(&parts.iv);
        mac.update(&parts.ciphertext);
        mac.update(&aad_bits.to_be_bytes());
        let mac = mac.sign();
        let expected = mac.as_ref().get(..HS512_TAG)?;
        if !bool::from(expected.ct_eq(&parts.tag)) {
            return None;
        }
        Decryptor::<Aes256>::new_from_slices(cipher_key, &parts.iv)
            .ok()?
            .decrypt_padded_vec::<Pkcs7>(&parts.ciphertext)
            .ok()
    }
}

/// The payload, if one of the keys opens the token.
pub(super) fn open<'a>(
    token: &str,
    mut keys: impl Iterator<Item = &'a DerivedKeys>,
) -> Option<Vec<u8>> {
    let parts = Parts::of(token)?;
    keys.find_map(|keys| keys.open(&parts))
}

impl<'a> Parts<'a> {
    fn of(token: &'a str) -> Option<Self> {
        let mut parts = token.split('.');
        let mut next = || parts.next();
        let (header, key, iv, ciphertext, tag) = (next()?, next()?, next()?, next()?, next()?);
        // Nothing follows, and `dir` has no encrypted key.
        if next().is_some() || !key.is_empty() {
            return None;
        }
        let decoded = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).ok();
        let fields: Header = serde_json::from_slice(&decoded(header)?).ok()?;
        (fields.alg == "dir").then_some(())?;
        Some(Self {
            enc: fields.enc,
            aad: header,
            iv: decoded(iv)?,
            ciphertext: decoded(ciphertext)?,
            tag: decoded(tag)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn next_auth() -> DerivedKeys {
        DerivedKeys::of_next_auth(b"secret")
    }

    /// As a package would make it.
    fn encrypted(header: &str) -> String {
        let encode = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        let header = encode(header.as_bytes());
        let mut text = b"{}".to_vec();
        let nonce = Nonce::assume_unique_for_key([7; 12]);
        let tag = next_auth()
            .gcm
            .seal_in_place_separate_tag(nonce, Aad::from(header.as_bytes()), &mut text)
            .unwrap();
        format!(
            "{header}..{}.{}.{}",
            encode(&[7; 12]),
            encode(&text),
            encode(tag.as_ref())
        )
    }

    const HEADER: &str = r#"{"alg":"dir","enc":"A256GCM"}"#;

    fn opens(token: &str) -> bool {
        open(token, [next_auth()].iter()).is_some()
    }

    #[test]
    fn only_direct_encryption_without_extensions_is_read() {
        for (header, is_good) in [
            (HEADER, true),
            (r#"{"alg":"dir","enc":"A256GCM","kid":"x"}"#, true),
            (r#"{"alg":"A256KW","enc":"A256GCM"}"#, false),
            (r#"{"alg":"dir","enc":"A128GCM"}"#, false),
            (r#"{"alg":"dir","enc":"A256GCM","zip":"DEF"}"#, false),
            (r#"{"alg":"dir","enc":"A256GCM","crit":[]}"#, false),
            (r#"{"alg":"dir","enc":"A256CBC-HS512"}"#, false),
            (r#"{"alg":"dir"}"#, false),
        ] {
            assert_eq!(opens(&encrypted(header)), is_good, "{header}");
        }
        let good = encrypted(HEADER);
        for bad in [
            good.replace("..", ".AAAA."),
            format!("{good}."),
            format!("{good}.AAAA"),
        ] {
            assert!(!opens(&bad), "{bad}");
        }
        assert!(open(&good, [DerivedKeys::of_next_auth(b"another")].iter()).is_none());
        assert!(open(&good, [DerivedKeys::of_auth_js(b"secret", "a")].iter()).is_none());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_no_change_is_unseen(
            text in "[ -~]{0,60}|([A-Za-z0-9_-]{0,20}\\.){4}[A-Za-z0-9_-]{0,20}",
            place in any::<prop::sample::Index>(),
        ) {
            prop_assert!(!opens(&text));
            for header in [HEADER, r#"{"alg":"dir","enc":"A256CBC-HS512"}"#] {
                let header = BASE64URL_NOPAD.encode(header.as_bytes());
                let with_header = format!("{header}..{}", text.replace('.', ""));
                let with_header = with_header + &".AAAA".repeat(2);
                prop_assert!(!opens(&with_header));
            }
            let good = encrypted(HEADER);
            let at = place.index(good.len());
            let other = if good.as_bytes()[at] == b'A' { "B" } else { "A" };
            let bad = format!("{}{other}{}", &good[..at], &good[at + 1..]);
            prop_assert!(!opens(&bad));
        }
    }
}
