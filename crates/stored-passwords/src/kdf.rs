//! The functions that a stored output can come from.

use std::fmt;

use crate::hash_function::HashFunction;
use crate::primitives::Primitive;
use crate::primitives::argon2::{self, Argon2};
use crate::primitives::bcrypt::Bcrypt;
use crate::primitives::digest::Digest;
use crate::primitives::firebase::{self, Firebase};
use crate::primitives::hmac::{self, Hmac};
use crate::primitives::md5_crypt::{self, Md5Crypt, Prefix};
use crate::primitives::pbkdf2::{self, Pbkdf2};
use crate::primitives::phpass::{self, Phpass};
use crate::primitives::scram::{self, Scram};
use crate::primitives::scrypt::{self, Scrypt};
use crate::primitives::sha_crypt::{self, ShaCrypt};
use crate::primitives::yescrypt::{self, Yescrypt};
use crate::reader::Reader;
use crate::refusal::Refusal;

/// A function with its parameters and salt.
#[derive(Clone, PartialEq, Eq)]
pub enum Kdf {
    /// In any of `$2a$`, `$2b$`, `$2y$`; `$2x$` is another function.
    Bcrypt(Bcrypt),
    /// With any digest but MD5.
    Pbkdf2(Pbkdf2),
    /// The stored key of SCRAM-SHA-256.
    Scram(Scram),
    /// Any size of block, any number of lanes.
    Scrypt(Scrypt),
    /// d, i and id.
    Argon2(Argon2),
    /// scrypt and AES-CTR.
    Firebase(Firebase),
    /// `$5$` and `$6$`.
    ShaCrypt(ShaCrypt),
    /// `$y$`
    Yescrypt(Yescrypt),
    /// `$P$` and `$H$`; weak.
    Phpass(Phpass),
    /// `$1$` and `$apr1$`; weak.
    Md5Crypt(Md5Crypt),
    /// Weak.
    Hmac(Hmac),
    /// Weak.
    Digest(Digest),
}

impl Kdf {
    /// All but bcrypt, up to the output.
    pub(crate) fn parse(name: &str, reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        if let Some(function) = name.strip_prefix(pbkdf2::PREFIX) {
            return Pbkdf2::parse(function, reader).map(Self::Pbkdf2);
        }
        if let Some(variant) = name.strip_prefix(argon2::PREFIX) {
            return Argon2::parse(variant, reader).map(Self::Argon2);
        }
        if let Some(function) = name.strip_prefix(hmac::PREFIX) {
            return Hmac::parse(function, reader).map(Self::Hmac);
        }
        match name {
            scram::NAME => Scram::parse(reader).map(Self::Scram),
            scrypt::NAME => Scrypt::parse(reader).map(Self::Scrypt),
            firebase::NAME => Firebase::parse(reader).map(Self::Firebase),
            sha_crypt::SHA256 => ShaCrypt::parse(HashFunction::Sha256, reader).map(Self::ShaCrypt),
            sha_crypt::SHA512 => ShaCrypt::parse(HashFunction::Sha512, reader).map(Self::ShaCrypt),
            yescrypt::NAME => Yescrypt::parse(reader).map(Self::Yescrypt),
            phpass::NAME => Phpass::parse(reader).map(Self::Phpass),
            md5_crypt::UNIX => Md5Crypt::parse(Prefix::Unix, reader).map(Self::Md5Crypt),
            md5_crypt::APACHE => Md5Crypt::parse(Prefix::Apache, reader).map(Self::Md5Crypt),
            _ => Digest::parse(name, reader).map(Self::Digest),
        }
    }

    pub(crate) fn primitive(&self) -> &dyn Primitive {
        match self {
            Self::Bcrypt(it) => it,
            Self::Pbkdf2(it) => it,
            Self::Scram(it) => it,
            Self::Scrypt(it) => it,
            Self::Argon2(it) => it,
            Self::Firebase(it) => it,
            Self::ShaCrypt(it) => it,
            Self::Yescrypt(it) => it,
            Self::Phpass(it) => it,
            Self::Md5Crypt(it) => it,
            Self::Hmac(it) => it,
            Self::Digest(it) => it,
        }
    }

    /// The bytes of output of the weak functions: those that are tried by the billion on a graphics card. `None` for
    /// all others.
    pub(crate) fn output_of_weak(&self) -> Option<usize> {
        match self {
            Self::Phpass(_) | Self::Md5Crypt(_) => Some(HashFunction::Md5.output_length()),
            Self::Hmac(Hmac { function, .. }) | Self::Digest(Digest { function, .. }) => {
                Some(function.output_length())
            }
            Self::Bcrypt(_)
            | Self::Pbkdf2(_)
            | Self::Scram(_)
            | Self::Scrypt(_)
            | Self::Argon2(_)
            | Self::Firebase(_)
            | Self::ShaCrypt(_)
            | Self::Yescrypt(_) => None,
        }
    }

    /// Without the salt, which says nothing about the cost.
    pub(crate) fn without_salt(mut self) -> Self {
        match &mut self {
            Self::Bcrypt(Bcrypt { salt, .. }) => *salt = [0; 16],
            Self::Phpass(Phpass { salt, .. }) => *salt = [0; 8],
            Self::Pbkdf2(Pbkdf2 { salt, .. })
            | Self::Scram(Scram { salt, .. })
            | Self::Scrypt(Scrypt { salt, .. })
            | Self::Argon2(Argon2 { salt, .. })
            | Self::Firebase(Firebase { salt, .. })
            | Self::ShaCrypt(ShaCrypt { salt, .. })
            | Self::Yescrypt(Yescrypt { salt, .. })
            | Self::Md5Crypt(Md5Crypt { salt, .. })
            | Self::Hmac(Hmac { key: salt, .. })
            | Self::Digest(Digest { salt, .. }) => salt.fill(0),
        }
        self
    }
}

impl fmt::Display for Kdf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.primitive().fmt(f)
    }
}
