//! The `outbox` table: e-mails to be sent.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;

use super::schema::outbox;
use super::types::Timestamp;
use super::{StoreError, Tx, later, on};
use crate::domain::ids::EmailId;
use crate::domain::{Email, Priority, UserId};

/// The kind of rows that are not e-mails: see [`insert_decoy`].
pub const DECOY: &str = "blank";

/// An e-mail to be sent as soon as possible.
pub struct NewEmail {
    pub id: EmailId,
    pub kind: &'static str,
    pub recipient: Email,
    /// The account that it concerns.
    pub user_id: Option<UserId>,
    /// Encrypted with the key of the service.
    pub sealed: String,
    pub priority: Priority,
    pub created_at: DateTime<Utc>,
}

/// An e-mail that is leased to a worker.
pub struct DueEmail {
    pub id: EmailId,
    pub kind: String,
    pub recipient: Email,
    /// Encrypted with the key of the service.
    pub sealed: String,
    pub created_at: DateTime<Utc>,
    /// Including this one.
    pub attempts: i32,
}

/// The e-mails to be sent, and those that were given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    pub waiting: i64,
    /// When the oldest e-mail to be sent was written.
    pub oldest: Option<DateTime<Utc>>,
    /// In the last thirty days.
    pub given_up: i64,
}

/// Inserts an e-mail that counts towards the limit of `counter`, if there is one.
pub fn insert(tx: &mut Tx<'_>, email: &NewEmail, counter: Option<&str>) -> Result<(), StoreError> {
    let values = (
        outbox::id.eq(email.id),
        outbox::kind.eq(email.kind),
        outbox::recipient.eq(email.recipient.as_str()),
        outbox::user_id.eq(email.user_id),
        outbox::letter.eq(email.sealed.as_str()),
        outbox::created_at.eq(Timestamp(email.created_at)),
        outbox::next_attempt_at.eq(Timestamp(email.created_at)),
        outbox::counter.eq(counter),
        outbox::priority.eq(stored(email.priority)),
    );
    later!(tx, diesel::insert_into(outbox::table).values(values))?;
    Ok(())
}

/// Writes a decoy: a row that takes as much work as an e-mail and is never sent. One that counts towards no limit is
/// stored without its recipient.
pub fn insert_decoy(
    tx: &mut Tx<'_>,
    email: &NewEmail,
    counter: Option<&str>,
) -> Result<(), StoreError> {
    let recipient = counter.map_or("", |_| email.recipient.as_str());
    let values = (
        outbox::id.eq(email.id),
        outbox::kind.eq(DECOY),
        outbox::recipient.eq(recipient),
        outbox::created_at.eq(Timestamp(email.created_at)),
        outbox::counter.eq(counter),
        outbox::priority.eq(stored(email.priority)),
    );
    later!(tx, diesel::insert_into(outbox::table).values(values))?;
    Ok(())
}

/// Lower numbers are sent first.
fn stored(priority: Priority) -> i16 {
    match priority {
        Priority::Security => 0,
        Priority::Verification => 1,
        Priority::Invitation => 2,
    }
}

/// Leases an e-mail to the caller until `lease_ends`: of the most urgent ones that are due, and at least as urgent as
/// `least_urgent`, the one that has been due for longest.
///
/// On PostgreSQL, instances skip an e-mail that another one is leasing; SQLite has one writer.
pub fn claim(
    tx: &mut Tx<'_>,
    least_urgent: Priority,
    now: DateTime<Utc>,
    lease_ends: DateTime<Utc>,
) -> Result<Option<DueEmail>, StoreError> {
    let priorities = Priority::ALL.into_iter();
    for priority in priorities.filter(|priority| *priority <= least_urgent) {
        if let Some(due) = claim_of(tx, priority, now, lease_ends)? {
            return Ok(Some(due));
        }
    }
    Ok(None)
}

/// A query for each priority, so that none has to read past e-mails that are not due yet.
fn claim_of(
    tx: &mut Tx<'_>,
    priority: Priority,
    now: DateTime<Utc>,
    lease_ends: DateTime<Utc>,
) -> Result<Option<DueEmail>, StoreError> {
    type Row = (EmailId, String, String, Option<String>, Timestamp, i32);
    let due = outbox::table
        .filter(outbox::priority.eq(stored(priority)))
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
    later!(
        tx,
        diesel::update(outbox::table.find(id)).set((
            outbox::attempts.eq(attempts),
            outbox::next_attempt_at.eq(Timestamp(lease_ends)),
        ))
    )?;
    Ok(Some(DueEmail {
        id,
        kind,
        recipient: Email::from_stored(recipient),
        sealed: sealed.unwrap_or_default(),
        created_at: created_at.0,
        attempts,
    }))
}

/// Marks an e-mail as sent and deletes its content.
pub fn mark_sent(tx: &mut Tx<'_>, id: EmailId, now: DateTime<Utc>) -> Result<(), StoreError> {
    later!(
        tx,
        diesel::update(outbox::table.find(id)).set((
            outbox::sent_at.eq(Timestamp(now)),
            outbox::letter.eq(None::<String>),
            outbox::next_attempt_at.eq(None::<Timestamp>),
        ))
    )?;
    Ok(())
}

/// Locks an address until the transaction ends: other transactions that write to it wait.
///
/// SQLite needs no lock: it has one writer.
pub fn lock_recipient(tx: &mut Tx<'_>, recipient: &Email) -> Result<(), StoreError> {
    if let Tx::Postgres(connection) = tx {
        let lock = sql_query("select pg_advisory_xact_lock(hashtextextended($1, 0))");
        connection.execute_later(&lock.bind::<Text, _>(recipient.as_str()))?;
    }
    Ok(())
}

/// Whether at least `number` e-mails to an address that count towards `counter` were written after `since`. Those that
/// were given up do not count.
pub fn are_as_many_since(
    tx: &mut Tx<'_>,
    recipient: &Email,
    counter: &str,
    since: DateTime<Utc>,
    number: u8,
) -> Result<bool, StoreError> {
    let found: Vec<EmailId> = on!(tx, |conn| outbox::table
        .filter(outbox::recipient.eq(recipient.as_str()))
        .filter(outbox::counter.eq(counter))
        .filter(outbox::created_at.gt(Timestamp(since)))
        .filter(outbox::given_up_at.is_null())
        .select(outbox::id)
        .limit(number.into())
        .load(conn))?;
    Ok(found.len() >= usize::from(number))
}

/// Sets the next attempt to `next_attempt_at`, unless another worker has made one since.
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

/// Gives an e-mail up and deletes its content.
pub fn give_up(
    tx: &mut Tx<'_>,
    id: EmailId,
    now: DateTime<Utc>,
    why: &str,
) -> Result<(), StoreError> {
    later!(
        tx,
        diesel::update(outbox::table.find(id).filter(outbox::sent_at.is_null())).set((
            outbox::given_up_at.eq(Timestamp(now)),
            outbox::last_error.eq(why),
            outbox::letter.eq(None::<String>),
            outbox::next_attempt_at.eq(None::<Timestamp>),
        ))
    )?;
    Ok(())
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

/// Deletes all e-mails about an account, sent or not.
pub fn delete_about(tx: &mut Tx<'_>, user_id: UserId) -> Result<(), StoreError> {
    later!(
        tx,
        diesel::delete(outbox::table.filter(outbox::user_id.eq(user_id)))
    )?;
    Ok(())
}

/// Deletes all e-mails to an address, sent or not.
pub fn delete_to(tx: &mut Tx<'_>, recipient: &Email) -> Result<(), StoreError> {
    later!(
        tx,
        diesel::delete(outbox::table.filter(outbox::recipient.eq(recipient.as_str())))
    )?;
    Ok(())
}
