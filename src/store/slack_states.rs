//! The `slack_states` table: the OAuth states that have been used.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::schema::slack_states;
use super::types::Timestamp;
use super::{StoreError, Tx, on};
use crate::domain::SlackStateId;

/// Marks a state as used; returns whether it was unused until now.
pub fn use_up(
    tx: &mut Tx<'_>,
    id: SlackStateId,
    expires_at: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let values = (
        slack_states::id.eq(id),
        slack_states::expires_at.eq(Timestamp(expires_at)),
    );
    let inserted = on!(tx, |conn| diesel::insert_into(slack_states::table)
        .values(values)
        .on_conflict(slack_states::id)
        .do_nothing()
        .execute(conn))?;
    Ok(inserted == 1)
}
