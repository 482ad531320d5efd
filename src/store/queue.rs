//! Threads that own connections and run one closure per unit of work.
//!
//! A job that has begun always finishes, whatever becomes of the request that asked for it. The queue
//! in front is bounded, and a job that waited too long is answered without being run, even while no thread
//! comes to look at it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use diesel::SqliteConnection;
use diesel::connection::TransactionManager as _;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::postgres::{Liveness, PgConnection};
use super::sqlite::{self, Access};
use super::{Engine, StoreError, Tx};

/// A caller has gone, or answers 503, by then.
const PATIENCE: Duration = Duration::from_secs(2);

/// Deep enough for a burst, shallow enough that its tail is served within [`PATIENCE`].
const DEPTH: usize = 1024;

type Work = Box<dyn FnOnce(Result<&mut Tx<'_>, StoreError>) + Send>;

struct Job {
    queued_at: Instant,
    /// Whoever sets it decides: the thread that the job runs, or the caller that it never will.
    is_decided: Arc<AtomicBool>,
    work: Work,
}

/// The way to a group of connection threads. They end when the last handle is dropped.
#[derive(Clone)]
pub struct Queue {
    jobs: Sender<Job>,
}

impl Queue {
    /// Starts `threads` threads; each connects when its first job comes.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        name: &'static str,
        engine: &Engine,
        access: Access,
        threads: usize,
    ) -> std::io::Result<Self> {
        let (jobs, queue) = bounded(DEPTH);
        for _ in 0..threads {
            let queue = queue.clone();
            let engine = engine.clone();
            thread::Builder::new()
                .name(name.to_owned())
                .spawn(move || work_off(&queue, &engine, access))?;
        }
        Ok(Self { jobs })
    }

    /// Queues `work` and waits for what it answers.
    pub async fn run<T, E>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (answer, mut answered) = oneshot::channel();
        let is_decided = Arc::new(AtomicBool::new(false));
        let job = Job {
            queued_at: Instant::now(),
            is_decided: Arc::clone(&is_decided),
            work: Box::new(move |tx| {
                // Nobody may be waiting any more; the work counts all the same.
                let _ = answer.send(match tx {
                    Ok(tx) => work(tx),
                    Err(error) => Err(error.into()),
                });
            }),
        };
        match self.jobs.try_send(job) {
            Ok(()) => {
                let answer = match timeout(PATIENCE, &mut answered).await {
                    Ok(answer) => answer,
                    Err(_) if !is_decided.swap(true, Ordering::AcqRel) => {
                        return Err(StoreError::Busy.into());
                    }
                    Err(_) => answered.await,
                };
                answer.unwrap_or_else(|_| {
                    Err(StoreError::Failed("the unit of work panicked".to_owned()).into())
                })
            }
            Err(TrySendError::Full(_)) => Err(StoreError::Busy.into()),
            Err(TrySendError::Disconnected(_)) => {
                Err(StoreError::Failed("the database threads have ended".to_owned()).into())
            }
        }
    }
}

#[expect(clippy::large_enum_variant, reason = "there is one per thread")]
enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection, Liveness),
}

impl Connection {
    fn open(engine: &Engine, access: Access) -> Result<Self, StoreError> {
        match engine {
            Engine::Sqlite(path) => sqlite::open(path, access).map(Self::Sqlite),
            Engine::Postgres(target) => target
                .connect()
                .map(|(connection, liveness)| Self::Postgres(connection, liveness)),
        }
    }

    /// Whether it can be trusted with another job: alive, and with no transaction left open.
    fn is_usable(&mut self) -> bool {
        match self {
            Self::Sqlite(connection) => !is_broken(connection),
            Self::Postgres(connection, liveness) => !liveness.is_dead() && !is_broken(connection),
        }
    }

    fn tx(&mut self) -> Tx<'_> {
        match self {
            Self::Sqlite(connection) => Tx::Sqlite(connection),
            Self::Postgres(connection, _) => Tx::Postgres(connection),
        }
    }
}

fn is_broken<C: diesel::Connection>(connection: &mut C) -> bool {
    C::TransactionManager::is_broken_transaction_manager(connection)
}

fn work_off(queue: &Receiver<Job>, engine: &Engine, access: Access) {
    let mut connection: Option<Connection> = None;
    for job in queue {
        if job.is_decided.swap(true, Ordering::AcqRel) {
            continue;
        }
        // Its caller has gone before this thread had time for it.
        if job.queued_at.elapsed() > PATIENCE {
            (job.work)(Err(StoreError::Busy));
            continue;
        }
        if connection.as_mut().is_none_or(|held| !held.is_usable()) {
            // The old one must be gone before a new one is opened: SQLite has one writer.
            drop(connection.take());
            match Connection::open(engine, access) {
                Ok(opened) => connection = Some(opened),
                Err(error) => {
                    (job.work)(Err(error));
                    continue;
                }
            }
        }
        let Some(held) = connection.as_mut() else {
            continue;
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| (job.work)(Ok(&mut held.tx()))));
        if outcome.is_err() {
            // What the panic left half done is on this connection; the next job gets a new one.
            connection = None;
        }
    }
}
