//! Purging letters that are settled.

use chrono::TimeDelta;

use crate::service::{Result, Services};
use crate::store::outbox;

/// So long an operator can see what became of a letter.
const KEPT: TimeDelta = TimeDelta::days(30);

/// Forgets what was sent or given up more than thirty days ago; tells how much that was.
///
/// # Errors
/// When the database cannot be written.
pub async fn purge_settled(services: &Services) -> Result<usize> {
    let then = services.now() - KEPT;
    services
        .store
        .write(move |tx| Ok(outbox::delete_settled_before(tx, then)?))
        .await
}
