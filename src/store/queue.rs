//! A pool of threads that own database connections and run one closure for each unit of work.
//!
//! A job that has started always finishes, even when the request is cancelled. The queue is bounded. A job that has
//! waited too long is answered with `Busy` and does not run, even if every thread is blocked.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use diesel::SqliteConnection;
use diesel::connection::TransactionManager as _;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::pg_connection::PgConnection;
use super::postgres::Liveness;
use super::sqlite::{self, Access};
use super::{Engine, StoreError, Tx};

/// How long a job may wait in the queue. Its caller answers 503 then.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Large enough for a burst, small enough to be served within [`TIMEOUT`].
const CAPACITY: usize = 1024;

type Work = Box<dyn FnOnce(Result<&mut Tx<'_>, StoreError>) + Send>;

struct Job {
    queued_at: Instant,
    /// Set by the thread that starts the job, or by the caller that gives it up: the first one decides.
    is_claimed: Arc<AtomicBool>,
    work: Work,
}

/// A handle to a pool. Its threads end when the last handle is dropped.
#[derive(Clone)]
pub(super) struct Queue {
    jobs: Sender<Job>,
    pool: Arc<Pool>,
}

/// The threads that run the jobs of a queue. They are started as they are needed, so that an idle instance has few
/// connections and a starting instance waits for one only.
struct Pool {
    name: &'static str,
    engine: Engine,
    access: Access,
    queue: Receiver<Job>,
    /// The maximum number of threads.
    limit: usize,
    threads: AtomicUsize,
    /// Jobs that are waiting or running.
    unfinished: AtomicUsize,
}

impl Pool {
    /// Starts a thread, unless the limit is reached. It connects when it gets its first job.
    fn grow(self: &Arc<Self>) -> std::io::Result<()> {
        let one_more = |threads| (threads < self.limit).then_some(threads + 1);
        let (set, fetch) = (Ordering::AcqRel, Ordering::Acquire);
        if self.threads.fetch_update(set, fetch, one_more).is_err() {
            return Ok(());
        }
        let pool = Arc::clone(self);
        let started = thread::Builder::new()
            .name(self.name.to_owned())
            .spawn(move || run_jobs(&pool));
        if started.is_err() {
            self.threads.fetch_sub(1, Ordering::AcqRel);
        }
        started.map(drop)
    }
}

impl Queue {
    /// Starts the first of at most `limit` threads.
    ///
    /// # Errors
    /// When the system cannot start a thread.
    pub(super) fn start(
        name: &'static str,
        engine: &Engine,
        access: Access,
        limit: usize,
    ) -> std::io::Result<Self> {
        let (jobs, queue) = bounded(CAPACITY);
        let pool = Arc::new(Pool {
            name,
            engine: engine.clone(),
            access,
            queue,
            limit,
            threads: AtomicUsize::new(0),
            unfinished: AtomicUsize::new(0),
        });
        pool.grow()?;
        Ok(Self { jobs, pool })
    }

    /// Queues `work` and waits for its result.
    pub(super) async fn run<T, E>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (answer, mut answered) = oneshot::channel();
        let is_claimed = Arc::new(AtomicBool::new(false));
        let job = Job {
            queued_at: Instant::now(),
            is_claimed: Arc::clone(&is_claimed),
            work: Box::new(move |tx| {
                // The caller may be gone; the work is done all the same.
                let _ = answer.send(match tx {
                    Ok(tx) => work(tx),
                    Err(error) => Err(error.into()),
                });
            }),
        };
        let unfinished = self.pool.unfinished.fetch_add(1, Ordering::AcqRel) + 1;
        let queued = self.jobs.try_send(job);
        if queued.is_err() {
            self.pool.unfinished.fetch_sub(1, Ordering::AcqRel);
        }
        match queued {
            Ok(()) => {
                if unfinished > self.pool.threads.load(Ordering::Acquire) {
                    // If the system cannot start another thread, the existing ones run the job.
                    let _ = self.pool.grow();
                }
                let answer = match timeout(TIMEOUT, &mut answered).await {
                    Ok(answer) => answer,
                    Err(_) if !is_claimed.swap(true, Ordering::AcqRel) => {
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

    /// Whether it can run another job: it is connected and no transaction was left open.
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

fn run_jobs(pool: &Pool) {
    let mut connection: Option<Connection> = None;
    for job in &pool.queue {
        run(job, &mut connection, pool);
        pool.unfinished.fetch_sub(1, Ordering::AcqRel);
    }
}

fn run(job: Job, connection: &mut Option<Connection>, pool: &Pool) {
    if job.is_claimed.swap(true, Ordering::AcqRel) {
        return;
    }
    // Its caller has given up.
    if job.queued_at.elapsed() > TIMEOUT {
        (job.work)(Err(StoreError::Busy));
        return;
    }
    if connection
        .as_mut()
        .is_none_or(|connection| !connection.is_usable())
    {
        // The old connection is closed before a new one is opened: SQLite has one writer.
        drop(connection.take());
        match Connection::open(&pool.engine, pool.access) {
            Ok(opened) => *connection = Some(opened),
            Err(error) => {
                (job.work)(Err(error));
                return;
            }
        }
    }
    let Some(open) = connection else {
        return;
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| (job.work)(Ok(&mut open.tx()))));
    if outcome.is_err() {
        // A transaction may be left open on this connection; the next job gets a new one.
        *connection = None;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Barrier, Mutex};

    use futures_util::future::join_all;

    use super::*;

    fn queue(limit: usize) -> (tempfile::TempDir, Queue) {
        let directory = tempfile::tempdir().unwrap();
        let engine = Engine::Sqlite(directory.path().join("queue.db"));
        let queue = Queue::start("test", &engine, Access::ReadWrite, limit).unwrap();
        (directory, queue)
    }

    async fn run(queue: &Queue, work: impl FnOnce() + Send + 'static) {
        let done = queue.run(move |_| {
            work();
            Ok::<_, StoreError>(())
        });
        done.await.unwrap();
    }

    #[tokio::test]
    async fn as_many_jobs_run_at_once_as_the_limit_allows() {
        let (_directory, queue) = queue(3);
        let all_are_running = Arc::new(Barrier::new(3));
        join_all((0..3).map(|_| {
            let all_are_running = Arc::clone(&all_are_running);
            run(&queue, move || {
                all_are_running.wait();
            })
        }))
        .await;
        assert_eq!(queue.pool.threads.load(Ordering::Acquire), 3);
    }

    #[tokio::test]
    async fn many_waiting_jobs_start_no_more_threads_than_the_limit() {
        let (_directory, queue) = queue(2);
        let seen = Arc::new(Mutex::new(Vec::new()));
        join_all((0..100).map(|_| {
            let seen = Arc::clone(&seen);
            run(&queue, move || {
                seen.lock().unwrap().push(thread::current().id());
            })
        }))
        .await;
        let mut seen = seen.lock().unwrap().clone();
        assert_eq!(seen.len(), 100);
        seen.sort_by_key(|id| format!("{id:?}"));
        seen.dedup();
        assert!(seen.len() <= 2, "{seen:?}");
        assert!(queue.pool.threads.load(Ordering::Acquire) <= 2);
    }
}
