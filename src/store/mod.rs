//! The database: the only place that knows SQL.
//!
//! A unit of work is a closure over a [`Tx`]: `store.read(|tx| …)` or `store.write(|tx| …)`. The
//! functions it calls are grouped by table. Each is written once and compiled for both databases by the `on!` macro.

pub mod api_tokens;
pub mod attempts;
pub mod audit;
mod change_listener;
pub mod changes;
mod error;
pub mod identities;
pub mod invitations;
pub mod memberships;
mod migrations;
pub mod one_time_tokens;
pub mod organizations;
pub mod outbox;
pub mod people;
mod pg_connection;
mod pg_runtime;
mod postgres;
mod queue;
pub mod recovery_codes;
mod schema;
pub mod session_tokens;
pub mod sessions;
pub mod slack_states;
mod sqlite;
pub mod totp;
mod tx;
mod types;
pub mod users;
pub mod workspaces;

use std::path::PathBuf;
use std::sync::Arc;

use diesel::Connection as _;
use tokio::sync::Notify;

pub use error::{StoreError, Unique};
pub use migrations::MigrationError;
pub use postgres::Target;
use queue::Queue;
use sqlite::Access;
pub use tx::Tx;
use tx::{find_for_share, on};

/// The kind of database and its address.
#[derive(Clone)]
#[expect(clippy::large_enum_variant, reason = "there is one per thread")]
pub enum Engine {
    Sqlite(PathBuf),
    Postgres(Target),
}

impl Engine {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }
}

/// Connections that read, in addition to SQLite's one writer.
const SQLITE_READERS: usize = 2;

/// The maximum number of connections of an instance to PostgreSQL.
const POSTGRES_CONNECTIONS: usize = 8;

/// The database. Units of work run on the threads of its queues.
#[derive(Clone)]
pub struct Store {
    engine: Engine,
    readers: Queue,
    writers: Queue,
    emails_queued: Arc<Notify>,
}

impl Store {
    /// Starts the first threads. They do not connect yet.
    ///
    /// # Errors
    /// When the system cannot start a thread.
    pub fn start(engine: Engine) -> std::io::Result<Self> {
        let (readers, writers) = match &engine {
            Engine::Sqlite(_) => (
                Queue::start("sqlite-read", &engine, Access::ReadOnly, SQLITE_READERS)?,
                Queue::start("sqlite-write", &engine, Access::ReadWrite, 1)?,
            ),
            Engine::Postgres(_) => {
                let both =
                    Queue::start("postgres", &engine, Access::ReadWrite, POSTGRES_CONNECTIONS)?;
                (both.clone(), both)
            }
        };
        Ok(Self {
            engine,
            readers,
            writers,
            emails_queued: Arc::default(),
        })
    }

    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Reserves space for writes on a full disk. Does nothing for PostgreSQL, whose disk is managed elsewhere.
    ///
    /// # Errors
    /// `Unavailable` when the disk is full already.
    pub async fn keep_room(&self) -> Result<(), StoreError> {
        let Engine::Sqlite(path) = &self.engine else {
            return Ok(());
        };
        let path = path.clone();
        self.writers
            .run(move |tx| match tx {
                Tx::Sqlite(connection) => Ok(sqlite::keep_room(&path, connection)?),
                Tx::Postgres(_) => Ok(()),
            })
            .await
    }

    /// Whether the database accepts writes. A read-only SQLite file is detected when the server starts.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn takes_writes(&self) -> Result<bool, StoreError> {
        self.read(|tx| match tx {
            Tx::Sqlite(_) => Ok(true),
            Tx::Postgres(connection) => Ok(postgres::takes_writes(connection)?),
        })
        .await
    }

    /// Runs queries that change nothing. Each sees the database as it is when the query runs.
    ///
    /// # Errors
    /// The error of `work`, or the [`StoreError`] because of which it did not run.
    pub async fn read<T, E>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.readers.run(work).await
    }

    /// Runs `work` in a transaction: committed when it returns `Ok`, rolled back when it returns `Err`.
    ///
    /// SQLite begins `immediate`: a deferred transaction that starts to write fails at once when another one writes,
    /// regardless of the busy timeout.
    ///
    /// # Errors
    /// The error of `work`, or the [`StoreError`] because of which it did not run or was not committed.
    pub async fn write<T, E>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.write_then(work, |_| {}).await
    }

    /// As [`write`](Self::write); `kept` is told of the outcome once it is committed, and before anybody is answered,
    /// even when whoever asked has gone.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn write_then<T, E>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        kept: impl FnOnce(&T) + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let work = move |tx: &mut Tx<'_>| in_transaction(tx, work).inspect(kept);
        self.writers.run(work).await
    }

    /// Wakes the task that waits for [`emails_queued`](Self::emails_queued).
    pub fn announce_emails(&self) {
        self.emails_queued.notify_one();
    }

    /// Returns when this process has committed e-mails to the outbox.
    pub async fn emails_queued(&self) {
        self.emails_queued.notified().await;
    }
}

/// Why a transaction was rolled back.
enum RolledBack<E> {
    Work(E),
    Database(diesel::result::Error),
}

impl<E> From<diesel::result::Error> for RolledBack<E> {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error)
    }
}

fn in_transaction<T, E: From<StoreError>>(
    tx: &mut Tx<'_>,
    work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let done = match tx {
        Tx::Sqlite(connection) => connection.immediate_transaction(|connection| {
            work(&mut Tx::Sqlite(connection)).map_err(RolledBack::Work)
        }),
        Tx::Postgres(connection) => connection.transaction(|connection| {
            work(&mut Tx::Postgres(connection)).map_err(RolledBack::Work)
        }),
    };
    done.map_err(|error| match error {
        RolledBack::Work(error) => error,
        RolledBack::Database(error) => StoreError::from(error).into(),
    })
}

/// Parses a value that was stored as text.
fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, StoreError> {
    text.parse()
        .map_err(|error: T::Err| StoreError::Failed(format!("stored {text:?}: {error}")))
}
