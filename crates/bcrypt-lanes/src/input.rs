//! The input of a hash.

use core::{array, error, fmt};

use zeroize::{Zeroize, ZeroizeOnDrop};

/// bcrypt ignores the rest of a key.
const MAX_KEY_BYTES: usize = 72;

/// Everything one hash is computed from, wiped when dropped.
pub struct Input {
    key: [u8; MAX_KEY_BYTES],
    length: usize,
    salt: [u8; 16],
    cost: u32,
    padding: u32,
}

/// bcrypt defines costs from 4 to 31.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoSuchCost(pub u32);

impl Input {
    /// A password, the salt of its hash, and the binary logarithm of the number of iterations.
    ///
    /// The key is the password and a terminating NUL, cut at 72 bytes: a password of 72 bytes has no
    /// NUL, and the rest of a longer one is ignored. Refuse or pre-hash such passwords. The key is
    /// repeated to fill 72 bytes, so `ab` and `ab\0ab` are the same password: refuse NUL as well.
    ///
    /// # Errors
    /// For costs outside 4–31.
    pub fn new(password: &[u8], salt: [u8; 16], cost: u32) -> Result<Self, NoSuchCost> {
        if !(4..=31).contains(&cost) {
            return Err(NoSuchCost(cost));
        }
        let mut key = [0; MAX_KEY_BYTES];
        for (to, from) in key.iter_mut().zip(password) {
            *to = *from;
        }
        Ok(Self {
            key,
            length: MAX_KEY_BYTES.min(password.len() + 1),
            salt,
            cost,
            padding: 0,
        })
    }

    /// The same hash, but it takes as long as one of a higher `cost`: the missing iterations are computed after it, and
    /// their result is discarded. A lower cost changes nothing.
    #[must_use]
    pub fn padded_to(self, cost: u32) -> Self {
        self.lasting(1_u32.checked_shl(cost).unwrap_or(u32::MAX))
    }

    /// As [`padded_to`](Self::padded_to), for any number of iterations in all.
    #[must_use]
    pub fn lasting(mut self, iterations: u32) -> Self {
        self.padding = iterations.saturating_sub(1 << self.cost);
        self
    }

    /// 1 to 72 bytes: the password with its NUL.
    pub fn key(&self) -> &[u8] {
        self.key.get(..self.length).unwrap_or(&self.key)
    }

    /// The salt as given.
    pub fn salt(&self) -> [u8; 16] {
        self.salt
    }

    /// 4 to 31.
    pub fn cost(&self) -> u32 {
        self.cost
    }

    /// Two to the power of the cost, and the padding.
    pub fn iterations(&self) -> u32 {
        (1 << self.cost) + self.padding
    }

    /// Iterations computed after the hash, to take as long as one of a higher cost.
    pub fn padding(&self) -> u32 {
        self.padding
    }

    /// What is computed instead of the password, so that a padded hash takes as long as any other.
    pub(crate) fn filler() -> Self {
        Self {
            key: [0x5a; MAX_KEY_BYTES],
            length: MAX_KEY_BYTES,
            salt: [0xa5; 16],
            cost: 4,
            padding: 0,
        }
    }
}

/// As many words as there are subkeys, big-endian and in pairs, from cyclically repeated bytes.
pub(crate) fn cycle(bytes: &[u8]) -> [[u32; 2]; 9] {
    let mut bytes = bytes.iter().cycle();
    let mut word = || {
        (0..4).fold(0, |word, _| {
            word << 8 | bytes.next().map_or(0, |&byte| u32::from(byte))
        })
    };
    array::from_fn(|_| [word(), word()])
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Input(…, cost {})", self.cost)
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        self.key.zeroize();
        self.length.zeroize();
        self.salt.zeroize();
    }
}

impl ZeroizeOnDrop for Input {}

impl fmt::Display for NoSuchCost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bcrypt has costs from 4 to 31, not {}", self.0)
    }
}

impl error::Error for NoSuchCost {}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(password: &[u8]) -> Input {
        Input::new(password, [0; 16], 4).unwrap()
    }

    #[test]
    fn the_key_ends_with_a_nul_if_there_is_room() {
        assert_eq!(key(b"").key(), b"\0");
        assert_eq!(key(b"ab").key(), b"ab\0");
        assert_eq!(key(&[b'x'; 71]).key().last(), Some(&0));
        assert_eq!(key(&[b'x'; 72]).key(), [b'x'; 72]);
        assert_eq!(key(&[b'x'; 99]).key(), [b'x'; 72]);
    }

    #[test]
    fn the_cost_range_is_that_of_bcrypt() {
        for cost in [4, 31] {
            assert_eq!(
                Input::new(b"", [0; 16], cost).unwrap().iterations(),
                1 << cost
            );
        }
        for cost in [0, 3, 32, u32::MAX] {
            assert_eq!(
                Input::new(b"", [0; 16], cost).unwrap_err(),
                NoSuchCost(cost)
            );
        }
    }

    #[test]
    fn a_padded_input_has_the_iterations_of_the_higher_cost() {
        for (cost, to, iterations) in [(4, 6, 64), (6, 6, 64), (6, 4, 64), (4, 31, 1 << 31)] {
            let input = Input::new(b"", [0; 16], cost).unwrap().padded_to(to);
            assert_eq!((input.cost(), input.iterations()), (cost, iterations));
        }
        for (cost, lasting, iterations) in [(4, 1000, 1000), (10, 1000, 1024)] {
            let input = Input::new(b"", [0; 16], cost).unwrap().lasting(lasting);
            assert_eq!((input.cost(), input.iterations()), (cost, iterations));
        }
    }

    #[test]
    fn key_words_repeat_cyclically() {
        let words = cycle(b"abcde");
        assert_eq!(words[0], [0x6162_6364, 0x6561_6263]);
        assert_eq!(words[1], [0x6465_6162, 0x6364_6561]);
    }
}
