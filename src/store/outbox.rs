//! The `outbox` table: letters on their way.

use chrono::{DateTime, Utc};
use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;

use super::schema::outbox;
use super::types::At;
use super::{StoreError, Tx, on};
use crate::domain::Email;
use crate::domain::ids::LetterId;

/// The kind of rows that are no letters: see [`insert_blank`].
pub const BLANK: &str = "blank";

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

/// Writes a row in place of a letter, as dear as one, that nobody will send.
pub fn insert_blank(tx: &mut Tx<'_>, letter: &NewLetter) -> Result<(), StoreError> {
    let values = (
        outbox::id.eq(letter.id),
        outbox::kind.eq(BLANK),
        outbox::recipient.eq(letter.recipient.as_str()),
        outbox::created_at.eq(At(letter.created_at)),
    );
    on!(tx, |conn| diesel::insert_into(outbox::table)
        .values(values)
        .execute(conn))?;
    Ok(())
}

/// Makes whoever writes to the same address wait until the transaction ends.
///
/// SQLite has one writer, so there nobody else could write anyway.
pub fn hold_recipient(tx: &mut Tx<'_>, recipient: &Email) -> Result<(), StoreError> {
    if let Tx::Postgres(connection) = tx {
        sql_query("select pg_advisory_xact_lock(hashtextextended($1, 0))")
            .bind::<Text, _>(recipient.as_str())
            .execute(*connection)?;
    }
    Ok(())
}

/// How many letters of these kinds to an address were written after `since`.
pub fn count_since(
    tx: &mut Tx<'_>,
    recipient: &Email,
    kinds: &[&str],
    since: DateTime<Utc>,
) -> Result<i64, StoreError> {
    Ok(on!(tx, |conn| outbox::table
        .filter(outbox::recipient.eq(recipient.as_str()))
        .filter(outbox::created_at.gt(At(since)))
        .filter(outbox::kind.eq_any(kinds.iter().copied()))
        .select(count_star())
        .first(conn))?)
}

/// Forgets rows in place of letters that are older than `before`.
pub fn delete_blanks(tx: &mut Tx<'_>, before: DateTime<Utc>) -> Result<usize, StoreError> {
    Ok(on!(tx, |conn| diesel::delete(
        outbox::table
            .filter(outbox::kind.eq(BLANK))
            .filter(outbox::created_at.le(At(before)))
    )
    .execute(conn))?)
}
