//! One hashing thread: a batch that jobs join and leave between slices of a millisecond.

use std::iter;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use bcrypt_lanes::{Digest, Input};
use tokio::sync::oneshot;

#[cfg(not(feature = "bcrypt-crate"))]
pub(super) use bcrypt_lanes::Batch;

use crate::service::hashing::backlog::{Begun, Due, Job, Task, iterations};
#[cfg(feature = "bcrypt-crate")]
pub(crate) use crate::service::hashing::one_by_one::Batch;
use crate::service::hashing::share::Share;
use crate::service::hashing::{Engine, State, lower_priority};

/// Hashes that one thread computes at once. Six are 26 KiB of state, which is what a first-level data cache
/// of 32 KiB holds along with the data of a request; `cargo bench -p bcrypt-lanes` measures all widths.
#[cfg(not(feature = "bcrypt-crate"))]
pub(super) const LANES: usize = 6;
#[cfg(feature = "bcrypt-crate")]
pub(super) const LANES: usize = 1;

/// Iterations between two checks of the queue: below a millisecond, a hundredth of a hash of cost 10. A new job waits
/// this long at most, and a check costs less than a thousandth of it.
const SLICE: u32 = 8;

type LaneJob = (Share, Input, oneshot::Sender<Digest>, Due);

struct Running {
    reply: oneshot::Sender<Digest>,
    share: Share,
    work: u64,
    begun: Instant,
    due: Due,
}

pub(super) fn run(engine: &Engine) {
    lower_priority();
    measure(engine);
    let mut batch: Batch<Running, LANES> = Batch::new();
    let mut mine = Begun::default();
    while let Some(jobs) = next_jobs(engine, &mut mine) {
        for (share, input, reply, due) in jobs {
            let running = Running {
                reply,
                due,
                share,
                work: iterations(&input),
                begun: Instant::now(),
            };
            // There are never more jobs than free lanes.
            let _ = batch.join(input, running);
        }
        let busy = batch.busy();
        let (mut done, mut left) = (Vec::new(), Vec::new());
        let begun = Instant::now();
        let iterations = batch.advance(SLICE, |running, digest| {
            left.push((running.share, running.work));
            done.push((running, digest));
        });
        let time = begun.elapsed();
        let now = Instant::now();
        // If other processes use the machine, even a job in a lane may be too late.
        batch.retain(|running| {
            let is_kept = !running.reply.is_closed() && !running.due.is_missed(now, Duration::ZERO);
            if !is_kept {
                left.push((running.share, running.work));
            }
            is_kept
        });

        let load = Begun {
            lanes: batch.busy(),
            iterations: batch.remaining().map(u64::from).sum(),
        };
        let mut state = engine.lock();
        state.backlog.changed(mine, load);
        mine = load;
        for (share, work) in left {
            state.backlog.end(share, work);
        }
        // One lane less than all, while one is reserved.
        if busy + 1 >= LANES {
            let full = time.mul_f64(LANES as f64 / busy as f64);
            state.backlog.pace.learn(iterations, full);
        }
        state.computed += done.iter().map(|(running, _)| running.work).sum::<u64>();
        if let Some((running, _)) = done.last() {
            state.last = Some((running.work.ilog2(), running.begun.elapsed()));
        }
        drop(state);
        // The lanes are free before the callers get their answers.
        for (running, digest) in done {
            let _ = running.reply.send(digest);
        }
    }
}

/// Jobs for the free lanes; sleeps while there is nothing to do. `None` at the end.
fn next_jobs(engine: &Engine, mine: &mut Begun) -> Option<Vec<LaneJob>> {
    let mut state = engine.lock();
    loop {
        if state.ended {
            return None;
        }
        let jobs = take(&mut state, mine);
        if mine.lanes > 0 {
            return Some(jobs);
        }
        state.idle += 1;
        let woken = engine.changed.wait(state);
        state = woken.unwrap_or_else(PoisonError::into_inner);
        state.idle -= 1;
    }
}

fn take(state: &mut State, mine: &mut Begun) -> Vec<LaneJob> {
    state.backlog.give_up_overdue(Instant::now());
    iter::from_fn(|| {
        // An idle thread computes a job faster than one with several jobs.
        let is_left_to_others = mine.lanes > 0 && state.backlog.waiting_for_lanes() <= state.idle;
        if mine.lanes == LANES || is_left_to_others {
            return None;
        }
        let Job { share, task, due } = state.backlog.next()?;
        let Task::Lane(input, reply) = task else {
            return None;
        };
        mine.lanes += 1;
        mine.iterations += iterations(&input);
        Some((share, input, reply, due))
    })
    .collect()
}

/// Measures this machine before the first jobs arrive.
fn measure(engine: &Engine) {
    let mut batch: Batch<(), LANES> = Batch::new();
    for _ in 0..LANES {
        if let Ok(input) = Input::new(b"", [0; 16], 4) {
            let _ = batch.join(input, ());
        }
    }
    let begun = Instant::now();
    let iterations = batch.advance(u32::MAX, |(), _| {});
    engine
        .lock()
        .backlog
        .pace
        .learn(iterations, begun.elapsed());
}
