//! The database as verbs use it: they read it, and write to it in units of work.

use std::time::Duration;

use tokio::time::sleep;

use crate::store::backup::Settle;
use crate::store::{Engine, MigrationError, Requester, StandbyFault, Store, StoreError, Tx};

/// Together less than the leases of e-mails and of events.
const TRIES: u32 = 60;
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// The store without its function to write, which only [`UnitOfWork`](super::UnitOfWork) uses.
pub struct Database(Store);

impl Database {
    pub fn new(store: Store) -> Self {
        Self(store)
    }

    pub(super) fn handle(&self) -> Store {
        self.0.clone()
    }

    pub fn engine(&self) -> &Engine {
        self.0.engine()
    }

    /// Whether requests wait to write.
    pub(in crate::service) fn is_waited_for(&self) -> bool {
        self.0.is_waited_for()
    }

    /// Runs queries that change nothing, in turn with those of other requesters. Each sees the current state of the
    /// database.
    ///
    /// # Errors
    /// The error of `work`, or the [`StoreError`] that prevented it from running.
    pub async fn read<T, E>(
        &self,
        requester: impl Into<Requester>,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.0.read(requester.into(), work).await
    }

    /// As [`read`](Self::read), for a few rows by key, of requests that are many. `work` may run more than once.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn look_up<T, E>(
        &self,
        requester: impl Into<Requester>,
        work: impl Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.0.look_up(requester.into(), work).await
    }

    /// As [`read`](Self::read), for queries whose cost grows with the organization: lists and searches. Few of them run
    /// at once, perhaps at a standby, which shows at least what was committed when they were asked for.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn search<T, E>(
        &self,
        requester: impl Into<Requester>,
        work: impl Fn(&mut Tx<'_>) -> Result<T, E> + Send + Sync + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let work = move |tx: &mut Tx<'_>, (): &()| work(tx);
        self.0.search(requester.into(), |_| Ok(()), work).await
    }

    /// As [`search`](Self::search), after `admit`, which is never asked at a standby.
    ///
    /// # Errors
    /// The error of `admit`, and as [`read`](Self::read).
    pub(super) async fn search_admitted<A, T, E>(
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
        self.0.search(requester, admit, work).await
    }

    /// Whether lists are read at the standby, or why not; `None` without one.
    pub async fn standby(&self) -> Option<Result<(), StandbyFault>> {
        self.0.standby().await
    }

    /// Writes that are no act of a user, need no audit row, and that no request waits for: deleting, delivering.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(in crate::service) async fn maintain<T, E>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.0.write(Requester::HOUSEKEEPING, work).await
    }

    /// As [`maintain`](Self::maintain), and tries again for a minute while the database is unavailable, so that what was
    /// sent is not sent again.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(in crate::service) async fn maintain_persistently(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<(), StoreError> + Clone + Send + 'static,
    ) -> Result<(), StoreError> {
        let mut tries = 1;
        loop {
            match self.maintain(work.clone()).await {
                Err(StoreError::Busy | StoreError::Unavailable(_)) if tries < TRIES => {
                    tries += 1;
                    sleep(TRY_AGAIN_AFTER).await;
                }
                done => return done,
            }
        }
    }

    /// As [`maintain`](Self::maintain), within a request: recording a use.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(in crate::service) async fn record_use<T, E>(
        &self,
        requester: impl Into<Requester>,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.0.write(requester.into(), work).await
    }

    /// Reserves space for writes in case the disk is full.
    ///
    /// # Errors
    /// `Unavailable` if it is already full.
    pub async fn keep_room(&self) -> Result<(), StoreError> {
        self.0.keep_room().await
    }

    /// Runs queries that all see the database as it is at the first of them, however long they take.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn snapshot<T, E>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.0.snapshot(work).await
    }

    /// Writes everything into the SQLite file itself. Returns whether a copy of the file is whole.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn settle(&self) -> Result<bool, StoreError> {
        self.0.settle(Settle::AtTheEnd).await
    }

    /// Renews the statistics by which queries are planned.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub(in crate::service) async fn optimize(&self) -> Result<(), StoreError> {
        self.0.optimize().await
    }

    /// Whether the database may be written.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn takes_writes(&self) -> Result<bool, StoreError> {
        self.0.takes_writes().await
    }

    /// Calls `notify` whenever another instance has written a change, until the connection breaks.
    ///
    /// # Errors
    /// `Unavailable` when the connection could not be made or is gone; call again after a pause.
    pub async fn listen(&self, notify: impl Fn()) -> Result<(), StoreError> {
        self.0.listen(notify).await
    }

    /// Returns when this process has queued e-mails that can be read.
    pub async fn emails_queued(&self) {
        self.0.emails_queued().await;
    }

    /// As a unit of work does, for events that it writes itself.
    pub(in crate::service) fn announce_events(&self) {
        self.0.announce_events();
    }

    /// Returns when this process has committed what webhooks may have to be told.
    pub async fn events_announced(&self) {
        self.0.events_announced().await;
    }

    /// The names of the migrations that are missing.
    ///
    /// # Errors
    /// When the database does not answer, or was written by a newer version.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, MigrationError> {
        self.0.pending_migrations().await
    }
}
