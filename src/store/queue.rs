//! A pool of threads that own database connections and run one closure for each unit of work.
//!
//! Requesters take turns, and none gets all threads. A job that has started always finishes, even when the request is cancelled. The queue is bounded. A job that has
//! waited too long is answered with `Busy` and does not run, even if every thread is blocked.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use diesel::SqliteConnection;
use diesel::connection::TransactionManager as _;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::fair_queue::{FairQueue, Shares};
use super::pg_connection::PgConnection;
use super::postgres::{Liveness, Target};
use super::requester::Requester;
use super::sqlite::{self, Access};
use super::{StoreError, Tx};

/// How long a job may wait in the queue. Its caller answers 503 then.
const TIMEOUT: Duration = Duration::from_secs(2);

/// After so long without a job, a thread beyond the first ends, and closes its connection.
pub(super) const IDLE: Duration = Duration::from_secs(60);

/// Large enough for a burst, small enough to be served within [`TIMEOUT`].
const CAPACITY: usize = 1024;

type Work = Box<dyn FnOnce(Result<&mut Tx<'_>, StoreError>) + Send>;

struct Job {
    queued_at: Instant,
    /// Set by the thread that starts the job, or by the caller that gives it up: the first one decides.
    is_claimed: Arc<AtomicBool>,
    work: Work,
}

impl Job {
    /// Answers `Busy`, unless its caller has given up.
    fn refuse(self) {
        if !self.is_claimed.swap(true, Ordering::AcqRel) {
            (self.work)(Err(StoreError::Busy));
        }
    }
}

/// A handle to a pool. Its threads end when the last handle is dropped.
#[derive(Clone)]
pub(super) struct Queue(Arc<Handle>);

struct Handle {
    pool: Arc<Pool>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        state.is_closed = true;
        for wake in state.idle.drain(..) {
            wake.notify_one();
        }
    }
}

/// The threads that run the jobs of a queue. They are started as they are needed, so that an idle instance has few
/// connections and a starting instance waits for one only.
struct Pool {
    purpose: Purpose,
    source: Source,
    state: Mutex<State>,
}

/// What the threads of a pool connect to.
#[derive(Clone)]
pub(super) enum Source {
    Sqlite(PathBuf),
    Postgres(Target),
}

/// What a pool is for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Purpose {
    /// The name of its threads.
    pub name: &'static str,
    pub access: Access,
    pub shares: Shares,
    /// Whether its threads let others go first when they compete for a core.
    pub is_patient: bool,
    /// How long a thread beyond the first waits for a job.
    pub idle: Duration,
}

struct State {
    jobs: FairQueue<Job>,
    threads: usize,
    /// What wakes the threads that wait for a job. The last one goes first, so that the others stay idle and end.
    idle: Vec<Arc<Condvar>>,
    is_closed: bool,
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that holds it can panic in the middle of a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has another thread run the next job, if there is one: an idle thread, or a new one below the limit.
    fn call(self: &Arc<Self>, mut state: MutexGuard<'_, State>) -> std::io::Result<()> {
        if !state.jobs.is_ready() {
            return Ok(());
        }
        if let Some(wake) = state.idle.pop() {
            wake.notify_one();
            return Ok(());
        }
        if state.threads >= self.purpose.shares.threads {
            return Ok(());
        }
        state.threads += 1;
        drop(state);
        self.grow()
    }

    /// Starts a thread, which is counted already. It connects when it gets its first job.
    fn grow(self: &Arc<Self>) -> std::io::Result<()> {
        let pool = Arc::clone(self);
        let started = thread::Builder::new()
            .name(self.purpose.name.to_owned())
            .spawn(move || run_jobs(&pool));
        if started.is_err() {
            self.lock().threads -= 1;
        }
        started.map(drop)
    }

    /// Waits for the next job; `None` when the thread is to end.
    fn next(self: &Arc<Self>, wake: &Arc<Condvar>) -> Option<(Requester, Job)> {
        let mut state = self.lock();
        loop {
            if let Some(next) = state.jobs.take() {
                // If the system cannot start another thread, the existing ones run the other jobs.
                let _ = self.call(state);
                return Some(next);
            }
            if state.is_closed {
                return None;
            }
            state.idle.push(Arc::clone(wake));
            let (woken, waited) = wake
                .wait_timeout(state, self.purpose.idle)
                .unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle.retain(|idle| !Arc::ptr_eq(idle, wake));
            if waited.timed_out() && state.threads > 1 && !state.jobs.is_ready() {
                state.threads -= 1;
                return None;
            }
        }
    }
}

impl Queue {
    /// Starts the first of its threads.
    ///
    /// # Errors
    /// When the system cannot start a thread.
    pub(super) fn start(source: Source, purpose: Purpose) -> std::io::Result<Self> {
        let pool = Arc::new(Pool {
            purpose,
            source,
            state: Mutex::new(State {
                jobs: FairQueue::new(purpose.shares, CAPACITY),
                threads: 1,
                idle: Vec::new(),
                is_closed: false,
            }),
        });
        pool.grow()?;
        Ok(Self(Arc::new(Handle { pool })))
    }

    /// Queues `work` and waits for its result. A full queue refuses a job of the requester that has the most.
    pub(super) async fn run<T, E>(
        &self,
        requester: Requester,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (answer, mut answered) = oneshot::channel();
        let is_claimed = Arc::new(AtomicBool::new(false));
        self.push(
            requester,
            Job {
                queued_at: Instant::now(),
                is_claimed: Arc::clone(&is_claimed),
                work: Box::new(move |tx| {
                    // The caller may be gone; the work is done all the same.
                    let _ = answer.send(match tx {
                        Ok(tx) => work(tx),
                        Err(error) => Err(error.into()),
                    });
                }),
            },
        );
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

    /// Whether jobs wait for a thread.
    pub(super) fn is_waited_for(&self) -> bool {
        self.0.pool.lock().jobs.has_waiting()
    }

    fn push(&self, requester: Requester, job: Job) {
        let pool = &self.0.pool;
        let mut state = pool.lock();
        let refused = state.jobs.push(requester, job);
        // If the system cannot start another thread, the existing ones run the job.
        let _ = pool.call(state);
        if let Some(refused) = refused {
            refused.refuse();
        }
    }
}

enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection, Liveness),
}

impl Connection {
    fn open(source: &Source, access: Access) -> Result<Self, StoreError> {
        match source {
            Source::Sqlite(path) => sqlite::open(path, access).map(Self::Sqlite),
            Source::Postgres(target) => target
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
            Self::Postgres(connection, _) => {
                // Of an earlier unit of work.
                connection.forget_ahead();
                Tx::Postgres(connection)
            }
        }
    }
}

fn is_broken<C: diesel::Connection>(connection: &mut C) -> bool {
    C::TransactionManager::is_broken_transaction_manager(connection)
}

fn run_jobs(pool: &Arc<Pool>) {
    if pool.purpose.is_patient {
        lower_priority();
    }
    let mut connection: Option<Connection> = None;
    let wake = Arc::new(Condvar::new());
    while let Some((requester, job)) = pool.next(&wake) {
        let begun = Instant::now();
        run(job, &mut connection, pool);
        pool.lock().jobs.finish(requester, begun.elapsed());
    }
}

fn lower_priority() {
    // Elsewhere it would be the whole process.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(10) {
        tracing::warn!(%error, "cannot lower the priority of a database thread");
    }
}

fn run(job: Job, connection: &mut Option<Connection>, pool: &Pool) {
    // Its caller has given up.
    if job.is_claimed.swap(true, Ordering::AcqRel) {
        return;
    }
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
        match Connection::open(&pool.source, pool.purpose.access) {
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
    use std::sync::{Barrier, mpsc};

    use futures_util::FutureExt as _;
    use futures_util::future::join_all;

    use super::*;
    use crate::domain::{OrganizationId, UserId};

    fn queue(threads: usize, group: usize) -> (tempfile::TempDir, Queue) {
        queue_with_idle(threads, group, IDLE)
    }

    fn queue_with_idle(threads: usize, group: usize, idle: Duration) -> (tempfile::TempDir, Queue) {
        let directory = tempfile::tempdir().unwrap();
        let source = Source::Sqlite(directory.path().join("queue.db"));
        let purpose = Purpose {
            name: "test",
            access: Access::ReadWrite,
            shares: Shares {
                threads,
                group,
                user: group,
            },
            is_patient: false,
            idle,
        };
        let queue = Queue::start(source, purpose).unwrap();
        (directory, queue)
    }

    fn member(n: u128) -> Requester {
        let id = uuid::Uuid::from_u128(n);
        Requester::member(OrganizationId(id), UserId(id))
    }

    async fn run(
        queue: &Queue,
        requester: Requester,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<(), StoreError> {
        let work = move |_: &mut Tx<'_>| {
            work();
            Ok(())
        };
        queue.run(requester, work).await
    }

    #[tokio::test]
    async fn as_many_jobs_run_at_once_as_the_limit_allows() {
        let (_directory, queue) = queue(3, 3);
        let all_are_running = Arc::new(Barrier::new(3));
        let done = join_all((0..3).map(|_| {
            let all_are_running = Arc::clone(&all_are_running);
            run(&queue, member(1), move || {
                all_are_running.wait();
            })
        }));
        assert!(done.await.iter().all(Result::is_ok));
        assert_eq!(queue.0.pool.lock().threads, 3);
    }

    #[tokio::test]
    async fn threads_beyond_the_first_end_when_they_are_idle() {
        let (_directory, queue) = queue_with_idle(3, 3, Duration::from_millis(1));
        for _ in 0..2 {
            let all_are_running = Arc::new(Barrier::new(3));
            let done = join_all((0..3).map(|_| {
                let all_are_running = Arc::clone(&all_are_running);
                run(&queue, member(1), move || {
                    all_are_running.wait();
                })
            }));
            assert!(done.await.iter().all(Result::is_ok));
            while queue.0.pool.lock().threads > 1 {
                tokio::task::yield_now().await;
            }
        }
        run(&queue, member(1), || {}).await.unwrap();
    }

    #[tokio::test]
    async fn the_thread_that_was_busy_last_is_the_first_to_get_a_job() {
        let (_directory, queue) = queue(2, 2);
        let both_are_running = Arc::new(Barrier::new(2));
        let done = join_all((0..2).map(|_| {
            let both_are_running = Arc::clone(&both_are_running);
            run(&queue, member(1), move || {
                both_are_running.wait();
            })
        }));
        assert!(done.await.iter().all(Result::is_ok));
        while queue.0.pool.lock().idle.len() < 2 {
            tokio::task::yield_now().await;
        }
        let first = queue.0.pool.lock().idle.last().map(Arc::clone).unwrap();
        for _ in 0..5 {
            run(&queue, member(1), || {}).await.unwrap();
            while queue.0.pool.lock().idle.len() < 2 {
                tokio::task::yield_now().await;
            }
            let last = queue.0.pool.lock().idle.last().map(Arc::clone).unwrap();
            assert!(Arc::ptr_eq(&first, &last));
        }
    }

    #[tokio::test]
    async fn many_waiting_jobs_start_no_more_threads_than_the_limit() {
        let (_directory, queue) = queue(2, 2);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let done = join_all((0..100).map(|_| {
            let seen = Arc::clone(&seen);
            run(&queue, member(1), move || {
                seen.lock().unwrap().push(thread::current().id());
            })
        }));
        assert!(done.await.iter().all(Result::is_ok));
        let mut seen = seen.lock().unwrap().clone();
        assert_eq!(seen.len(), 100);
        seen.sort_by_key(|id| format!("{id:?}"));
        seen.dedup();
        assert!(seen.len() <= 2, "{seen:?}");
        assert!(queue.0.pool.lock().threads <= 2);
    }

    #[tokio::test]
    async fn stuck_jobs_of_one_requester_leave_a_thread_to_others() {
        let (_directory, queue) = queue(2, 1);
        let (free, stuck) = mpsc::channel::<()>();
        let (is_running, running) = oneshot::channel();
        let flood = run(&queue, member(1), move || {
            is_running.send(()).unwrap();
            stuck.recv().unwrap();
        });
        let more = join_all((0..64).map(|_| run(&queue, member(1), || {})));
        let other = async {
            running.await.unwrap();
            run(&queue, member(2), || {}).await.unwrap();
            // Only now: the other job did not wait for it.
            free.send(()).unwrap();
        };
        let (flood, more, ()) = tokio::join!(flood, more, other);
        assert!(flood.is_ok() && more.iter().all(Result::is_ok));
    }

    #[tokio::test]
    async fn a_full_queue_refuses_those_who_filled_it() {
        let (_directory, queue) = queue(1, 1);
        let (free, stuck) = mpsc::channel::<()>();
        let (is_running, running) = oneshot::channel();
        let flood = run(&queue, member(1), move || {
            is_running.send(()).unwrap();
            stuck.recv().unwrap();
        });
        let others = async {
            running.await.unwrap();
            let flood = join_all((0..CAPACITY).map(|_| run(&queue, member(1), || {})));
            let newcomer = async {
                let newcomer = run(&queue, member(2), || {});
                let free = async { free.send(()).unwrap() };
                tokio::join!(newcomer, free).0
            };
            tokio::join!(flood, newcomer)
        };
        let (_, (flood, newcomer)) = tokio::join!(flood, others);
        assert!(newcomer.is_ok());
        let refused = flood
            .iter()
            .filter(|done| matches!(done, Err(StoreError::Busy)))
            .count();
        assert_eq!(refused, 1);
    }

    #[tokio::test]
    async fn waiting_jobs_are_done_before_the_threads_end() {
        let (_directory, queue) = queue(1, 1);
        let (is_done, done) = oneshot::channel();
        let job = run(&queue, member(1), move || is_done.send(()).unwrap());
        // It is queued, and its caller gone.
        let _ = job.now_or_never();
        drop(queue);
        done.await.unwrap();
    }
}
