//! One digest of salt and password, in the few orders that are usual.

use crate::hash_function::HashFunction;
use crate::kdf::Kdf;
use crate::primitives::digest::{Digest, Part};
use crate::primitives::hmac::Hmac;

use super::reading::Reading;

pub(super) fn plain(function: HashFunction, output: Vec<u8>) -> Reading {
    of(function, vec![Part::Password], Vec::new(), output)
}

pub(super) fn salt_first(function: HashFunction, salt: &[u8], output: Vec<u8>) -> Reading {
    of(
        function,
        vec![Part::Salt, Part::Password],
        salt.to_vec(),
        output,
    )
}

pub(super) fn salt_last(function: HashFunction, salt: &[u8], output: Vec<u8>) -> Reading {
    of(
        function,
        vec![Part::Password, Part::Salt],
        salt.to_vec(),
        output,
    )
}

/// Of the parts in their order. An empty salt is none.
pub(super) fn of(
    function: HashFunction,
    parts: Vec<Part>,
    salt: Vec<u8>,
    output: Vec<u8>,
) -> Reading {
    repeated(function, 1, parts, salt, output)
}

pub(super) fn repeated(
    function: HashFunction,
    iterations: u32,
    mut of: Vec<Part>,
    mut salt: Vec<u8>,
    output: Vec<u8>,
) -> Reading {
    if salt.is_empty() {
        of.retain(|part| *part != Part::Salt);
    }
    if !of.contains(&Part::Salt) {
        salt.clear();
    }
    let digest = Digest {
        function,
        iterations,
        of,
        salt,
    };
    Reading::new(Kdf::Digest(digest), output)
}

/// The password is the message.
pub(super) fn hmac(function: HashFunction, key: &[u8], output: Vec<u8>) -> Reading {
    let key = key.to_vec();
    Reading::new(Kdf::Hmac(Hmac { function, key }), output)
}
