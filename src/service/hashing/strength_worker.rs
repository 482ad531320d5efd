//! A thread that rates new passwords: that can take tens of milliseconds, for which neither requests nor hashes should
//! wait.

use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded};
use tokio::sync::oneshot;

use crate::service::hashing::lower_priority;
use crate::service::{Error, Result};

/// A job that has waited longer is dropped, because the hash must follow.
const PATIENCE: Duration = Duration::from_millis(500);

/// More jobs than this cannot be done within [`PATIENCE`].
const DEPTH: usize = 256;

type Work = Box<dyn FnOnce() + Send>;

/// A handle to the thread, which ends when this is dropped.
pub struct StrengthWorker {
    jobs: Sender<(Instant, Work)>,
}

impl StrengthWorker {
    /// # Errors
    /// When the system gives no thread.
    pub fn start() -> std::io::Result<Self> {
        let (jobs, queue) = bounded::<(Instant, Work)>(DEPTH);
        thread::Builder::new()
            .name("judging".to_owned())
            .spawn(move || {
                lower_priority();
                for (queued_at, work) in queue {
                    // Dropping the work drops the answer's sender, which tells the caller.
                    if queued_at.elapsed() < PATIENCE {
                        work();
                    }
                }
            })?;
        Ok(Self { jobs })
    }

    /// Runs `work` on the thread.
    ///
    /// # Errors
    /// `Busy` when too many are waiting.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let work = Box::new(move || {
            if !answer.is_closed() {
                let _ = answer.send(work());
            }
        });
        self.jobs
            .try_send((Instant::now(), work))
            .map_err(|_| Error::Busy("judging passwords"))?;
        answered.await.map_err(|_| Error::Busy("judging passwords"))
    }
}
