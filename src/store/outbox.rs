//! The `outbox` table: letters on their way.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::schema::outbox;
use super::types::At;
use super::{StoreError, Tx, on};
use crate::domain::Email;
use crate::domain::ids::LetterId;

/// A letter to be sent as soon as a worker sees it.
pub struct NewLetter {
    pub id: LetterId,
    pub kind: &'static str,
    pub recipient: Email,
    /// Under the service's key.
    pub sealed: String,
    pub created_at: DateTime<Utc>,
}

pub fn insert(tx: &mut Tx<'_>, letter: &NewLetter) -> Result<(), StoreError> {
    let values = (
        outbox::id.eq(letter.id),
        outbox::kind.eq(letter.kind),
        outbox::recipient.eq(letter.recipient.as_str()),
        outbox::letter.eq(letter.sealed.as_str()),
        outbox::created_at.eq(At(letter.created_at)),
        outbox::next_attempt_at.eq(At(letter.created_at)),
    );
    on!(tx, |conn| diesel::insert_into(outbox::table)
        .values(values)
        .execute(conn))?;
    Ok(())
}
