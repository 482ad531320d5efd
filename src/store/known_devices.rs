//! The `known_devices` table: with which devices users have signed in, and from which networks.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::schema::known_devices;
use super::types::Timestamp;
use super::{StoreError, Tx, later, on};
use crate::domain::UserId;

/// A device in one of its networks.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct KnownDevice {
    /// Its name without a version, or empty.
    pub device: String,
    /// Empty if the address is not known.
    pub network: String,
}

/// Notes a sign-in of the user, and forgets all but about their `keep` latest devices.
pub fn remember(
    tx: &mut Tx<'_>,
    user_id: UserId,
    known: &KnownDevice,
    at: DateTime<Utc>,
    keep: i64,
) -> Result<(), StoreError> {
    let key = (user_id, &known.device, &known.network);
    let last_at = known_devices::last_at.eq(Timestamp(at));
    let updated = on!(tx, |conn| diesel::update(known_devices::table.find(key))
        .set(last_at)
        .execute(conn))?;
    if updated > 0 {
        return Ok(());
    }
    let values = (
        known_devices::user_id.eq(user_id),
        known_devices::device.eq(&known.device),
        known_devices::network.eq(&known.network),
        last_at,
    );
    later!(
        tx,
        diesel::insert_into(known_devices::table)
            .values(values)
            .on_conflict_do_nothing()
    )?;
    let of_user = known_devices::user_id.eq(user_id);
    let oldest_kept: Option<Timestamp> = on!(tx, |conn| known_devices::table
        .filter(of_user)
        .order(known_devices::last_at.desc())
        .offset(keep - 1)
        .limit(1)
        .select(known_devices::last_at)
        .get_result(conn)
        .optional())?;
    if let Some(oldest_kept) = oldest_kept {
        later!(
            tx,
            diesel::delete(
                known_devices::table
                    .filter(of_user)
                    .filter(known_devices::last_at.lt(oldest_kept))
            )
        )?;
    }
    Ok(())
}

/// With what the user has signed in after `since`.
pub fn list(
    tx: &mut Tx<'_>,
    user_id: UserId,
    since: DateTime<Utc>,
) -> Result<Vec<KnownDevice>, StoreError> {
    Ok(on!(tx, |conn| known_devices::table
        .filter(known_devices::user_id.eq(user_id))
        .filter(known_devices::last_at.gt(Timestamp(since)))
        .select((known_devices::device, known_devices::network))
        .load(conn))?)
}

/// Forgets one device in one of its networks.
pub fn forget(tx: &mut Tx<'_>, user_id: UserId, known: &KnownDevice) -> Result<(), StoreError> {
    let key = (user_id, &known.device, &known.network);
    later!(tx, diesel::delete(known_devices::table.find(key)))?;
    Ok(())
}

pub fn delete_of_user(tx: &mut Tx<'_>, user_id: UserId) -> Result<(), StoreError> {
    later!(
        tx,
        diesel::delete(known_devices::table.filter(known_devices::user_id.eq(user_id)))
    )?;
    Ok(())
}
