//! Keys, hashes and tokens as pure functions: `now` and random bytes are arguments.

pub mod csrf;
pub mod decoys;
pub mod device_marks;
pub mod fingerprint;
pub mod foreign_session;
pub mod id_token;
pub mod jwt;
mod jwt_provider;
pub mod keyed_hash;
pub mod keyring;
pub mod legacy_session;
pub mod marked_secret;
pub mod opaque;
pub mod password;
pub mod recovery_code;
pub mod sealed;
pub mod secret_strength;
pub mod seeded_random;
pub mod session_token;
pub mod signing_key;
pub mod token_keys;
pub mod totp;
pub mod webhook_signature;
