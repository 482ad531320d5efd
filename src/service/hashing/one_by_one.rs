//! A stand-in for [`bcrypt_lanes::Batch`] that uses the `bcrypt` crate: one hash after the other.

use std::hint::black_box;

use bcrypt_lanes::{Digest, Input};

/// Holds jobs until they are computed, which cannot be interrupted.
pub(crate) struct Batch<T, const N: usize> {
    waiting: Vec<(Input, T)>,
}

impl<T, const N: usize> Batch<T, N> {
    pub(crate) fn new() -> Self {
        Self {
            waiting: Vec::with_capacity(N),
        }
    }

    pub(crate) fn join(&mut self, input: Input, payload: T) -> Result<(), (Input, T)> {
        if self.waiting.len() == N {
            return Err((input, payload));
        }
        self.waiting.push((input, payload));
        Ok(())
    }

    pub(crate) fn advance(&mut self, _at_most: u32, mut done: impl FnMut(T, Digest)) -> u32 {
        let mut iterations = 0;
        for (input, payload) in self.waiting.drain(..) {
            let bytes = bcrypt::bcrypt(input.cost(), input.salt(), input.key());
            // The padding is a sum of powers of two, which are costs.
            for cost in (4..=31).filter(|cost| input.padding() >> cost & 1 == 1) {
                black_box(bcrypt::bcrypt(cost, input.salt(), input.key()));
            }
            iterations += input.iterations();
            done(payload, Digest::from_bytes(bytes));
        }
        iterations
    }

    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        self.waiting.retain(|(_, payload)| keep(payload));
    }

    pub(crate) fn busy(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn remaining(&self) -> impl Iterator<Item = u32> {
        self.waiting.iter().map(|(input, _)| input.iterations())
    }
}
