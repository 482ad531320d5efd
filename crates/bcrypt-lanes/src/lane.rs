//! One hash on its way: the Blowfish state and the words that are mixed into it.

use core::array;

use zeroize::Zeroize;

use crate::input::cycle;
use crate::interleave::encrypt;
use crate::pi;
use crate::{Digest, Input};

/// "OrpheanBeholderScryDoubt", which is encrypted in the end.
const MAGIC: [u32; 6] = [
    0x4f72_7068,
    0x6561_6e42,
    0x6568_6f6c,
    0x6465_7253,
    0x6372_7944,
    0x6f75_6274,
];

/// Aligned with the lines of the cache, so that each table takes sixteen and none is shared.
#[derive(Clone)]
#[repr(align(64))]
pub struct Lane {
    pub boxes: [[u32; 256]; 4],
    pub subkeys: [u32; 18],
    /// Key and salt, each as long as the subkeys.
    pub words: [[u32; 18]; 2],
}

impl Lane {
    pub const EMPTY: Self = Self {
        boxes: [[0; 256]; 4],
        subkeys: [0; 18],
        words: [[0; 18]; 2],
    };

    /// Everything before the first iteration.
    pub fn start(&mut self, input: &Input) {
        self.boxes = pi::BOXES;
        self.subkeys = pi::SUBKEYS;
        let mut salt = input.salt();
        self.words = [cycle(input.key()), cycle(&salt)];
        salt.zeroize();
        let [key, [s0, s1, s2, s3, ..]] = &self.words;
        for (subkey, word) in self.subkeys.iter_mut().zip(key) {
            *subkey ^= word;
        }
        let mut block = [0; 2];
        let mut halves = [[*s0, *s1], [*s2, *s3]].into_iter().cycle();
        for i in 0..9 {
            block = self.mixed(block, halves.next());
            [self.subkeys[2 * i], self.subkeys[2 * i + 1]] = block;
        }
        for table in 0..4 {
            for i in 0..128 {
                block = self.mixed(block, halves.next());
                [self.boxes[table][2 * i], self.boxes[table][2 * i + 1]] = block;
            }
        }
    }

    fn mixed(&self, [left, right]: [u32; 2], salt: Option<[u32; 2]>) -> [u32; 2] {
        let [a, b] = salt.unwrap_or_default();
        self.encrypted([left ^ a, right ^ b])
    }

    fn encrypted(&self, [left, right]: [u32; 2]) -> [u32; 2] {
        let (mut left, mut right) = ([left], [right]);
        encrypt(array::from_ref(self), &mut left, &mut right);
        [left[0], right[0]]
    }

    /// Everything after the last iteration. Leaves nothing behind.
    pub fn finish(&mut self) -> Digest {
        let mut words = MAGIC;
        for block in words.as_chunks_mut::<2>().0 {
            for _ in 0..64 {
                *block = self.encrypted(*block);
            }
        }
        self.wipe();
        let mut bytes = [0; 24];
        for (to, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(words) {
            *to = word.to_be_bytes();
        }
        words.zeroize();
        Digest::from_bytes(bytes)
    }

    pub fn wipe(&mut self) {
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
