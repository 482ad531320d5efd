//! The hash functions below everything else.

use std::fmt;

use hmac::{KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};
use ring::{digest, hmac as ring_hmac};
use zeroize::Zeroizing;

use crate::refusal::Refusal;

/// MD5 (RFC 1321), SHA-1 and SHA-2 (FIPS 180-4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HashFunction {
    /// 16 bytes.
    Md5,
    /// 20 bytes.
    Sha1,
    /// 32 bytes.
    Sha256,
    /// 48 bytes.
    Sha384,
    /// 64 bytes.
    Sha512,
}

impl HashFunction {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Md5,
        Self::Sha1,
        Self::Sha256,
        Self::Sha384,
        Self::Sha512,
    ];

    /// In lower case, without a hyphen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// In bytes.
    pub fn output_length(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    pub(crate) fn named(name: &str) -> Result<Self, Refusal> {
        Self::ALL
            .into_iter()
            .find(|function| function.name() == name)
            .ok_or(Refusal::Unknown)
    }

    /// Of the parts one after the other.
    pub(crate) fn digest(self, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
        let sha = |algorithm| {
            let mut context = digest::Context::new(algorithm);
            parts.iter().for_each(|part| context.update(part));
            context.finish().as_ref().to_vec()
        };
        Zeroizing::new(match self {
            Self::Md5 => {
                let mut context = Md5::new();
                parts.iter().for_each(|part| context.update(part));
                context.finalize().to_vec()
            }
            Self::Sha1 => sha(&digest::SHA1_FOR_LEGACY_USE_ONLY),
            Self::Sha256 => sha(&digest::SHA256),
            Self::Sha384 => sha(&digest::SHA384),
            Self::Sha512 => sha(&digest::SHA512),
        })
    }

    /// HMAC (RFC 2104).
    pub(crate) fn hmac(self, key: &[u8], message: &[u8]) -> Zeroizing<Vec<u8>> {
        let sha = |algorithm| {
            let key = ring_hmac::Key::new(algorithm, key);
            ring_hmac::sign(&key, message).as_ref().to_vec()
        };
        Zeroizing::new(match self {
            Self::Md5 => hmac::Hmac::<Md5>::new_from_slice(key)
                .map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec())
                .unwrap_or_default(),
            Self::Sha1 => sha(ring_hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
            Self::Sha256 => sha(ring_hmac::HMAC_SHA256),
            Self::Sha384 => sha(ring_hmac::HMAC_SHA384),
            Self::Sha512 => sha(ring_hmac::HMAC_SHA512),
        })
    }
}

impl fmt::Display for HashFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
