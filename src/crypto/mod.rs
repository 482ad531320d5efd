//! Keys, hashes and tokens as arithmetic: `now` and random bytes are arguments, nothing is looked up.

pub mod jwt;
mod jwt_provider;
pub mod keyring;
pub mod password;
pub mod secret_strength;
