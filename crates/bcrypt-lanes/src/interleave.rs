//! The idea of the crate: `N` lanes take every round of Blowfish together.
//!
//! The loops over lanes have a constant length and are unrolled, so the processor sees `N` independent
//! chains of look-ups side by side and always has one that need not wait.

use crate::lane::Lane;

/// More lanes than any first-level cache holds.
pub const MAX_LANES: usize = 8;

/// Takes every lane `iterations` further, by code made for their number (at most [`MAX_LANES`]).
pub fn advance(lanes: &mut [Lane], iterations: u32) {
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
// A function of its own for each number of lanes: inlined into one, they compete for registers.
#[inline(never)]
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
        for i in 0..18 {
            lane.subkeys[i] ^= lane.words[which][i];
        }
    }
    let (mut left, mut right) = ([0; N], [0; N]);
    for i in 0..9 {
        encrypt(lanes, &mut left, &mut right);
        for n in 0..N {
            lanes[n].subkeys[2 * i] = left[n];
            lanes[n].subkeys[2 * i + 1] = right[n];
        }
    }
    for table in 0..4 {
        for i in 0..128 {
            encrypt(lanes, &mut left, &mut right);
            for n in 0..N {
                lanes[n].boxes[table][2 * i] = left[n];
                lanes[n].boxes[table][2 * i + 1] = right[n];
            }
        }
    }
}

/// Encrypts one block of two halves in every lane.
#[inline(always)]
pub fn encrypt<const N: usize>(lanes: &[Lane; N], left: &mut [u32; N], right: &mut [u32; N]) {
    for n in 0..N {
        left[n] ^= lanes[n].subkeys[0];
        right[n] ^= lanes[n].subkeys[1];
    }
    // Written out: as a loop it keeps fewer words in registers and takes about a tenth longer.
    macro_rules! two_rounds {
        ($($i:literal)+) => {$(
            for n in 0..N {
                right[n] ^= look_up(&lanes[n], left[n]);
                left[n] ^= lanes[n].subkeys[2 * $i];
            }
            for n in 0..N {
                left[n] ^= look_up(&lanes[n], right[n]);
                right[n] ^= lanes[n].subkeys[2 * $i + 1];
            }
        )+};
    }
    two_rounds!(1 2 3 4 5 6 7 8);
    core::mem::swap(left, right);
}

/// The F of Blowfish. A byte cannot miss a table of 256, so no bound is checked.
#[inline(always)]
fn look_up(lane: &Lane, half: u32) -> u32 {
    // By shifts: `to_be_bytes` keeps all four apart for longer, and six lanes are a tenth slower with it.
    let byte = |shift: u32| usize::from((half >> shift) as u8);
    let [s0, s1, s2, s3] = &lane.boxes;
    (s0[byte(24)].wrapping_add(s1[byte(16)]) ^ s2[byte(8)]).wrapping_add(s3[byte(0)])
}
