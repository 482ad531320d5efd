//! The `totp` table: one authenticator per user.

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, select};
use diesel::prelude::*;

use super::bulk::pieces;
use super::schema::totp;
use super::types::Timestamp;
use super::{StoreError, Tx, later, on};
use crate::domain::UserId;

/// A user's authenticator, confirmed or not.
pub struct Totp {
    /// Encrypted; codes are verified against it. Missing until the first one is confirmed.
    pub secret: Option<String>,
    /// Encrypted; not confirmed yet.
    pub pending: Option<String>,
    /// The time step of the last accepted code.
    pub last_step: Option<i64>,
    /// Consecutive wrong codes.
    pub failures: i32,
    /// Until then every code is rejected.
    pub locked_until: Option<DateTime<Utc>>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = totp)]
struct TotpRow {
    secret: Option<String>,
    pending: Option<String>,
    last_step: Option<i64>,
    failures: i32,
    locked_until: Option<Timestamp>,
}

impl From<TotpRow> for Totp {
    fn from(row: TotpRow) -> Self {
        Self {
            secret: row.secret,
            pending: row.pending,
            last_step: row.last_step,
            failures: row.failures,
            locked_until: row.locked_until.map(|at| at.0),
        }
    }
}

/// Whether the user has a confirmed authenticator.
pub fn is_enrolled(tx: &mut Tx<'_>, user_id: UserId) -> Result<bool, StoreError> {
    Ok(on!(tx, |conn| select(exists(
        totp::table
            .find(user_id)
            .filter(totp::confirmed_at.is_not_null())
    ))
    .get_result(conn))?)
}

/// When the user enrolled the first of the authenticators that have replaced each other since; `None` without one.
pub fn enrolled_at(tx: &mut Tx<'_>, user_id: UserId) -> Result<Option<DateTime<Utc>>, StoreError> {
    let at: Option<Timestamp> = on!(tx, |conn| totp::table
        .find(user_id)
        .filter(totp::confirmed_at.is_not_null())
        .select(totp::created_at)
        .get_result(conn)
        .optional())?;
    Ok(at.map(|at| at.0))
}

pub fn find(tx: &mut Tx<'_>, user_id: UserId) -> Result<Option<Totp>, StoreError> {
    let row: Option<TotpRow> = on!(tx, |conn| totp::table
        .find(user_id)
        .select(TotpRow::as_select())
        .get_result(conn)
        .optional())?;
    Ok(row.map(Totp::from))
}

/// Stores a secret to be confirmed. It replaces one that was not confirmed.
pub fn set_pending(
    tx: &mut Tx<'_>,
    user_id: UserId,
    sealed: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let values = (
        totp::user_id.eq(user_id),
        totp::pending.eq(Some(sealed)),
        totp::created_at.eq(Timestamp(now)),
    );
    later!(
        tx,
        diesel::insert_into(totp::table)
            .values(values)
            .on_conflict(totp::user_id)
            .do_update()
            .set(totp::pending.eq(Some(sealed)))
    )?;
    Ok(())
}

/// An encrypted secret.
#[derive(Clone)]
pub struct Sealed {
    pub text: String,
    /// The id of the encryption key.
    pub kid: String,
}

/// Confirms `secret`: from now on codes are verified against it. The code of `step` has been used.
pub fn confirm(
    tx: &mut Tx<'_>,
    user_id: UserId,
    secret: &Sealed,
    step: i64,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    later!(
        tx,
        diesel::update(totp::table.find(user_id)).set((
            totp::secret.eq(Some(&secret.text)),
            totp::kid.eq(Some(&secret.kid)),
            totp::pending.eq(None::<String>),
            totp::confirmed_at.eq(Some(Timestamp(now))),
            totp::last_step.eq(Some(step)),
            totp::failures.eq(0),
            totp::locked_until.eq(None::<Timestamp>),
        ))
    )?;
    Ok(())
}

/// Stores authenticators from another system, which their owners have confirmed there.
pub fn insert_confirmed(
    tx: &mut Tx<'_>,
    all: &[(UserId, Sealed)],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for piece in pieces(all) {
        let row = |(user_id, secret): &(UserId, Sealed)| {
            (
                totp::user_id.eq(*user_id),
                totp::secret.eq(Some(secret.text.clone())),
                totp::kid.eq(Some(secret.kid.clone())),
                totp::created_at.eq(Timestamp(now)),
                totp::confirmed_at.eq(Some(Timestamp(now))),
            )
        };
        let rows: Vec<_> = piece.iter().map(row).collect();
        on!(tx, |conn| diesel::insert_into(totp::table)
            .values(&rows)
            .execute(conn))?;
    }
    Ok(())
}

/// Secrets that are encrypted with another key than `kid`, by user id, of the users after `after`.
pub fn list_under_others(
    tx: &mut Tx<'_>,
    kid: &str,
    after: UserId,
    limit: i64,
) -> Result<Vec<(UserId, String)>, StoreError> {
    let rows: Vec<(UserId, Option<String>)> = on!(tx, |conn| totp::table
        .filter(totp::secret.is_not_null())
        .filter(totp::kid.is_null().or(totp::kid.ne(kid)))
        .filter(totp::user_id.gt(after))
        .order(totp::user_id)
        .select((totp::user_id, totp::secret))
        .limit(limit)
        .load(conn))?;
    let whole = |(id, secret): (UserId, Option<String>)| Some((id, secret?));
    Ok(rows.into_iter().filter_map(whole).collect())
}

/// Stores a secret that was encrypted again with another key, unless the user has a new secret by now.
pub fn reseal(tx: &mut Tx<'_>, user_id: UserId, old: &str, new: &Sealed) -> Result<(), StoreError> {
    on!(tx, |conn| diesel::update(
        totp::table.find(user_id).filter(totp::secret.eq(old))
    )
    .set((
        totp::secret.eq(Some(&new.text)),
        totp::kid.eq(Some(&new.kid)),
    ))
    .execute(conn))?;
    Ok(())
}

/// Marks a step and all earlier ones as used; returns whether the step was unused. Of concurrent attempts, one gets
/// `true`.
pub fn use_step(tx: &mut Tx<'_>, user_id: UserId, step: i64) -> Result<bool, StoreError> {
    let used =
        on!(tx, |conn| diesel::update(totp::table.find(user_id).filter(
            totp::last_step.is_null().or(totp::last_step.lt(step))
        ))
        .set(totp::last_step.eq(Some(step)))
        .execute(conn))?;
    Ok(used == 1)
}

/// Sets the number of consecutive wrong codes, and until when codes are rejected.
pub fn set_failures(
    tx: &mut Tx<'_>,
    user_id: UserId,
    failures: i32,
    locked_until: Option<DateTime<Utc>>,
) -> Result<(), StoreError> {
    later!(
        tx,
        diesel::update(totp::table.find(user_id)).set((
            totp::failures.eq(failures),
            totp::locked_until.eq(locked_until.map(Timestamp)),
        ))
    )?;
    Ok(())
}

pub fn delete(tx: &mut Tx<'_>, user_id: UserId) -> Result<(), StoreError> {
    later!(tx, diesel::delete(totp::table.find(user_id)))?;
    Ok(())
}
