//! Deleting failures that no longer count, forgotten places, and buckets that are full again.

use crate::domain::lifetimes;
use crate::service::Services;
use crate::service::limits::attempts::{IN_A_ROW_LASTS, WINDOW};
use crate::store::{StoreError, attempts, known_addresses, known_devices};

/// # Errors
/// When the database cannot be written.
pub async fn purge_expired(services: &Services) -> Result<(), StoreError> {
    let now = services.now();
    services.limits.buckets.remove_full(now.timestamp_micros());
    services
        .store
        .maintain(move |tx| {
            attempts::delete_older(tx, now - WINDOW, now - IN_A_ROW_LASTS)?;
            known_addresses::delete_older(tx, now - lifetimes::KNOWN_PLACE)?;
            known_devices::delete_older(tx, now - lifetimes::KNOWN_PLACE)
        })
        .await
}
