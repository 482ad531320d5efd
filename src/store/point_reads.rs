//! Reads of single rows by key, on a connection of the thread that serves the request: no other thread is woken.
//!
//! On PostgreSQL, many units of work are on their way at once, and their queries travel together. Writes must not share
//! a connection like this: a commit would hold up everyone behind it. What cannot be read here is read by the threads
//! of the queue, which also tell why. See docs/decisions/0049-few-round-trips.md.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use diesel::SqliteConnection;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use super::pg_connection::PgConnection;
use super::pg_runtime::RESPONSE_TIMEOUT;
use super::postgres::Target;
use super::queue::IDLE;
use super::{StoreError, Tx, sqlite};

/// Units of work on one connection. The queue takes what is above.
const MOST_AT_ONCE: usize = 256;

/// How long a thread that could not connect leaves its reads to the queue.
const PAUSE: Duration = Duration::from_secs(1);

thread_local! {
    static SLOT: RefCell<Slot> = const { RefCell::new(Slot::Empty) };
    static SQLITE: RefCell<Option<(StoreId, SqliteConnection)>> = const { RefCell::new(None) };
}

/// Runs `work`, which only reads, on this thread's connection to a SQLite file: a few pages, usually in memory. `None` if
/// the file cannot be opened.
pub(super) fn read_sqlite<T>(
    path: &Path,
    store: StoreId,
    work: &impl Fn(&mut Tx<'_>) -> T,
) -> Option<T> {
    SQLITE.with_borrow_mut(|open| {
        if open.as_ref().is_none_or(|(of, _)| *of != store) {
            *open = Some((store, sqlite::open_for_point_reads(path).ok()?));
        }
        let (_, connection) = open.as_mut()?;
        Some(work(&mut Tx::Sqlite(connection)))
    })
}

/// The connection of a thread.
enum Slot {
    Empty,
    Connecting,
    Failed(Instant),
    Open(Rc<Shared>),
}

/// A store, as this file tells it from others that use the same thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StoreId(u64);

impl StoreId {
    pub(super) fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed))
    }
}

struct Shared {
    store: StoreId,
    connection: RefCell<PgConnection>,
    in_use: Cell<usize>,
    state: Arc<State>,
    /// Reads and writes the connection.
    driver: AbortHandle,
}

/// What the task that drives a connection shares with those who use it.
struct State {
    is_closed: AtomicBool,
    was_used: AtomicBool,
}

/// Runs `work`, which only reads, and is run twice: first to collect its queries, without rows, and then with their
/// answers. `None` if it must run in the queue.
pub(super) async fn read_postgres<T, E: From<StoreError>>(
    target: &Target,
    store: StoreId,
    work: &impl Fn(&mut Tx<'_>) -> Result<T, E>,
) -> Option<Result<T, E>> {
    let shared = shared(target, store).await?;
    let _in_use = InUse::begin(&shared)?;
    let work = |connection: &mut PgConnection| work(&mut Tx::Postgres(connection));
    let mut questions = shared.connection.borrow_mut().questions(work);
    match timeout(RESPONSE_TIMEOUT, questions.answer()).await {
        Ok(answered) => answered.ok()?,
        Err(_) => {
            let why = "PostgreSQL does not respond";
            tracing::warn!("{why}; closing the connection");
            shared.driver.abort();
            return Some(Err(StoreError::Unavailable(why.to_owned()).into()));
        }
    }
    shared.connection.borrow_mut().recall(questions, work)
}

struct InUse<'a>(&'a Shared);

impl<'a> InUse<'a> {
    fn begin(shared: &'a Shared) -> Option<Self> {
        if shared.in_use.get() == MOST_AT_ONCE {
            return None;
        }
        shared.state.was_used.store(true, Ordering::Release);
        shared.in_use.set(shared.in_use.get() + 1);
        Some(Self(shared))
    }
}

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        self.0.in_use.set(self.0.in_use.get() - 1);
    }
}

/// The connection of this thread. One request opens it; meanwhile others go to the queue.
async fn shared(target: &Target, store: StoreId) -> Option<Rc<Shared>> {
    let usable = SLOT.with_borrow_mut(|slot| match slot {
        Slot::Open(shared) if shared.store == store && !shared.is_closed() => {
            Some(Some(Rc::clone(shared)))
        }
        Slot::Connecting => Some(None),
        Slot::Failed(at) if at.elapsed() < PAUSE => Some(None),
        _ => {
            *slot = Slot::Connecting;
            None
        }
    });
    if let Some(usable) = usable {
        return usable;
    }
    let mut connecting = Connecting(Some(Slot::Empty));
    let Ok(shared) = connect(target, store).await else {
        connecting.0 = Some(Slot::Failed(Instant::now()));
        return None;
    };
    let shared = Rc::new(shared);
    connecting.0 = Some(Slot::Open(Rc::clone(&shared)));
    Some(shared)
}

/// What the slot becomes when the attempt ends, even with the request.
struct Connecting(Option<Slot>);

impl Drop for Connecting {
    fn drop(&mut self) {
        if let Some(slot) = self.0.take() {
            SLOT.set(slot);
        }
    }
}

impl Shared {
    fn is_closed(&self) -> bool {
        self.state.is_closed.load(Ordering::Acquire)
    }
}

async fn connect(target: &Target, store: StoreId) -> Result<Shared, StoreError> {
    let (client, connection) = target.connect_raw().await?;
    let state = Arc::new(State {
        is_closed: AtomicBool::new(false),
        was_used: AtomicBool::new(true),
    });
    let driven = Arc::clone(&state);
    let driver = tokio::spawn(async move {
        let _at_end = MarkClosed(Arc::clone(&driven));
        tokio::select! {
            // Those who wait for an answer are told.
            _ = connection => {}
            () = unused(&driven) => {}
        }
    });
    Ok(Shared {
        store,
        connection: RefCell::new(target.connection(client)),
        in_use: Cell::new(0),
        state,
        driver: driver.abort_handle(),
    })
}

struct MarkClosed(Arc<State>);

impl Drop for MarkClosed {
    fn drop(&mut self) {
        self.0.is_closed.store(true, Ordering::Release);
    }
}

/// Returns when the connection was not used for [`IDLE`], or somewhat longer.
async fn unused(state: &State) {
    const PARTS: u32 = 4;
    let mut unused = 0;
    while unused < PARTS {
        sleep(IDLE / PARTS).await;
        let was_used = state.was_used.swap(false, Ordering::AcqRel);
        unused = if was_used { 0 } else { unused + 1 };
    }
}
