//! Passwords as other systems have stored them.
//!
//! What a system computes from a password before it stores it is always the same few things: some *steps* on the text
//! (Unicode normalization, a pepper, a first digest), and then one *key derivation function*. This crate has one text
//! for each such combination, `$in$<steps>$<function>`, reads it strictly, refuses what would cost too much, and
//! verifies passwords with it:
//!
//! ```
//! use stored_passwords::{ImportedHash, Peppers};
//!
//! let text = "$in$raw$phpass$ln=13$WkYyT2t2VTQ$p/1EGi0Kv3g5N9kY0kR7Ug";
//! let hash = ImportedHash::parse(text).unwrap();
//! assert_eq!(hash.to_string(), text);
//! assert!(!hash.verify("not the password", &Peppers::default()));
//! ```
//!
//! | function | text after the steps | source |
//! |---|---|---|
//! | bcrypt | `2b$12$<salt and checksum>` | OpenBSD |
//! | PBKDF2 | `pbkdf2-sha256$i=600000$<salt>$<output>` | RFC 8018 |
//! | SCRAM | `scram-sha256$i=4096$<salt>$<server key>` | RFC 5802, 7677 |
//! | scrypt | `scrypt$ln=14,r=16,p=1$<salt>$<output>` | RFC 7914 |
//! | argon2 | `argon2id$v=19,m=65536,t=3,p=4$<salt>$<output>` | RFC 9106 |
//! | Firebase | `firebase$ln=14,r=8$<salt>$<separator>$<signer key>$<output>` | firebase/scrypt |
//! | crypt(3) with SHA-2 | `sha512crypt$i=5000$<salt>$<output>` | Drepper |
//! | yescrypt | `yescrypt$ln=12,r=32,p=1,t=0$<salt>$<output>` | Openwall |
//! | phpass | `phpass$ln=13$<salt>$<output>` | Openwall |
//! | MD5-crypt | `md5crypt$<salt>$<output>`, `apr1$<salt>$<output>` | FreeBSD, Apache |
//! | HMAC | `hmac-sha256$<key>$<output>` | RFC 2104 |
//! | a digest of a declared recipe | `sha1$i=1,of=password.salt$<salt>$<output>` | |
//!
//! Bytes are base64 without padding; bcrypt has its own alphabet. A hash whose function is
//! [weak](ImportedHash::is_weak) can be [wrapped](ImportedHash::wrap) in bcrypt without the password:
//! `wrapped$2b$12$<salt and checksum>$sha1$i=1,of=password.salt$<salt>`.
//!
//! [`Step`] has the steps. Nothing here is for new passwords.

#![warn(missing_docs)]

mod cost;
mod hash_function;
mod imported_hash;
mod kdf;
mod pepper;
mod primitives;
mod reader;
mod refusal;
mod scheme;
mod stage;
mod step;

pub use cost::Cost;
pub use hash_function::HashFunction;
pub use imported_hash::ImportedHash;
pub use kdf::Kdf;
pub use pepper::{PepperName, Peppers};
pub use primitives::argon2::{Argon2, Variant, Version};
pub use primitives::bcrypt::Bcrypt;
pub use primitives::digest::{Digest, Part};
pub use primitives::firebase::Firebase;
pub use primitives::hmac::Hmac;
pub use primitives::md5_crypt::{Md5Crypt, Prefix};
pub use primitives::pbkdf2::Pbkdf2;
pub use primitives::phpass::Phpass;
pub use primitives::scram::Scram;
pub use primitives::scrypt::Scrypt;
pub use primitives::sha_crypt::ShaCrypt;
pub use primitives::yescrypt::Yescrypt;
pub use refusal::Refusal;
pub use scheme::{Password, Project, Recipe, Scheme, Stored, translate};
pub use stage::{Check, Derivation, Failed, Stage};
pub use step::Step;
