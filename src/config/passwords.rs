//! Password hashing and the minimum strength of passwords.

use secrecy::ExposeSecret as _;
use stored_passwords::{PepperName, Peppers};
use zeroize::Zeroizing;

use super::Mode;
use super::reader::Reader;
use super::setting_error::Problem;
use super::settings::{
    BCRYPT_COST, HALLPASS_IMPORT_PEPPER_NAME, HASHING_THREADS, PASSWORD_MIN_GUESSES,
    PASSWORD_MIN_LENGTH,
};
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
    /// Secrets of the systems that people come from, by name.
    pub peppers: Peppers,
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
        let peppers = peppers(reader);
        Some(Self {
            peppers,
            bcrypt_cost: bcrypt_cost?,
            min_length: usize::try_from(min_length?).ok()?,
            min_guesses: min_guesses?.into(),
            hashing_threads: hashing_threads.and_then(|threads| usize::try_from(threads).ok()),
        })
    }
}

pub(super) fn peppers(reader: &mut Reader<'_>) -> Peppers {
    let mut peppers = Vec::new();
    for (name, secret) in reader.secrets(&HALLPASS_IMPORT_PEPPER_NAME) {
        match name.to_ascii_lowercase().parse::<PepperName>() {
            Ok(name) => {
                let secret = secret.expose_secret().as_bytes().to_vec();
                peppers.push((name, Zeroizing::new(secret)));
            }
            Err(_) => reader.report(
                &HALLPASS_IMPORT_PEPPER_NAME,
                Problem::new(
                    format!("The name {name} is not valid."),
                    "Name it with up to 32 letters, digits and `_`, as in the mapping file.",
                ),
            ),
        }
    }
    peppers.into_iter().collect()
}
