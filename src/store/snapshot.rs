//! Reads of the whole database as it is at one moment, while others write.

use diesel::Connection as _;
use diesel::connection::SimpleConnection as _;

use super::own_thread::{self, with_connection};
use super::sqlite::Access;
use super::{Engine, RolledBack, Store, StoreError, Tx};

impl Store {
    /// Runs queries that all see the database as it is at the first of them, however long they take.
    ///
    /// # Errors
    /// The error of `work`, or the [`StoreError`] because of which it did not run.
    pub async fn snapshot<T, E>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let engine = self.engine.clone();
        own_thread::run("snapshot", move || of_engine(&engine, work)).await
    }
}

/// The same on this thread.
///
/// # Errors
/// As [`Store::snapshot`].
pub(super) fn of_engine<T, E: From<StoreError>>(
    engine: &Engine,
    work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
) -> Result<T, E> {
    with_connection(engine, Access::ReadOnly, |tx| {
        let read = match tx {
            // Its transactions are snapshots.
            Tx::Sqlite(connection) => connection.transaction(|connection| {
                work(&mut Tx::Sqlite(connection)).map_err(RolledBack::Work)
            }),
            Tx::Postgres(connection) => connection.transaction(|connection| {
                connection
                    .batch_execute("set transaction isolation level repeatable read, read only")?;
                work(&mut Tx::Postgres(connection)).map_err(RolledBack::Work)
            }),
        };
        read.map_err(RolledBack::into_error)
    })
}
