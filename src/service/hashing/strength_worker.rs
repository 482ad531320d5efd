//! A thread that rates new passwords: that can take tens of milliseconds, for which neither requests nor hashes should
//! wait.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::service::hashing::lower_priority;
use crate::service::hashing::share::Share;
use crate::service::hashing::turns::{Turns, Waiting};
use crate::service::{Error, Result};

/// A job that has waited longer is dropped, because the hash must follow.
const PATIENCE: Duration = Duration::from_millis(500);

/// More jobs than this cannot be done within [`PATIENCE`].
const DEPTH: usize = 256;

/// A handle to the thread, which ends when this is dropped.
pub struct StrengthWorker {
    queue: Arc<Queue>,
}

#[derive(Debug)]
struct Queue {
    state: Mutex<State>,
    /// Notified when there is a job, and at the end.
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    turns: Turns<Job>,
    ended: bool,
}

struct Job {
    queued_at: Instant,
    work: Box<dyn FnOnce() + Send>,
}

impl StrengthWorker {
    /// # Errors
    /// When the system gives no thread.
    pub fn start() -> std::io::Result<Self> {
        let queue = Arc::new(Queue {
            state: Mutex::new(State {
                turns: Turns::new(),
                ended: false,
            }),
            changed: Condvar::new(),
        });
        let worker = Self {
            queue: Arc::clone(&queue),
        };
        thread::Builder::new()
            .name("judging".to_owned())
            .spawn(move || {
                lower_priority();
                while let Some(Waiting {
                    job, share, work, ..
                }) = queue.next()
                {
                    (job.work)();
                    queue.lock().turns.end(share, work);
                }
            })?;
        Ok(worker)
    }

    /// Runs `work` on the thread, in turn with that of other accounts and addresses.
    ///
    /// # Errors
    /// `Busy` when too many are waiting.
    pub async fn run<T: Send + 'static>(
        &self,
        share: Share,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let job = Job {
            queued_at: Instant::now(),
            work: Box::new(move || {
                if !answer.is_closed() {
                    let _ = answer.send(work());
                }
            }),
        };
        self.queue.push(share, job);
        // Dropping a job drops the answer's sender.
        answered.await.map_err(|_| Error::Busy("judging passwords"))
    }
}

impl Drop for StrengthWorker {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.ended = true;
        state.turns.clear();
        drop(state);
        self.queue.changed.notify_all();
    }
}

impl Queue {
    /// Adds a job. If there are too many, the last one in the order is dropped.
    fn push(&self, share: Share, job: Job) {
        let mut state = self.lock();
        state.turns.push(share, 1, job);
        let mut kept = 0;
        state.turns.retain(|_| {
            kept += 1;
            kept <= DEPTH
        });
        drop(state);
        self.changed.notify_one();
    }

    /// Waits for a job; `None` at the end.
    fn next(&self) -> Option<Waiting<Job>> {
        let mut state = self.lock();
        loop {
            if state.ended {
                return None;
            }
            let now = Instant::now();
            let is_in_time = |job: &Job| now.duration_since(job.queued_at) < PATIENCE;
            state.turns.retain(|waiting| is_in_time(&waiting.job));
            if let Some(next) = state.turns.begin(|_| true) {
                return Some(next);
            }
            let woken = self.changed.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that holds it can panic in the middle of a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Job({:?})", self.queued_at)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn accounts_take_turns_in_having_passwords_rated() {
        let worker = StrengthWorker::start().unwrap();
        let (flooding, other) = (Share::of("a", "x"), Share::of("b", "y"));
        let (finish, finished) = mpsc::channel::<()>();
        let rated = Arc::new(Mutex::new(Vec::new()));
        let rate = |share, name| {
            let rated = Arc::clone(&rated);
            worker.run(share, move || rated.lock().unwrap().push(name))
        };
        // They are queued in this order, while the thread is busy with the first.
        let _ = tokio::join!(
            biased;
            worker.run(flooding, move || finished.recv().unwrap()),
            rate(flooding, "first"),
            rate(flooding, "second"),
            rate(other, "other"),
            async { finish.send(()).unwrap() },
        );
        assert_eq!(*rated.lock().unwrap(), ["other", "first", "second"]);
    }

    #[tokio::test]
    async fn a_full_queue_refuses_the_flood_and_not_another_account() {
        let worker = StrengthWorker::start().unwrap();
        let (flooding, other) = (Share::of("a", "x"), Share::of("b", "y"));
        let (finish, finished) = mpsc::channel::<()>();
        let flood = (0..=DEPTH).map(|_| worker.run(flooding, || ()));
        let (_, refused, others, ()) = tokio::join!(
            biased;
            worker.run(flooding, move || finished.recv().unwrap()),
            async {
                let answers = futures_util::future::join_all(flood).await;
                answers.iter().filter(|answer| answer.is_err()).count()
            },
            worker.run(other, || ()),
            async { finish.send(()).unwrap() },
        );
        assert!(refused > 0 && others.is_ok(), "{refused}");
    }
}
