//! Password hashing and the minimum strength of passwords.

use super::Mode;
use super::reader::Reader;
use super::settings::{BCRYPT_COST, HASHING_THREADS, PASSWORD_MIN_GUESSES, PASSWORD_MIN_LENGTH};
use super::values::number_within;

#[derive(Debug, Clone)]
pub struct Passwords {
    pub bcrypt_cost: u32,
    /// In characters.
    pub min_length: usize,
    /// By the estimate of zxcvbn.
    pub min_guesses: u64,
    /// `None` means one per CPU core.
    pub hashing_threads: Option<usize>,
}

impl Passwords {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let costs = match reader.mode {
            Mode::Serve | Mode::Operator => 10..=16,
            Mode::Dev => 4..=16,
        };
        let bcrypt_cost = reader.value(&BCRYPT_COST, number_within(costs));
        let min_length = reader.value(&PASSWORD_MIN_LENGTH, number_within(6..=64));
        let guesses = number_within(1_000_000..=4_000_000_000);
        let min_guesses = reader.value(&PASSWORD_MIN_GUESSES, guesses);
        let hashing_threads = reader.value(&HASHING_THREADS, number_within(1..=256));
        Some(Self {
            bcrypt_cost: bcrypt_cost?,
            min_length: usize::try_from(min_length?).ok()?,
            min_guesses: min_guesses?.into(),
            hashing_threads: hashing_threads.and_then(|threads| usize::try_from(threads).ok()),
        })
    }
}
