//! Threads that only compute password hashes, several at once each, so that requests do not wait behind one, and as
//! many for what other systems have stored. `docs/PERFORMANCE.md` explains it and has measurements.

mod backlog;
mod derivations;
pub mod measure;
#[cfg(feature = "bcrypt-crate")]
mod one_by_one;
mod pace;
pub mod passwords;
pub mod rehashes;
pub mod share;
pub mod stored_forms;
pub mod strength_worker;
mod turns;
mod worker;

use std::num::NonZeroUsize;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bcrypt_lanes::{Digest, Input};
use stored_passwords::{Derivation, Stage};
use tokio::sync::oneshot;

use self::backlog::{Backlog, Due, Job, Task};
pub use self::derivations::memory_budget;
use self::derivations::{Derivations, Deriving};
use self::share::Share;
use self::worker::LANES;
use crate::service::{Error, Result};

const BUSY: Error = Error::Busy("password hashing");

/// A handle to the hashing threads, which end when it is dropped.
pub struct Hashing {
    engine: Arc<Engine>,
}

/// What the threads are doing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Load {
    /// Hashes that can be computed at once.
    pub lanes: usize,
    /// Hashes being computed.
    pub busy: usize,
    /// Hashes waiting for a lane or a thread.
    pub waiting: usize,
    /// Hashes of other systems being computed.
    pub deriving: usize,
    /// The bytes that they use.
    pub memory: u64,
    /// The hash done last: its cost, and how long it was in a lane.
    pub last: Option<(u32, Duration)>,
    /// Iterations of bcrypt computed since the start, and of other functions as many as take that time.
    pub computed: u64,
}

/// What requests and hashing threads share.
#[derive(Debug)]
struct Engine {
    state: Mutex<State>,
    /// Notified when there is a job to start in a lane, and at the end.
    changed: Condvar,
    /// Notified when there is a derivation to start, or memory for one, and at the end.
    derivations_changed: Condvar,
}

#[derive(Debug)]
struct State {
    backlog: Backlog,
    /// Threads with no lane busy, waiting to be woken.
    idle: usize,
    last: Option<(u32, Duration)>,
    computed: u64,
    ended: bool,
}

impl Hashing {
    /// Starts `threads` threads, or [`default_threads`], and as many for what other systems have stored.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(threads: Option<usize>) -> std::io::Result<Self> {
        let threads = threads.unwrap_or_else(default_threads);
        let hashing = Self {
            engine: Arc::new(Engine {
                state: Mutex::new(State {
                    backlog: Backlog::new(
                        threads * LANES,
                        Derivations::new(threads, memory_budget(threads)),
                    ),
                    idle: 0,
                    last: None,
                    computed: 0,
                    ended: false,
                }),
                changed: Condvar::new(),
                derivations_changed: Condvar::new(),
            }),
        };
        for _ in 0..threads {
            for (name, run) in [
                ("hashing", worker::run as fn(&Engine)),
                ("deriving", derivations::run),
            ] {
                let engine = Arc::clone(&hashing.engine);
                thread::Builder::new()
                    .name(name.to_owned())
                    .spawn(move || run(&engine))?;
            }
        }
        Ok(hashing)
    }

    /// Computes a hash. The job is dropped when the caller stops waiting.
    ///
    /// # Errors
    /// `Busy`: at once if it could not be done in time, or later when that becomes clear.
    pub async fn compute(&self, share: Share, input: Input) -> Result<Digest> {
        self.in_lane(share, input, Due::since).await
    }

    /// Computes a hash; `due` says for how long it may wait from now.
    ///
    /// # Errors
    /// As [`compute`](Self::compute).
    async fn in_lane(&self, share: Share, input: Input, due: fn(Instant) -> Due) -> Result<Digest> {
        let (reply, replied) = oneshot::channel();
        let (task, due) = (Task::Lane(input, reply), due(Instant::now()));
        self.submit(Job { share, task, due })?;
        self.engine.changed.notify_one();
        // Dropping a job drops the reply.
        replied.await.map_err(|_| BUSY)
    }

    /// Computes what another system has stored. The job is dropped when the caller stops waiting, unless it has begun.
    ///
    /// # Errors
    /// As [`compute`](Self::compute); `Busy` also when there is not enough memory.
    pub async fn derive(&self, share: Share, derivation: Derivation) -> Result<Stage> {
        let (reply, replied) = oneshot::channel();
        let task = Task::Derive(Deriving::new(derivation, reply));
        let due = Due::since(Instant::now());
        self.submit(Job { share, task, due })?;
        self.engine.derivations_changed.notify_one();
        replied.await.map_err(|_| BUSY)?.map_err(|error| {
            tracing::warn!(%error, "a stored password was not computed");
            BUSY
        })
    }

    fn submit(&self, job: Job) -> Result<()> {
        let is_admitted = self.engine.lock().backlog.admit(job);
        is_admitted.then_some(()).ok_or(BUSY)
    }

    /// Computes a hash only if a lane is free.
    pub async fn compute_if_idle(&self, share: Share, input: Input) -> Option<Digest> {
        if !self.engine.lock().backlog.has_free_lane() {
            return None;
        }
        self.compute(share, input).await.ok()
    }

    pub fn load(&self) -> Load {
        let state = self.engine.lock();
        Load {
            last: state.last,
            computed: state.computed,
            ..state.backlog.load()
        }
    }
}

impl Drop for Hashing {
    fn drop(&mut self) {
        let mut state = self.engine.lock();
        state.ended = true;
        state.backlog.clear();
        drop(state);
        self.engine.changed.notify_all();
        self.engine.derivations_changed.notify_all();
    }
}

impl Engine {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that holds it can panic in the middle of a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The number of cores: the low priority of the threads, not their number, lets other work go first.
pub fn default_threads() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Lets requests go first when they compete with this thread for a core.
pub(in crate::service) fn lower_priority() {
    // Elsewhere it would be the whole process.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(10) {
        tracing::warn!(%error, "cannot lower the priority of the hashing threads");
    }
}

#[cfg(test)]
mod tests {
    #[cfg(not(feature = "bcrypt-crate"))]
    use std::pin::{Pin, pin};
    #[cfg(not(feature = "bcrypt-crate"))]
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// It never finishes within a test.
    #[cfg(not(feature = "bcrypt-crate"))]
    const ENDLESS: u32 = 31;

    fn share(name: u8) -> Share {
        Share::of(name, name)
    }

    fn input(name: u8, cost: u32) -> Input {
        Input::new(&[name], [name; 16], cost).unwrap()
    }

    fn is_right(digest: &Digest, name: u8, cost: u32) -> bool {
        digest.matches(&bcrypt_lanes::bcrypt(&input(name, cost)).checksum())
    }

    /// Submits it without waiting for it.
    #[cfg(not(feature = "bcrypt-crate"))]
    fn begin(computing: Pin<&mut impl Future<Output = Result<Digest>>>) -> Option<Result<Digest>> {
        match computing.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => None,
            Poll::Ready(answer) => Some(answer),
        }
    }

    #[cfg(not(feature = "bcrypt-crate"))]
    fn wait_until(hashing: &Hashing, is_so: impl Fn(Load) -> bool) {
        while !is_so(hashing.load()) {
            thread::yield_now();
        }
    }

    #[tokio::test]
    async fn concurrent_jobs_each_get_their_own_hash() {
        for threads in [1, 3] {
            let hashing = Hashing::start(Some(threads)).unwrap();
            let jobs = (0..60).map(|name| {
                let cost = 4 + u32::from(name % 3);
                let hashing = &hashing;
                async move {
                    let digest = hashing
                        .compute(share(name), input(name, cost))
                        .await
                        .unwrap();
                    assert!(is_right(&digest, name, cost), "{name}");
                }
            });
            futures_util::future::join_all(jobs).await;
            let load = hashing.load();
            assert_eq!((load.waiting, load.lanes), (0, threads * LANES));
            assert!(load.last.is_some());
        }
    }

    #[cfg(not(feature = "bcrypt-crate"))]
    #[tokio::test]
    async fn a_short_hash_joins_a_long_one_and_does_not_wait_for_it() {
        let hashing = Hashing::start(Some(1)).unwrap();
        let mut endless = pin!(hashing.compute(share(1), input(1, ENDLESS)));
        assert!(begin(endless.as_mut()).is_none());
        wait_until(&hashing, |load| load.busy == 1);
        let digest = hashing.compute(share(2), input(2, 4)).await.unwrap();
        assert!(is_right(&digest, 2, 4));
        assert_eq!(hashing.load().last.unwrap().0, 4);
        assert!(begin(endless.as_mut()).is_none());
    }

    #[cfg(not(feature = "bcrypt-crate"))]
    #[tokio::test]
    async fn overload_is_reported_at_once_and_abandoned_jobs_make_room() {
        let hashing = Hashing::start(Some(1)).unwrap();
        let mut endless: Vec<_> = (0..LANES)
            .map(|lane| {
                // Of different clients, because one does not get the last lane.
                let share = Share::of(lane, lane);
                Box::pin(hashing.compute(share, input(1, ENDLESS)))
            })
            .collect();
        for computing in &mut endless {
            assert!(begin(computing.as_mut()).is_none());
        }
        let answer = begin(pin!(hashing.compute(share(2), input(2, 4)))).unwrap();
        assert!(matches!(answer, Err(Error::Busy(_))));
        assert!(
            hashing
                .compute_if_idle(share(2), input(2, 4))
                .await
                .is_none()
        );

        endless.pop();
        wait_until(&hashing, |load| load.busy == LANES - 1);
        let digest = hashing.compute(share(3), input(3, 4)).await.unwrap();
        assert!(is_right(&digest, 3, 4));
        assert!(
            hashing
                .compute_if_idle(share(2), input(2, 4))
                .await
                .is_some()
        );

        endless.clear();
        wait_until(&hashing, |load| load.busy == 0);
    }

    #[cfg(not(feature = "bcrypt-crate"))]
    #[tokio::test]
    async fn waiting_jobs_are_dropped_when_the_engine_ends() {
        let hashing = Hashing::start(Some(1)).unwrap();
        let engine = Arc::clone(&hashing.engine);
        let (reply, replied) = oneshot::channel();
        let job = Job {
            share: share(1),
            task: Task::Lane(input(1, ENDLESS), reply),
            due: Due::since(Instant::now()),
        };
        assert!(engine.lock().backlog.admit(job));
        engine.changed.notify_one();
        drop(hashing);
        assert!(replied.await.is_err());
    }
}
