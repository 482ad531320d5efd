//! Threads that do nothing but compute password hashes, so that nothing else waits behind one.

use std::num::NonZeroUsize;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded};
use tokio::sync::oneshot;

use super::{Error, Result};

/// A sign-in is answered within this time: with a verdict, or with 503.
const PATIENCE: Duration = Duration::from_secs(2);

/// More than this many cannot be served within [`PATIENCE`] on any machine of today.
const DEPTH: usize = 256;

type Work = Box<dyn FnOnce() + Send>;

/// The way to the hashing threads. They end when it is dropped.
pub struct Hashing {
    jobs: Sender<(Instant, Work)>,
}

impl Hashing {
    /// Starts one thread for each core.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start() -> std::io::Result<Self> {
        let (jobs, queue) = bounded::<(Instant, Work)>(DEPTH);
        for _ in 0..thread::available_parallelism().map_or(1, NonZeroUsize::get) {
            let queue = queue.clone();
            thread::Builder::new()
                .name("hashing".to_owned())
                .spawn(move || {
                    for (queued_at, work) in queue {
                        // Dropping the work drops the answer's sender, which tells the caller.
                        if queued_at.elapsed() < PATIENCE {
                            work();
                        }
                    }
                })?;
        }
        Ok(Self { jobs })
    }

    /// Computes `work` on a hashing thread.
    ///
    /// # Errors
    /// `Busy` when the queue is full, or when `work` waited in it for two seconds.
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
            .map_err(|_| Error::Busy("password hashing"))?;
        answered.await.map_err(|_| Error::Busy("password hashing"))
    }
}
