//! The result of a hash.

use core::fmt;
use core::hint::black_box;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// The 24 output bytes of bcrypt, wiped when dropped.
pub struct Digest([u8; 24]);

impl Digest {
    /// The output of another implementation, to be compared or stored.
    pub fn from_bytes(bytes: [u8; 24]) -> Self {
        Self(bytes)
    }

    /// All 24 bytes.
    pub fn as_bytes(&self) -> &[u8; 24] {
        &self.0
    }

    /// The 23 bytes that are stored in a hash.
    pub fn checksum(&self) -> [u8; 23] {
        let [checksum @ .., _] = self.0;
        checksum
    }

    /// Whether a stored hash has this checksum, compared in constant time.
    pub fn matches(&self, checksum: &[u8; 23]) -> bool {
        let mut differences = 0;
        for (ours, theirs) in self.0.iter().zip(checksum) {
            // Without it the compiler may stop at the first difference.
            differences = black_box(differences | (ours ^ theirs));
        }
        differences == 0
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}

impl Drop for Digest {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for Digest {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_equals_only_itself_to_the_bit() {
        let digest = Digest::from_bytes(core::array::from_fn(|i| u8::try_from(i).unwrap()));
        assert!(digest.matches(&digest.checksum()));
        for bit in 0..23 * 8 {
            let mut other = digest.checksum();
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(!digest.matches(&other), "{bit}");
        }
    }

    #[test]
    fn the_last_byte_is_not_stored() {
        let mut other = [7; 24];
        other[23] = 8;
        assert!(Digest::from_bytes([7; 24]).matches(&Digest::from_bytes(other).checksum()));
    }
}
