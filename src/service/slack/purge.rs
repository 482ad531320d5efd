//! Deletes expired states and one-time tokens.

use crate::service::Services;
use crate::store::{StoreError, one_time_tokens, slack_states};

/// # Errors
/// When the database cannot be written.
pub async fn purge_expired(services: &Services) -> Result<(), StoreError> {
    let now = services.now();
    services
        .store
        .maintain(move |tx| {
            slack_states::delete_expired(tx, now)?;
            one_time_tokens::delete_expired(tx, now)?;
            Ok(())
        })
        .await
}
