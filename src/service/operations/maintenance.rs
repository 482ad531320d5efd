//! What background workers do: they follow changes and keep room for writes.

use crate::service::Services;
use crate::service::sessions::follow_feed::Progress;
use crate::store::StoreError;

/// Reads the changes written since the last time, or a page of what the database holds.
///
/// # Errors
/// When the database cannot be read. Tokens are then checked in the database.
pub async fn read_changes(services: &Services) -> Result<Progress, StoreError> {
    let now = services.now();
    services.revocations.refresh(&services.store, now).await
}

/// Tells other services every second that they know everything, if this instance does.
pub use crate::service::revocations::follow::beat;

/// Calls `notify` whenever another instance has written a change, until the connection breaks.
///
/// # Errors
/// `Unavailable` when the connection could not be made or is gone; call again after a pause.
pub async fn listen_for_changes(services: &Services, notify: impl Fn()) -> Result<(), StoreError> {
    services.store.listen(notify).await
}

/// Reserves space for writes in case the disk is full.
///
/// # Errors
/// `Unavailable` if it is already full.
pub async fn keep_room(services: &Services) -> Result<(), StoreError> {
    services.store.keep_room().await
}

/// Leaves a SQLite file that is whole without its WAL, before its server ends.
pub async fn settle(services: &Services) {
    match services.store.settle().await {
        Ok(true) => {}
        Ok(false) => tracing::warn!(
            "another program reads the database, so that what was written last is only in the file with `-wal` at its \
             end: copy both, or use `hallpass backup`"
        ),
        Err(error) => {
            tracing::warn!(%error, "the WAL was not written into the database: copy it as well");
        }
    }
}
