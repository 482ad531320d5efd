//! The database: the only place that knows SQL.
//!
//! A unit of work is a closure over a [`Tx`]: `store.read(requester, |tx| …)` or `store.write(requester, |tx| …)`.
//! The functions it calls are grouped by table. Each is written once and compiled for both databases by the `on!` macro.

pub mod account_export;
pub mod active_organizations;
pub mod announcement;
pub mod api_tokens;
pub mod attempts;
pub mod audit;
pub mod backup;
mod bulk;
mod change_listener;
pub mod changes;
pub mod copy;
pub mod dead_rows;
mod error;
pub mod external_ids;
pub mod external_organizations;
mod fair_queue;
pub mod feed;
pub mod former_identities;
pub mod identities;
pub mod imports;
pub mod invitations;
pub mod join_links;
pub mod known_addresses;
pub mod known_devices;
pub mod legacy_sessions;
pub mod memberships;
pub mod migration_plan;
mod migration_sql;
mod migrations;
pub mod one_time_tokens;
pub mod organizations;
pub mod outbox;
pub mod outdated;
mod own_thread;
pub mod people;
pub mod people_export;
mod people_search;
mod pg_connection;
mod pg_runtime;
mod pg_statement;
mod point_reads;
mod postgres;
mod queue;
pub mod recovery_codes;
mod requester;
mod schema;
pub mod services;
pub mod session_tokens;
pub mod sessions;
pub mod signing_keys;
pub mod slack_states;
pub mod slug_aliases;
mod snapshot;
mod sqlite;
pub mod sqlite_file;
mod standby;
pub mod totp;
mod tx;
mod types;
pub mod users;
pub mod webhook_deliveries;
pub mod webhooks;
pub mod workspaces;
mod write_effects;

use std::path::PathBuf;
use std::sync::Arc;

use diesel::Connection as _;
use tokio::sync::Notify;

pub use error::{StoreError, Unique};
use fair_queue::Shares;
pub use migrations::{MigrationError, PlannedMigration};
use point_reads::StoreId;
pub use postgres::{Addresses, Route, Target, foreign_tls};
use queue::{Purpose, Queue, Source};
pub use requester::Requester;
use sqlite::Access;
pub use standby::StandbyFault;
use standby::{LogPosition, Standby};
pub use tx::Tx;
use tx::{find_locked, later, on};

/// The kind of database and where it is.
#[derive(Clone)]
#[expect(clippy::large_enum_variant, reason = "a process has one")]
pub enum Engine {
    Sqlite(PathBuf),
    Postgres(Addresses),
}

impl Engine {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }
}

/// Threads for requests that read SQLite, in addition to its one writer.
const SQLITE_READERS: Shares = Shares {
    threads: 2,
    group: 1,
    user: 1,
};

const SQLITE_WRITER: Shares = Shares {
    threads: 1,
    group: 1,
    user: 1,
};

/// Connections to PostgreSQL for requests. A user whose units of work wait for each other's locks leaves some to their
/// colleagues, and an organization leaves half of them to others.
fn postgres_shares(pool_size: usize) -> Shares {
    Shares {
        threads: pool_size,
        group: (pool_size / 2).max(1),
        user: (pool_size * 3 / 8).max(1),
    }
}

/// Searches of a whole organization. On SQLite, one at a time keeps a core busy.
const SQLITE_SEARCHES: Shares = SQLITE_WRITER;
const POSTGRES_SEARCHES: Shares = Shares {
    threads: 2,
    group: 1,
    user: 1,
};

/// One thread each for readiness and housekeeping.
const RESERVED: Shares = Shares {
    threads: 2,
    group: 1,
    user: 1,
};

/// The feed has a connection of its own, and notices when it is another one.
const FEED: Shares = Shares {
    threads: 1,
    group: 1,
    user: 1,
};

/// The database. Units of work run on the threads of its queues.
#[derive(Clone)]
pub struct Store {
    id: StoreId,
    engine: Engine,
    readers: Queue,
    writers: Queue,
    searches: Queue,
    standby: Option<Standby>,
    feed: Queue,
    reserved_readers: Queue,
    reserved_writers: Queue,
    emails_queued: Arc<Notify>,
    events_announced: Arc<Notify>,
    changes_written: Arc<Notify>,
}

impl Store {
    /// Starts the first threads. They do not connect yet.
    ///
    /// # Errors
    /// When the system cannot start a thread.
    pub fn start(engine: Engine) -> std::io::Result<Self> {
        let purpose = |name, access, shares| Purpose {
            name,
            access,
            shares,
            is_patient: false,
            idle: queue::IDLE,
        };
        let patient = |purpose| Purpose {
            is_patient: true,
            ..purpose
        };
        let (read, write) = (Access::ReadOnly, Access::ReadWrite);
        let (readers, writers, searches, feed, reserved_readers, reserved_writers);
        let mut standby = None;
        match &engine {
            Engine::Sqlite(path) => {
                let start = |purpose| Queue::start(Source::Sqlite(path.clone()), purpose);
                readers = start(purpose("sqlite-read", read, SQLITE_READERS))?;
                writers = start(purpose("sqlite-write", write, SQLITE_WRITER))?;
                searches = start(patient(purpose("sqlite-search", read, SQLITE_SEARCHES)))?;
                feed = start(purpose("sqlite-feed", read, FEED))?;
                reserved_readers = start(purpose("sqlite-own", read, RESERVED))?;
                reserved_writers = writers.clone();
            }
            Engine::Postgres(addresses) => {
                let start =
                    |purpose| Queue::start(Source::Postgres(addresses.requests.clone()), purpose);
                let shares = postgres_shares(addresses.pool_size);
                readers = start(purpose("postgres", write, shares))?;
                writers = readers.clone();
                searches = start(patient(purpose("postgres-search", read, POSTGRES_SEARCHES)))?;
                if let Some(target) = &addresses.standby {
                    let purpose = purpose("postgres-standby", read, POSTGRES_SEARCHES);
                    let queue = Queue::start(Source::Postgres(target.clone()), patient(purpose))?;
                    standby = Some(Standby::new(queue));
                }
                let direct = Source::Postgres(addresses.direct.clone());
                feed = Queue::start(direct, purpose("postgres-feed", read, FEED))?;
                reserved_readers = start(purpose("postgres-own", write, RESERVED))?;
                reserved_writers = reserved_readers.clone();
            }
        }
        Ok(Self {
            id: StoreId::next(),
            engine,
            readers,
            writers,
            searches,
            standby,
            feed,
            reserved_readers,
            reserved_writers,
            emails_queued: Arc::default(),
            events_announced: Arc::default(),
            changes_written: Arc::default(),
        })
    }

    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Whether units of work get connections that they can use. Only a pooler may have others than those that migrate.
    ///
    /// # Errors
    /// `Unsuitable` says what to set; or when the pooler does not answer.
    pub async fn expect_connections(&self) -> Result<(), StoreError> {
        match &self.engine {
            Engine::Postgres(addresses) if addresses.is_pooled() => {
                self.read(Requester::READINESS, |_| Ok(())).await
            }
            _ => Ok(()),
        }
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
        let work = move |tx: &mut Tx<'_>| match tx {
            Tx::Sqlite(connection) => Ok(sqlite::keep_room(&path, connection)?),
            Tx::Postgres(_) => Ok(()),
        };
        self.writers.run(Requester::HOUSEKEEPING, work).await
    }

    /// Renews the statistics by which queries are planned. PostgreSQL does so itself.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn optimize(&self) -> Result<(), StoreError> {
        let work = |tx: &mut Tx<'_>| match tx {
            Tx::Sqlite(connection) => Ok(sqlite::optimize(connection)?),
            Tx::Postgres(_) => Ok(()),
        };
        self.reserved_writers
            .run(Requester::HOUSEKEEPING, work)
            .await
    }

    /// Whether the database accepts writes. A read-only SQLite file is detected when the server starts.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn takes_writes(&self) -> Result<bool, StoreError> {
        self.read(Requester::READINESS, |tx| match tx {
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
        requester: Requester,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let queue = if requester == Requester::FEED {
            &self.feed
        } else if requester.is_instance() {
            &self.reserved_readers
        } else {
            &self.readers
        };
        queue.run(requester, work).await
    }

    /// As [`read`](Self::read), for a few rows by key, of requests that are many. `work` may run more than once.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn look_up<T, E>(
        &self,
        requester: Requester,
        work: impl Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let done = match &self.engine {
            Engine::Sqlite(path) => point_reads::read_sqlite(path, self.id, &work),
            Engine::Postgres(addresses) => {
                point_reads::read_postgres(&addresses.requests, self.id, &work).await
            }
        };
        match done {
            Some(done) => done,
            None => self.read(requester, work).await,
        }
    }

    /// As [`read`](Self::read), for queries whose cost grows with the organization. Few of them run at once, on threads
    /// of their own, and at the standby if there is one; whatever decides a right belongs into `admit`, which never
    /// runs there. If the standby cannot be used, `work` runs again.
    ///
    /// # Errors
    /// The error of `admit` or `work`, or the [`StoreError`] because of which they did not run.
    pub async fn search<A, T, E>(
        &self,
        requester: Requester,
        admit: impl FnOnce(&mut Tx<'_>) -> Result<A, E> + Send + 'static,
        work: impl Fn(&mut Tx<'_>, &A) -> Result<T, E> + Send + Sync + 'static,
    ) -> Result<T, E>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let usable = |standby: &&Standby| standby.resting().is_none();
        let Some(standby) = self.standby.as_ref().filter(usable) else {
            let work = move |tx: &mut Tx<'_>| {
                let admitted = admit(tx)?;
                work(tx, &admitted)
            };
            return self.searches.run(requester, work).await;
        };
        let admit = move |tx: &mut Tx<'_>| Ok::<_, E>((admit(tx)?, LogPosition::of_primary(tx)));
        let (admitted, position) = self.readers.run(requester, admit).await?;
        let work = Arc::new(move |tx: &mut Tx<'_>| work(tx, &admitted));
        let again = Arc::clone(&work);
        match standby.read(requester, position, move |tx| work(tx)).await {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) | Err(_) => self.searches.run(requester, move |tx| again(tx)).await,
        }
    }

    /// Whether lists are read at the standby, or why not; `None` without one.
    pub async fn standby(&self) -> Option<Result<(), StandbyFault>> {
        let standby = self.standby.as_ref()?;
        if let Some(fault) = standby.resting() {
            return Some(Err(fault));
        }
        let position = self.read(Requester::READINESS, LogPosition::of_primary);
        let nothing = |_: &mut Tx<'_>| Ok::<_, StoreError>(());
        let read = standby.read(Requester::READINESS, position.await, nothing);
        Some(read.await.map(drop))
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
        requester: Requester,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.write_then(requester, work, |_| {}).await
    }

    /// As [`write`](Self::write); `kept` is told of the outcome once it is committed, and before anybody is answered,
    /// even when whoever asked has gone.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn write_then<T, E>(
        &self,
        requester: Requester,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        kept: impl FnOnce(&T) + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let queue = if requester.is_instance() {
            &self.reserved_writers
        } else {
            &self.writers
        };
        let work = move |tx: &mut Tx<'_>| in_transaction(tx, work).inspect(kept);
        queue.run(requester, work).await
    }

    /// Has [`listen`](Self::listen) tell other instances that changes were committed.
    pub fn announce_changes(&self) {
        self.changes_written.notify_one();
    }

    /// Whether requests that write wait for a thread.
    pub fn is_waited_for(&self) -> bool {
        self.writers.is_waited_for()
    }

    /// Wakes the task that waits for [`emails_queued`](Self::emails_queued).
    pub fn announce_emails(&self) {
        self.emails_queued.notify_one();
    }

    /// Returns when this process has committed e-mails to the outbox.
    pub async fn emails_queued(&self) {
        self.emails_queued.notified().await;
    }

    /// Wakes the task that waits for [`events_announced`](Self::events_announced).
    pub fn announce_events(&self) {
        self.events_announced.notify_one();
    }

    /// Returns when this process has committed what webhooks may have to be told.
    pub async fn events_announced(&self) {
        self.events_announced.notified().await;
    }
}

/// Why a transaction was rolled back.
enum RolledBack<E> {
    Work(E),
    Database(diesel::result::Error),
}

impl<E: From<StoreError>> RolledBack<E> {
    fn into_error(self) -> E {
        match self {
            Self::Work(error) => error,
            Self::Database(error) => StoreError::from(error).into(),
        }
    }
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
    done.map_err(RolledBack::into_error)
}

/// Parses a value that was stored as text.
fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, StoreError> {
    text.parse()
        .map_err(|error: T::Err| StoreError::Failed(format!("stored {text:?}: {error}")))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::sync::oneshot;

    use super::*;
    use crate::domain::{OrganizationId, UserId};

    fn member(n: u128) -> Requester {
        let id = uuid::Uuid::from_u128(n);
        Requester::member(OrganizationId(id), UserId(id))
    }

    #[expect(clippy::unnecessary_wraps, reason = "work may fail")]
    fn nothing(_: &mut Tx<'_>) -> Result<(), StoreError> {
        Ok(())
    }

    /// Work that has started and does not end before it is freed.
    struct Stuck {
        free: mpsc::Sender<()>,
        work: tokio::task::JoinHandle<Result<(), StoreError>>,
    }

    /// How a unit of work is started.
    #[derive(Clone, Copy)]
    enum Kind {
        Read,
        Search,
        Write,
    }

    async fn stuck(store: &Store, requester: Requester, kind: Kind) -> Stuck {
        let (free, freed) = mpsc::channel();
        let (is_running, running) = oneshot::channel();
        let work = move |_: &mut Tx<'_>| {
            is_running.send(()).unwrap();
            freed.recv().unwrap();
            Ok(())
        };
        let store = store.clone();
        let work = tokio::spawn(async move {
            match kind {
                Kind::Read => store.read(requester, work).await,
                Kind::Search => store.search(requester, work, |_, ()| Ok(())).await,
                Kind::Write => store.write(requester, work).await,
            }
        });
        running.await.unwrap();
        Stuck { free, work }
    }

    #[tokio::test]
    async fn the_instance_reads_while_every_thread_for_requests_is_stuck() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::start(Engine::Sqlite(directory.path().join("stuck.db"))).unwrap();
        store.write(Requester::HOUSEKEEPING, nothing).await.unwrap();
        let all = [
            stuck(&store, member(1), Kind::Write).await,
            stuck(&store, member(1), Kind::Read).await,
            stuck(&store, member(2), Kind::Read).await,
            stuck(&store, member(1), Kind::Search).await,
        ];
        for requester in [
            Requester::FEED,
            Requester::READINESS,
            Requester::HOUSEKEEPING,
        ] {
            store.read(requester, nothing).await.unwrap();
        }
        // Not even behind each other.
        let slow = stuck(&store, Requester::HOUSEKEEPING, Kind::Read).await;
        let probe = stuck(&store, Requester::READINESS, Kind::Read).await;
        store.read(Requester::FEED, nothing).await.unwrap();
        for stuck in all.into_iter().chain([slow, probe]) {
            stuck.free.send(()).unwrap();
            stuck.work.await.unwrap().unwrap();
        }
    }

    #[test]
    fn the_runbook_counts_the_connections_of_an_instance() {
        let runbook = include_str!("../../docs/RUNBOOK.md");
        let of_units = POSTGRES_SEARCHES.threads + RESERVED.threads;
        // One listens for changes, without a thread.
        let direct = FEED.threads + 1;
        for row in [
            format!(
                "| without a pooler | `DATABASE_POOL_SIZE` + {}, and one for each core |",
                of_units + direct
            ),
            format!(
                "| with a pooler, at the pooler | `DATABASE_POOL_SIZE` + {of_units}, and one for each core |"
            ),
            format!("| with a pooler, at PostgreSQL itself | {direct} |"),
            format!(
                "| with `DATABASE_READ_URL`, at the standby | {} |",
                POSTGRES_SEARCHES.threads
            ),
        ] {
            assert!(runbook.contains(&row), "{row}");
        }
    }

    #[test]
    fn an_organization_leaves_half_of_the_connections_and_a_user_more() {
        for (size, group, user) in [(2, 1, 1), (3, 1, 1), (4, 2, 1), (8, 4, 3), (100, 50, 37)] {
            let shares = postgres_shares(size);
            assert_eq!(
                (shares.threads, shares.group, shares.user),
                (size, group, user)
            );
        }
    }

    #[tokio::test]
    async fn reads_do_not_wait_for_searches() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::start(Engine::Sqlite(directory.path().join("search.db"))).unwrap();
        store.write(Requester::HOUSEKEEPING, nothing).await.unwrap();
        let search = stuck(&store, member(1), Kind::Search).await;
        store.read(member(1), nothing).await.unwrap();
        store.write(member(1), nothing).await.unwrap();
        search.free.send(()).unwrap();
        search.work.await.unwrap().unwrap();
    }
}
