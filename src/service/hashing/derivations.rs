//! What is computed for passwords that other systems have stored, on threads that do nothing else meanwhile: such a
//! function cannot be interrupted, and some use hundreds of megabytes.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;
use std::time::Instant;

use stored_passwords::{Cost, Derivation, Failed, Stage};
use tokio::sync::oneshot;

use crate::service::hashing::{Engine, lower_priority};

/// The memory of each thread, on average: the most that one scrypt may use. One argon2 may use twice as much.
const MEMORY_PER_THREAD: u64 = 128 << 20;

/// The most that one function may use.
const MOST_OF_ONE: u64 = 256 << 20;

/// The bytes that are used at most at the same time, with so many threads.
pub fn memory_budget(threads: usize) -> u64 {
    (threads as u64 * MEMORY_PER_THREAD).max(MOST_OF_ONE)
}

/// A derivation, what it costs, and who waits for it.
pub(super) struct Deriving {
    pub cost: Cost,
    derivation: Derivation,
    reply: oneshot::Sender<Result<Stage, Failed>>,
}

impl Deriving {
    pub(super) fn new(
        derivation: Derivation,
        reply: oneshot::Sender<Result<Stage, Failed>>,
    ) -> Self {
        Self {
            cost: derivation.cost(),
            derivation,
            reply,
        }
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }
}

impl fmt::Debug for Deriving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Deriving({:?})", self.cost)
    }
}

/// The threads and the memory, and what of them is in use.
#[derive(Debug, Clone)]
pub(super) struct Derivations {
    threads: usize,
    budget: u64,
    busy: usize,
    used: Cost,
}

impl Derivations {
    /// `budget` is in bytes.
    pub(super) fn new(threads: usize, budget: u64) -> Self {
        Self {
            threads,
            budget,
            busy: 0,
            used: Cost::default(),
        }
    }

    /// Whether a thread is free, and memory; what is larger than all of it is computed alone.
    pub(super) fn have_room_for(&self, cost: Cost) -> bool {
        let fits = self.used.memory.saturating_add(cost.memory) <= self.budget;
        self.busy < self.threads && (fits || self.busy == 0)
    }

    /// More than there is room for, when it says where waiting jobs will be.
    pub(super) fn begin(&mut self, cost: Cost) {
        self.busy += 1;
        self.used.work = self.used.work.saturating_add(cost.work);
        self.used.memory = self.used.memory.saturating_add(cost.memory);
    }

    pub(super) fn end(&mut self, cost: Cost) {
        self.busy = self.busy.saturating_sub(1);
        self.used.work = self.used.work.saturating_sub(cost.work);
        self.used.memory = self.used.memory.saturating_sub(cost.memory);
    }

    pub(super) fn threads(&self) -> usize {
        self.threads
    }

    pub(super) fn busy(&self) -> usize {
        self.busy
    }

    pub(super) fn work(&self) -> u64 {
        self.used.work
    }

    pub(super) fn memory(&self) -> u64 {
        self.used.memory
    }
}

/// One thread: a derivation after the other.
pub(super) fn run(engine: &Engine) {
    lower_priority();
    let mut state = engine.lock();
    while !state.ended {
        state.backlog.give_up_overdue(Instant::now());
        let Some((share, deriving)) = state.backlog.next_derivation() else {
            let woken = engine.derivations_changed.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        drop(state);
        let Deriving {
            cost,
            derivation,
            reply,
        } = deriving;
        // One that panics must not take the thread with it.
        let derived = catch_unwind(AssertUnwindSafe(|| derivation.run()));
        let derived = derived.unwrap_or(Err(Failed::Parameters));
        state = engine.lock();
        state.backlog.end_derivation(share, cost);
        state.computed += cost.work;
        drop(state);
        // There is memory again, perhaps for several.
        engine.derivations_changed.notify_all();
        // The place is free before the caller gets the answer.
        let _ = reply.send(derived);
        state = engine.lock();
    }
}
