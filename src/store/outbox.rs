//! The `outbox` table: letters on their way.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;

use super::schema::outbox;
use super::types::Timestamp;
use super::{StoreError, Tx, on};
use crate::domain::Email;
use crate::domain::ids::EmailId;

/// The kind of rows that are no letters: see [`insert_decoy`].
pub const DECOY: &str = "blank";

/// A letter to be sent as soon as a worker sees it.
pub struct NewEmail {
    pub id: EmailId,
    pub kind: &'static str,
    pub recipient: Email,
    /// Under the service's key.
    pub sealed: String,
    pub created_at: DateTime<Utc>,
}

/// A letter that is somebody's to send.
pub struct DueEmail {
    pub id: EmailId,
    pub kind: String,
    pub recipient: Email,
    /// Under the service's key.
    pub sealed: String,
    pub created_at: DateTime<Utc>,
    /// This one included.
    pub attempts: i32,
}

/// What is left to do, and what will not be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    pub waiting: i64,
    /// When the oldest of them was written.
    pub oldest: Option<DateTime<Utc>>,
    /// Of the last thirty days.
    pub given_up: i64,
}

pub fn insert(tx: &mut Tx<'_>, letter: &NewEmail) -> Result<(), StoreError> {
    let values = (
        outbox::id.eq(letter.id),
        outbox::kind.eq(letter.kind),
        outbox::recipient.eq(letter.recipient.as_str()),
        outbox::letter.eq(letter.sealed.as_str()),
        outbox::created_at.eq(Timestamp(letter.created_at)),
        outbox::next_attempt_at.eq(Timestamp(letter.created_at)),
    );
    on!(tx, |conn| diesel::insert_into(outbox::table)
        .values(values)
        .execute(conn))?;
    Ok(())
}

/// Writes a row in place of a letter, as dear as one, that nobody will send. It may count as one to its recipient.
pub fn insert_decoy(tx: &mut Tx<'_>, letter: &NewEmail, counts: bool) -> Result<(), StoreError> {
    let recipient = if counts {
        letter.recipient.as_str()
    } else {
        ""
    };
    let values = (
        outbox::id.eq(letter.id),
        outbox::kind.eq(DECOY),
        outbox::recipient.eq(recipient),
        outbox::created_at.eq(Timestamp(letter.created_at)),
    );
    on!(tx, |conn| diesel::insert_into(outbox::table)
        .values(values)
        .execute(conn))?;
    Ok(())
}

/// Takes the letter that has been due for longest, for whoever asks and nobody else until `lease_ends`.
///
/// PostgreSQL's instances pass over what another one is taking; SQLite has one writer.
pub fn claim(
    tx: &mut Tx<'_>,
    now: DateTime<Utc>,
    lease_ends: DateTime<Utc>,
) -> Result<Option<DueEmail>, StoreError> {
    type Row = (EmailId, String, String, Option<String>, Timestamp, i32);
    let due = outbox::table
        .filter(outbox::next_attempt_at.le(Timestamp(now)))
        .order(outbox::next_attempt_at)
        .select((
            outbox::id,
            outbox::kind,
            outbox::recipient,
            outbox::letter,
            outbox::created_at,
            outbox::attempts,
        ))
        .limit(1);
    let found: Option<Row> = match tx {
        Tx::Sqlite(connection) => due.get_result(*connection).optional()?,
        Tx::Postgres(connection) => due
            .for_update()
            .skip_locked()
            .get_result(*connection)
            .optional()?,
    };
    let Some((id, kind, recipient, sealed, created_at, attempts)) = found else {
        return Ok(None);
    };
    let attempts = attempts.saturating_add(1);
    on!(tx, |conn| diesel::update(outbox::table.find(id))
        .set((
            outbox::attempts.eq(attempts),
            outbox::next_attempt_at.eq(Timestamp(lease_ends)),
        ))
        .execute(conn))?;
    Ok(Some(DueEmail {
        id,
        kind,
        recipient: Email::from_stored(recipient),
        sealed: sealed.unwrap_or_default(),
        created_at: created_at.0,
        attempts,
    }))
}

/// Nothing is left to do; what the letter said is forgotten.
pub fn mark_sent(tx: &mut Tx<'_>, id: EmailId, now: DateTime<Utc>) -> Result<(), StoreError> {
    on!(tx, |conn| diesel::update(outbox::table.find(id))
        .set((
            outbox::sent_at.eq(Timestamp(now)),
            outbox::letter.eq(None::<String>),
            outbox::next_attempt_at.eq(None::<Timestamp>),
        ))
        .execute(conn))?;
    Ok(())
}

/// Makes whoever writes to the same address wait until the transaction ends.
///
/// SQLite has one writer, so there nobody else could write anyway.
pub fn lock_recipient(tx: &mut Tx<'_>, recipient: &Email) -> Result<(), StoreError> {
    if let Tx::Postgres(connection) = tx {
        sql_query("select pg_advisory_xact_lock(hashtextextended($1, 0))")
            .bind::<Text, _>(recipient.as_str())
            .execute(*connection)?;
    }
    Ok(())
}

/// Whether `number` letters of these kinds to an address, or more, were written after `since`.
pub fn are_as_many_since(
    tx: &mut Tx<'_>,
    recipient: &Email,
    kinds: &[&str],
    since: DateTime<Utc>,
    number: u8,
) -> Result<bool, StoreError> {
    let found: Vec<EmailId> = on!(tx, |conn| outbox::table
        .filter(outbox::recipient.eq(recipient.as_str()))
        .filter(outbox::created_at.gt(Timestamp(since)))
        .filter(outbox::kind.eq_any(kinds.iter().copied()))
        .select(outbox::id)
        .limit(number.into())
        .load(conn))?;
    Ok(found.len() >= usize::from(number))
}

/// Forgets rows in place of letters that are older than `before`.
pub fn delete_decoys(tx: &mut Tx<'_>, before: DateTime<Utc>) -> Result<usize, StoreError> {
    Ok(on!(tx, |conn| diesel::delete(
        outbox::table
            .filter(outbox::kind.eq(DECOY))
            .filter(outbox::created_at.le(Timestamp(before)))
    )
    .execute(conn))?)
}

/// Another attempt is due at `next_attempt_at`, unless somebody else has made one since.
pub fn postpone(
    tx: &mut Tx<'_>,
    due: &DueEmail,
    next_attempt_at: DateTime<Utc>,
    why: &str,
) -> Result<(), StoreError> {
    on!(tx, |conn| diesel::update(
        outbox::table
            .find(due.id)
            .filter(outbox::attempts.eq(due.attempts))
            .filter(outbox::sent_at.is_null())
    )
    .set((
        outbox::next_attempt_at.eq(Timestamp(next_attempt_at)),
        outbox::last_error.eq(why),
    ))
    .execute(conn))?;
    Ok(())
}

/// Nothing more will be tried; what the letter said is forgotten.
pub fn give_up(
    tx: &mut Tx<'_>,
    id: EmailId,
    now: DateTime<Utc>,
    why: &str,
) -> Result<(), StoreError> {
    on!(tx, |conn| diesel::update(
        outbox::table.find(id).filter(outbox::sent_at.is_null())
    )
    .set((
        outbox::given_up_at.eq(Timestamp(now)),
        outbox::last_error.eq(why),
        outbox::letter.eq(None::<String>),
        outbox::next_attempt_at.eq(None::<Timestamp>),
    ))
    .execute(conn))?;
    Ok(())
}

/// Forgets letters that were sent or given up before `then`.
pub fn delete_settled_before(tx: &mut Tx<'_>, then: DateTime<Utc>) -> Result<usize, StoreError> {
    Ok(on!(tx, |conn| diesel::delete(
        outbox::table.filter(
            outbox::sent_at
                .lt(Timestamp(then))
                .or(outbox::given_up_at.lt(Timestamp(then)))
        )
    )
    .execute(conn))?)
}

pub fn backlog(tx: &mut Tx<'_>) -> Result<Backlog, StoreError> {
    let waits = outbox::next_attempt_at.is_not_null();
    let waiting = on!(tx, |conn| outbox::table
        .filter(waits)
        .count()
        .get_result(conn))?;
    let oldest: Option<Timestamp> = on!(tx, |conn| outbox::table
        .filter(waits)
        .order(outbox::created_at)
        .select(outbox::created_at)
        .limit(1)
        .get_result(conn)
        .optional())?;
    let given_up = on!(tx, |conn| outbox::table
        .filter(outbox::given_up_at.is_not_null())
        .count()
        .get_result(conn))?;
    Ok(Backlog {
        waiting,
        oldest: oldest.map(|at| at.0),
        given_up,
    })
}
