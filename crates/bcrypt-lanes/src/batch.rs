//! A batch of lanes that hashes can join and leave at any iteration.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::{fmt, mem};

use zeroize::ZeroizeOnDrop;

use crate::interleave::{self, MAX_LANES};
use crate::lane::Lane;
use crate::{Digest, Input};

/// Up to `N` hashes (1 to 8) that advance together. Each carries a `T`, which is returned with its digest.
///
/// Hashes of different costs can be mixed. Idle lanes cost nothing.
pub struct Batch<T, const N: usize> {
    /// Busy lanes come first, in the order of `slots`; the others are wiped.
    lanes: Box<[Lane]>,
    slots: Vec<Rider<T>>,
}

struct Rider<T> {
    payload: T,
    /// Iterations left of the hash, or of the padding after it; at least one.
    remaining: u32,
    padding: u32,
    /// The hash, while its padding is computed.
    digest: Option<Digest>,
}

/// Every lane is busy; contains the payload that did not fit.
pub struct Full<T>(pub Input, pub T);

impl<T, const N: usize> Batch<T, N> {
    /// No lane is busy yet.
    pub fn new() -> Self {
        const { assert!(1 <= N && N <= MAX_LANES) };
        Self {
            lanes: vec![Lane::EMPTY; N].into_boxed_slice(),
            slots: Vec::with_capacity(N),
        }
    }

    /// Starts a hash. It advances with the others from the next call of [`advance`](Self::advance).
    ///
    /// # Errors
    /// When all `N` lanes are busy.
    pub fn join(&mut self, input: Input, payload: T) -> Result<(), Full<T>> {
        let Some(lane) = self.lanes.get_mut(self.slots.len()) else {
            return Err(Full(input, payload));
        };
        lane.start(&input);
        self.slots.push(Rider {
            payload,
            remaining: input.iterations() - input.padding(),
            padding: input.padding(),
            digest: None,
        });
        Ok(())
    }

    /// Advances every hash by up to `at_most` iterations and returns by how many.
    ///
    /// Returns early when a hash is done, so that its lane can be reused at once. One iteration is
    /// about 2 × 521 block encryptions in every busy lane: some 50 to 150 µs.
    pub fn advance(&mut self, at_most: u32, mut done: impl FnMut(T, Digest)) -> u32 {
        let slots = self.slots.iter();
        let shortest = slots.map(|slot| slot.remaining).min().unwrap_or(0);
        let iterations = at_most.min(shortest);
        let (busy, _) = self.lanes.split_at_mut(self.slots.len());
        interleave::advance(busy, iterations);
        let mut i = 0;
        while let Some(slot) = self.slots.get_mut(i) {
            slot.remaining -= iterations;
            if slot.remaining > 0 {
                i += 1;
                continue;
            }
            let Some(lane) = self.lanes.get_mut(i) else {
                break;
            };
            let digest = lane.finish();
            if slot.padding > 0 {
                lane.start(&Input::filler());
                slot.remaining = mem::take(&mut slot.padding);
                slot.digest = Some(digest);
                i += 1;
                continue;
            }
            let digest = slot.digest.take().unwrap_or(digest);
            done(self.give_up(i), digest);
        }
        iterations
    }

    /// Abandons every hash whose payload is not to be kept.
    pub fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        let mut i = 0;
        while let Some(slot) = self.slots.get(i) {
            if keep(&slot.payload) {
                i += 1;
            } else {
                self.give_up(i);
            }
        }
    }

    /// The last busy lane takes the place of the one that leaves.
    fn give_up(&mut self, i: usize) -> T {
        let slot = self.slots.swap_remove(i);
        let last = self.slots.len();
        self.lanes.swap(i, last);
        if let Some(lane) = self.lanes.get_mut(last) {
            lane.wipe();
        }
        slot.payload
    }

    /// How many lanes are busy.
    pub fn busy(&self) -> usize {
        self.slots.len()
    }

    /// The iterations left of each hash, in no particular order.
    pub fn remaining(&self) -> impl Iterator<Item = u32> {
        self.slots.iter().map(|slot| slot.remaining + slot.padding)
    }
}

impl<T, const N: usize> Default for Batch<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, const N: usize> fmt::Debug for Batch<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Batch({} of {N} lanes busy)", self.busy())
    }
}

impl<T> fmt::Debug for Full<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Full(…)")
    }
}

// The lanes wipe themselves.
impl<T, const N: usize> ZeroizeOnDrop for Batch<T, N> {}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(cost: u32) -> Input {
        Input::new(b"secret", [0x5a; 16], cost).unwrap()
    }

    fn is_wiped(lane: &Lane) -> bool {
        let mut words = lane.boxes.iter().flatten();
        let mut keys = lane.subkeys.iter().chain(lane.words.iter().flatten());
        words.all(|&word| word == 0) && keys.all(|&word| word == 0)
    }

    fn wiped<T, const N: usize>(batch: &Batch<T, N>) -> usize {
        batch.lanes.iter().filter(|lane| is_wiped(lane)).count()
    }

    #[test]
    fn lanes_are_wiped_when_hashes_finish_or_are_dropped() {
        let mut batch: Batch<u32, 4> = Batch::new();
        for cost in [5, 4, 6, 5] {
            batch.join(input(cost), cost).unwrap();
        }
        assert_eq!(wiped(&batch), 0);
        assert_eq!(batch.advance(100, |cost, _| assert_eq!(cost, 4)), 16);
        assert_eq!((batch.busy(), wiped(&batch)), (3, 1));
        batch.retain(|&cost| cost != 6);
        assert_eq!((batch.busy(), wiped(&batch)), (2, 2));
        assert_eq!(batch.advance(100, |cost, _| assert_eq!(cost, 5)), 16);
        assert_eq!((batch.busy(), wiped(&batch)), (0, 4));
    }

    #[test]
    fn a_full_batch_returns_a_hash_that_does_not_fit() {
        let mut batch: Batch<u8, 1> = Batch::new();
        batch.join(input(4), 1).unwrap();
        let Full(refused, payload) = batch.join(input(5), 2).unwrap_err();
        assert_eq!((refused.cost(), payload, batch.busy()), (5, 2, 1));
    }

    #[test]
    fn an_idle_batch_does_nothing() {
        let mut batch: Batch<(), 3> = Batch::new();
        assert_eq!(batch.advance(10, |(), _| unreachable!()), 0);
        assert_eq!(batch.remaining().count(), 0);
    }

    #[test]
    fn a_padded_hash_takes_the_iterations_of_the_higher_cost() {
        let mut batch: Batch<u32, 3> = Batch::new();
        for cost in [4, 5, 6] {
            batch.join(input(cost).padded_to(6), cost).unwrap();
        }
        assert_eq!(batch.remaining().collect::<Vec<_>>(), [64; 3]);
        let (mut iterations, mut done) = (0, Vec::new());
        while done.is_empty() {
            iterations += batch.advance(7, |cost, digest| done.push((cost, digest)));
        }
        assert_eq!((iterations, done.len(), wiped(&batch)), (64, 3, 3));
        for (cost, digest) in done {
            assert!(
                digest.matches(&crate::bcrypt(&input(cost)).checksum()),
                "{cost}"
            );
        }
    }

    #[test]
    fn no_hash_is_returned_twice_or_advanced_too_far() {
        let mut batch: Batch<u32, 2> = Batch::new();
        batch.join(input(4), 4).unwrap();
        assert_eq!(batch.advance(10, |_, _| unreachable!()), 10);
        batch.join(input(4), 5).unwrap();
        let mut done = Vec::new();
        assert_eq!(batch.advance(10, |which, _| done.push(which)), 6);
        assert_eq!(batch.remaining().collect::<Vec<_>>(), [10]);
        assert_eq!(batch.advance(10, |which, _| done.push(which)), 10);
        assert_eq!(done, [4, 5]);
    }
}
