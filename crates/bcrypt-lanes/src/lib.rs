//! Several bcrypt hashes at once on one thread.
//!
//! bcrypt spends its time waiting: every round of Blowfish looks four words up in tables, and the next
//! round cannot begin before they have arrived. A core that computes one hash idles through most of its
//! cycles. This crate lets one thread compute several independent hashes – *lanes* – round by round in
//! turn, so that the look-ups of one fill the waiting time of the others. Every hash is ordinary bcrypt.
//!
//! ```
//! use bcrypt_lanes::{Batch, Input};
//!
//! let mut batch: Batch<&str, 4> = Batch::new();
//! for name in ["ada", "grace", "mary"] {
//!     let input = Input::new(name.as_bytes(), *b"sixteen bytes...", 4).unwrap();
//!     batch.join(input, name).unwrap();
//! }
//! let mut digests = Vec::new();
//! while batch.busy() > 0 {
//!     // Between two calls hashes can join, and cancelled ones can leave.
//!     batch.advance(16, |name, digest| digests.push((name, digest)));
//! }
//! assert_eq!(digests.len(), 3);
//!
//! // The digest is the same as computed alone.
//! let alone = bcrypt_lanes::bcrypt(&Input::new(b"ada", *b"sixteen bytes...", 4).unwrap());
//! assert_eq!(digests[0].0, "ada");
//! assert!(alone.matches(&digests[0].1.checksum()));
//! ```
//!
//! # How many lanes
//!
//! A lane is 4.3 KiB of state with random reads, so what matters is how many fit the first-level data
//! cache: five or six in 32 KiB. `cargo bench` shows the figures of your machine. A [`Batch`] computes
//! only the busy lanes, with code specialized for that number of lanes; one hash alone is as fast as in a
//! batch of one.
//!
//! # What is computed
//!
//! The raw function: password, salt and cost in, 24 bytes out, of which 23 are stored. Formatting them as
//! text (`$2b$10$…`) is left to the caller. The versions in such texts record the bugs of old
//! implementations, and this crate has none of them:
//!
//! | version | meaning |
//! |---|---|
//! | `$2a$` | the key is the UTF-8 password and its NUL; some implementations counted long passwords modulo 256 |
//! | `$2b$` | the same with the length counted correctly (OpenBSD 5.5) |
//! | `$2y$` | the same, made by crypt_blowfish without its sign extension bug |
//! | `$2x$` | made with that bug: **not** computed here |
//!
//! For passwords of up to 72 bytes the first three are the same function. bcrypt ignores everything beyond
//! 72 bytes; see [`Input::new`].
//!
//! # Secrets
//!
//! Key, state and digest are overwritten with zeros when a hash is done, abandoned or dropped, as
//! far as safe Rust can promise it: registers and spilled words of a round are not. Digests are compared
//! in constant time. The table look-ups of bcrypt itself depend on the password in every implementation;
//! lanes neither add to that nor reduce it.

#![no_std]
#![warn(missing_docs)]

extern crate alloc;

mod batch;
mod digest;
mod input;
mod interleave;
mod lane;
mod pi;

pub use batch::{Batch, Full};
pub use digest::Digest;
pub use input::{Input, NoSuchCost};

use core::slice;

/// Computes one hash on its own, without its padding.
pub fn bcrypt(input: &Input) -> Digest {
    let mut lane = lane::Lane::EMPTY;
    lane.start(input);
    interleave::advance(
        slice::from_mut(&mut lane),
        input.iterations() - input.padding(),
    );
    lane.finish()
}
