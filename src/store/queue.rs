//! Threads that own connections and run one closure per unit of work.
//!
//! A job that has begun always finishes, whatever becomes of the request that asked for it. The queue
//! in front is bounded, and a job that waited too long is answered without being run, even while no thread
//! comes to look at it.

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
    pool: Arc<Crew>,
}

/// The threads that work a queue off: as many as were ever needed at once, so that a quiet instance holds few
/// connections and a starting one waits for one.
struct Crew {
    name: &'static str,
    engine: Engine,
    access: Access,
    queue: Receiver<Job>,
    /// How many threads there may be.
    limit: usize,
    threads: AtomicUsize,
    /// Jobs that wait or run.
    unfinished: AtomicUsize,
}

impl Crew {
    /// Starts a thread, which connects when its first job comes; does nothing where there are enough.
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
    /// Starts a first thread of at most `limit`.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        name: &'static str,
        engine: &Engine,
        access: Access,
        limit: usize,
    ) -> std::io::Result<Self> {
        let (jobs, queue) = bounded(DEPTH);
        let pool = Arc::new(Crew {
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
        let unfinished = self.pool.unfinished.fetch_add(1, Ordering::AcqRel) + 1;
        let queued = self.jobs.try_send(job);
        if queued.is_err() {
            self.pool.unfinished.fetch_sub(1, Ordering::AcqRel);
        }
        match queued {
            Ok(()) => {
                if unfinished > self.pool.threads.load(Ordering::Acquire) {
                    // Those that there are do the work where the system gives no more.
                    let _ = self.pool.grow();
                }
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

fn run_jobs(pool: &Crew) {
    let mut connection: Option<Connection> = None;
    for job in &pool.queue {
        run(job, &mut connection, pool);
        pool.unfinished.fetch_sub(1, Ordering::AcqRel);
    }
}

fn run(job: Job, connection: &mut Option<Connection>, pool: &Crew) {
    if job.is_decided.swap(true, Ordering::AcqRel) {
        return;
    }
    // Its caller has gone before this thread had time for it.
    if job.queued_at.elapsed() > PATIENCE {
        (job.work)(Err(StoreError::Busy));
        return;
    }
    if connection.as_mut().is_none_or(|held| !held.is_usable()) {
        // The old one must be gone before a new one is opened: SQLite has one writer.
        drop(connection.take());
        match Connection::open(&pool.engine, pool.access) {
            Ok(opened) => *connection = Some(opened),
            Err(error) => {
                (job.work)(Err(error));
                return;
            }
        }
    }
    let Some(held) = connection else {
        return;
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| (job.work)(Ok(&mut held.tx()))));
    if outcome.is_err() {
        // What the panic left half done is on this connection; the next job gets a new one.
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
    async fn as_many_run_at_once_as_there_may_be_threads() {
        let (_directory, queue) = queue(3);
        let all_are_here = Arc::new(Barrier::new(3));
        join_all((0..3).map(|_| {
            let all_are_here = Arc::clone(&all_are_here);
            run(&queue, move || {
                all_are_here.wait();
            })
        }))
        .await;
        assert_eq!(queue.pool.threads.load(Ordering::Acquire), 3);
    }

    #[tokio::test]
    async fn however_many_wait_there_are_no_more_threads_than_there_may_be() {
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
