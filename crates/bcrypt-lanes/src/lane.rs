//! One hash in progress: the Blowfish state and the words that are mixed into it.

use core::array;

use zeroize::Zeroize;

use crate::input::cycle;
use crate::interleave::encrypt;
use crate::pi;
use crate::{Digest, Input};

/// "OrpheanBeholderScryDoubt", which is encrypted at the end.
const MAGIC: [[u32; 2]; 3] = [
    [0x4f72_7068, 0x6561_6e42],
    [0x6568_6f6c, 0x6465_7253],
    [0x6372_7944, 0x6f75_6274],
];

/// Aligned to cache lines, so that each table takes sixteen of them and shares none.
#[derive(Clone)]
#[repr(align(64))]
pub(crate) struct Lane {
    pub boxes: [[u32; 256]; 4],
    /// Blocks, as made by [`block`].
    pub subkeys: [u64; 9],
    /// Key and salt, each as long as the subkeys.
    pub words: [[u64; 9]; 2],
}

/// Packs two words; the left half is the lower one, which look-ups read.
pub(crate) fn block([left, right]: [u32; 2]) -> u64 {
    u64::from(left) | u64::from(right) << 32
}

/// The left half and the right one.
#[inline(always)]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the lower half is what is meant to be left"
)]
pub(crate) fn halves(block: u64) -> [u32; 2] {
    [block as u32, (block >> 32) as u32]
}

impl Lane {
    pub(crate) const EMPTY: Self = Self {
        boxes: [[0; 256]; 4],
        subkeys: [0; 9],
        words: [[0; 9]; 2],
    };

    /// Everything before the first iteration.
    #[expect(
        clippy::indexing_slicing,
        reason = "loops of constant length stay in bounds"
    )]
    pub(crate) fn start(&mut self, input: &Input) {
        self.boxes = pi::BOXES;
        let mut salt = input.salt();
        self.words = [cycle(input.key()), cycle(&salt)].map(|words| words.map(block));
        salt.zeroize();
        let [key, [first, second, ..]] = &self.words;
        for ((subkey, pi), word) in self.subkeys.iter_mut().zip(pi::SUBKEYS).zip(key) {
            *subkey = block(pi) ^ word;
        }
        let mut salted = 0;
        let mut salts = [*first, *second].into_iter().cycle();
        for i in 0..9 {
            salted = self.encrypted(salted ^ salts.next().unwrap_or_default());
            self.subkeys[i] = salted;
        }
        for table in 0..4 {
            for i in 0..128 {
                salted = self.encrypted(salted ^ salts.next().unwrap_or_default());
                [self.boxes[table][2 * i], self.boxes[table][2 * i + 1]] = halves(salted);
            }
        }
    }

    fn encrypted(&self, block: u64) -> u64 {
        let mut blocks = [block];
        encrypt(array::from_ref(self), &mut blocks);
        let [encrypted] = blocks;
        encrypted
    }

    /// Everything after the last iteration. Wipes the state.
    pub(crate) fn finish(&mut self) -> Digest {
        let mut blocks = MAGIC.map(block);
        for block in &mut blocks {
            for _ in 0..64 {
                *block = self.encrypted(*block);
            }
        }
        self.wipe();
        let mut bytes = [0; 24];
        let words = blocks.iter().flat_map(|&block| halves(block));
        for (to, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(words) {
            *to = word.to_be_bytes();
        }
        blocks.zeroize();
        Digest::from_bytes(bytes)
    }

    pub(crate) fn wipe(&mut self) {
        self.boxes.zeroize();
        self.subkeys.zeroize();
        self.words.zeroize();
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.wipe();
    }
}
