//! The `failed_attempts` and `failures_in_a_row` tables: wrong passwords, by account and client address.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;

use super::schema::{failed_attempts, failures_in_a_row};
use super::types::Timestamp;
use super::{StoreError, Tx, find_locked, later, on};

/// The first key of these advisory locks, which keeps them apart from others. The second is a hash of the address.
const ADDRESS_LOCK: i32 = 0x6861_6c6c;

/// Locks the failures from this address until the transaction ends.
///
/// SQLite needs no lock: it has one writer.
pub fn lock_address(tx: &mut Tx<'_>, address: &str) -> Result<(), StoreError> {
    if let Tx::Postgres(connection) = tx {
        let lock = sql_query(format!(
            "select pg_advisory_xact_lock({ADDRESS_LOCK}, hashtext($1))"
        ));
        connection.execute_later(&lock.bind::<Text, _>(address))?;
    }
    Ok(())
}

pub fn insert(
    tx: &mut Tx<'_>,
    account: &str,
    address: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let values = (
        failed_attempts::account.eq(account),
        failed_attempts::address.eq(address),
        failed_attempts::at.eq(Timestamp(now)),
    );
    later!(
        tx,
        diesel::insert_into(failed_attempts::table).values(values)
    )?;
    Ok(())
}

/// Account and time of the failures from an address within `window` of `now`, oldest first. Times further in the future
/// were written before the clock was set back; they are ignored.
pub fn list_from(
    tx: &mut Tx<'_>,
    address: &str,
    now: DateTime<Utc>,
    window: TimeDelta,
) -> Result<Vec<(String, DateTime<Utc>)>, StoreError> {
    let rows: Vec<(String, Timestamp)> = on!(tx, |conn| failed_attempts::table
        .filter(failed_attempts::address.eq(address))
        .filter(failed_attempts::at.gt(Timestamp(now - window)))
        .filter(failed_attempts::at.lt(Timestamp(now + window)))
        .order(failed_attempts::at)
        .select((failed_attempts::account, failed_attempts::at))
        .load(conn))?;
    Ok(rows
        .into_iter()
        .map(|(account, at)| (account, at.0))
        .collect())
}

type InARow = (i32, Timestamp);

/// The query of [`in_a_row`] and [`lock_in_a_row`].
macro_rules! in_a_row {
    ($account:expr, $now:expr, $window:expr) => {
        failures_in_a_row::table
            .find($account)
            .filter(failures_in_a_row::last_at.gt(Timestamp($now - $window)))
            .filter(failures_in_a_row::last_at.lt(Timestamp($now + $window)))
            .select((failures_in_a_row::failures, failures_in_a_row::last_at))
    };
}

/// The number of consecutive failures of an account and the time of the last one; `None` if that is not within `window`
/// of `now`.
pub fn in_a_row(
    tx: &mut Tx<'_>,
    account: &str,
    now: DateTime<Utc>,
    window: TimeDelta,
) -> Result<Option<(i32, DateTime<Utc>)>, StoreError> {
    let row: Option<InARow> = on!(tx, |conn| in_a_row!(account, now, window)
        .get_result(conn)
        .optional())?;
    Ok(row.map(|(failures, last_at)| (failures, last_at.0)))
}

/// As [`in_a_row`], kept as it is until the transaction ends.
pub fn lock_in_a_row(
    tx: &mut Tx<'_>,
    account: &str,
    now: DateTime<Utc>,
    window: TimeDelta,
) -> Result<Option<(i32, DateTime<Utc>)>, StoreError> {
    let row: Option<InARow> = find_locked!(tx, for_update, in_a_row!(account, now, window))?;
    Ok(row.map(|(failures, last_at)| (failures, last_at.0)))
}

/// Counts one more consecutive failure. Concurrent failures are all counted.
pub fn count_in_a_row(
    tx: &mut Tx<'_>,
    account: &str,
    now: DateTime<Utc>,
    window: TimeDelta,
) -> Result<(), StoreError> {
    let outdated = failures_in_a_row::last_at
        .le(Timestamp(now - window))
        .or(failures_in_a_row::last_at.ge(Timestamp(now + window)));
    later!(
        tx,
        diesel::delete(failures_in_a_row::table.find(account).filter(outdated))
    )?;
    let values = (
        failures_in_a_row::account.eq(account),
        failures_in_a_row::failures.eq(1),
        failures_in_a_row::last_at.eq(Timestamp(now)),
    );
    later!(
        tx,
        diesel::insert_into(failures_in_a_row::table)
            .values(values)
            .on_conflict(failures_in_a_row::account)
            .do_update()
            .set((
                failures_in_a_row::failures.eq(failures_in_a_row::failures + 1),
                failures_in_a_row::last_at.eq(Timestamp(now)),
            ))
    )?;
    Ok(())
}

/// The number of failures of an account from an address within `window` of `now`.
pub fn count_from(
    tx: &mut Tx<'_>,
    account: &str,
    address: &str,
    now: DateTime<Utc>,
    window: TimeDelta,
) -> Result<i64, StoreError> {
    Ok(on!(tx, |conn| failed_attempts::table
        .filter(failed_attempts::address.eq(address))
        .filter(failed_attempts::account.eq(account))
        .filter(failed_attempts::at.gt(Timestamp(now - window)))
        .filter(failed_attempts::at.lt(Timestamp(now + window)))
        .count()
        .get_result(conn))?)
}

/// Those of the accounts that have at least `failures` in a row, and the time of the last one if that is within
/// `window` of `now`.
pub fn list_in_a_row(
    tx: &mut Tx<'_>,
    accounts: &[String],
    failures: i32,
    now: DateTime<Utc>,
    window: TimeDelta,
) -> Result<Vec<(String, DateTime<Utc>)>, StoreError> {
    let rows: Vec<(String, Timestamp)> = on!(tx, |conn| failures_in_a_row::table
        .filter(failures_in_a_row::account.eq_any(accounts))
        .filter(failures_in_a_row::failures.ge(failures))
        .filter(failures_in_a_row::last_at.gt(Timestamp(now - window)))
        .filter(failures_in_a_row::last_at.lt(Timestamp(now + window)))
        .select((failures_in_a_row::account, failures_in_a_row::last_at))
        .load(conn))?;
    Ok(rows
        .into_iter()
        .map(|(account, at)| (account, at.0))
        .collect())
}

/// Deletes the failures of an account from one address, and its consecutive failures.
pub fn forget_pair(tx: &mut Tx<'_>, account: &str, address: &str) -> Result<(), StoreError> {
    later!(
        tx,
        diesel::delete(
            failed_attempts::table
                .filter(failed_attempts::account.eq(account))
                .filter(failed_attempts::address.eq(address))
        )
    )?;
    later!(tx, diesel::delete(failures_in_a_row::table.find(account)))?;
    Ok(())
}

/// Deletes all failures of an account; returns whether there were any.
pub fn forget_account(tx: &mut Tx<'_>, account: &str) -> Result<bool, StoreError> {
    let failures = on!(tx, |conn| diesel::delete(
        failed_attempts::table.filter(failed_attempts::account.eq(account))
    )
    .execute(conn))?;
    Ok(failures + delete_in_a_row(tx, account)? > 0)
}

/// Deletes the consecutive failures of an account; returns whether there were any.
pub fn forget_in_a_row(tx: &mut Tx<'_>, account: &str) -> Result<bool, StoreError> {
    Ok(delete_in_a_row(tx, account)? > 0)
}

fn delete_in_a_row(tx: &mut Tx<'_>, account: &str) -> Result<usize, StoreError> {
    Ok(on!(tx, |conn| diesel::delete(
        failures_in_a_row::table.find(account)
    )
    .execute(conn))?)
}
