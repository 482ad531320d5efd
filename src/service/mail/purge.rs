//! Deleting e-mails that were sent or given up.

use chrono::TimeDelta;

use crate::service::{Result, Services};
use crate::store::outbox;

/// How long the outcome of an e-mail is kept for operators.
const RETENTION: TimeDelta = TimeDelta::days(30);

/// Deletes what was sent or given up more than thirty days ago; returns how many.
///
/// # Errors
/// When the database cannot be written.
pub async fn purge_settled(services: &Services) -> Result<usize> {
    let then = services.now() - RETENTION;
    services
        .store
        .maintain(move |tx| Ok(outbox::delete_settled_before(tx, then)?))
        .await
}
