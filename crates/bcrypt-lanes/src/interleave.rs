//! The idea of the crate: `N` lanes run every round of Blowfish together.
//!
//! The loops over lanes have a constant length and are unrolled, so the processor sees `N` independent
//! chains of look-ups and always has one that need not wait.
#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "loops of constant length stay in bounds, and a half or a byte is what is meant to be left"
)]

use core::sync::atomic::{Ordering, compiler_fence};

use crate::lane::{Lane, halves};

/// More lanes than fit into any first-level cache.
pub(crate) const MAX_LANES: usize = 8;

/// Advances every lane by `iterations`, with code specialized for the number of lanes (at most [`MAX_LANES`]).
pub(crate) fn advance(lanes: &mut [Lane], iterations: u32) {
    macro_rules! by_number {
        ($($n:literal)+) => {
            match lanes.len() {
                $($n => {
                    if let Some(lanes) = lanes.first_chunk_mut::<$n>() {
                        together(lanes, iterations);
                    }
                })+
                _ => {}
            }
        };
    }
    by_number!(1 2 3 4 5 6 7 8);
}

/// An iteration expands the key, then the salt, into subkeys and tables.
fn together<const N: usize>(lanes: &mut [Lane; N], iterations: u32) {
    for _ in 0..iterations {
        for which in 0..2 {
            expand(lanes, which);
        }
    }
}

#[inline(always)]
fn expand<const N: usize>(lanes: &mut [Lane; N], which: usize) {
    for lane in lanes.iter_mut() {
        for i in 0..9 {
            lane.subkeys[i] ^= lane.words[which][i];
        }
    }
    let mut blocks = [0; N];
    for i in 0..9 {
        encrypt(lanes, &mut blocks);
        for n in 0..N {
            lanes[n].subkeys[i] = blocks[n];
        }
    }
    for table in 0..4 {
        fill(lanes, table, &mut blocks);
    }
}

// A separate function for each number of lanes: inlined into one, they compete for registers.
#[inline(never)]
fn fill<const N: usize>(lanes: &mut [Lane; N], table: usize, last: &mut [u64; N]) {
    let mut blocks = *last;
    for i in 0..128 {
        encrypt(lanes, &mut blocks);
        for n in 0..N {
            [
                lanes[n].boxes[table][2 * i],
                lanes[n].boxes[table][2 * i + 1],
            ] = halves(blocks[n]);
        }
    }
    *last = blocks;
}

/// Encrypts one block in every lane.
#[inline(always)]
pub(crate) fn encrypt<const N: usize>(lanes: &[Lane; N], blocks: &mut [u64; N]) {
    for n in 0..N {
        blocks[n] ^= lanes[n].subkeys[0];
    }
    // Unrolled by hand: as a loop it keeps fewer words in registers and takes about a tenth longer.
    two_rounds(lanes, blocks, 1);
    two_rounds(lanes, blocks, 2);
    two_rounds(lanes, blocks, 3);
    two_rounds(lanes, blocks, 4);
    two_rounds(lanes, blocks, 5);
    two_rounds(lanes, blocks, 6);
    two_rounds(lanes, blocks, 7);
    two_rounds(lanes, blocks, 8);
    for block in blocks {
        *block = block.rotate_left(32);
    }
}

/// The two halves swap roles instead of being moved, so that `N` registers hold everything.
#[inline(always)]
fn two_rounds<const N: usize>(lanes: &[Lane; N], blocks: &mut [u64; N], subkeys: usize) {
    for n in 0..N {
        let word = look_up(&lanes[n], blocks[n] as u32);
        in_turn::<N>();
        blocks[n] = blocks[n].rotate_left(32) ^ u64::from(word);
    }
    for n in 0..N {
        let word = look_up(&lanes[n], blocks[n] as u32);
        in_turn::<N>();
        // Adds the subkeys of both halves at once: the left one is a round late, but was not looked up since.
        blocks[n] = blocks[n].rotate_left(32) ^ u64::from(word);
        blocks[n] ^= lanes[n].subkeys[subkeys];
    }
}

/// Stops the compiler from reordering look-ups before additions across lanes, which would need too many registers;
/// the processor finds the independent instructions by itself.
#[inline(always)]
fn in_turn<const N: usize>() {
    if N > 1 {
        compiler_fence(Ordering::SeqCst);
    }
}

/// Blowfish's F, of the left half. A byte is always a valid index into 256 entries, so no bound is checked.
#[inline(always)]
fn look_up(lane: &Lane, half: u32) -> u32 {
    // With shifts: `to_be_bytes` keeps all four bytes live for longer, which makes six lanes a tenth slower.
    let byte = |shift: u32| usize::from((half >> shift) as u8);
    let [s0, s1, s2, s3] = &lane.boxes;
    (s0[byte(24)].wrapping_add(s1[byte(16)]) ^ s2[byte(8)]).wrapping_add(s3[byte(0)])
}
