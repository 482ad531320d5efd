//! Random bytes derived from a seed, for code that cannot use the operating system's generator.

use ring::hkdf::{HKDF_SHA256, KeyType, Prk};

/// HKDF-Expand (RFC 5869 §2.3) with a counter: as unpredictable as its seed, and never the same bytes twice.
pub struct SeededRandom {
    key: Prk,
    used: u64,
}

/// The number of bytes to derive.
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

impl SeededRandom {
    /// `seed` must come from a cryptographic source and be used once.
    pub fn new(seed: [u8; 32]) -> Self {
        Self {
            key: Prk::new_less_safe(HKDF_SHA256, &seed),
            used: 0,
        }
    }

    /// The next bytes; `N` is at most 8,160 (255 blocks of SHA-256).
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        const { assert!(N <= 255 * 32) };
        let counter = self.used.to_be_bytes();
        self.used += 1;
        let mut bytes = [0; N];
        let info = [counter.as_slice()];
        let expanded = self.key.expand(&info, Length(N));
        let filled = expanded.and_then(|okm| okm.fill(&mut bytes));
        debug_assert!(filled.is_ok(), "the length is checked when this compiles");
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_sequence_without_repeats() {
        let mut a = SeededRandom::new([7; 32]);
        let mut b = SeededRandom::new([7; 32]);
        let mut other = SeededRandom::new([8; 32]);
        let first: [u8; 32] = a.bytes();
        assert_eq!(first, b.bytes());
        assert_ne!(first, other.bytes());
        let second: [u8; 32] = a.bytes();
        assert_ne!(first, second);
        assert_eq!(second, b.bytes());
    }
}
