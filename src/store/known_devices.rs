//! The `known_devices` table: with which devices users have signed in, and from which networks.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::schema::known_devices;
use super::types::Timestamp;
use super::{StoreError, Tx, later, on};
use crate::domain::UserId;

/// A device in one of its networks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownDevice {
    /// Its name without a version, or empty.
    pub device: String,
    /// Empty if the address is not known.
    pub network: String,
}

/// Notes a sign-in of the user.
pub fn remember(
    tx: &mut Tx<'_>,
    user_id: UserId,
    known: &KnownDevice,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let last_at = known_devices::last_at.eq(Timestamp(at));
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
            .on_conflict((
                known_devices::user_id,
                known_devices::device,
                known_devices::network,
            ))
            .do_update()
            .set(last_at)
    )?;
    Ok(())
}

/// Forgets devices of the user that were used last before this.
pub fn forget_before(
    tx: &mut Tx<'_>,
    user_id: UserId,
    before: DateTime<Utc>,
) -> Result<(), StoreError> {
    later!(
        tx,
        diesel::delete(
            known_devices::table
                .filter(known_devices::user_id.eq(user_id))
                .filter(known_devices::last_at.lt(Timestamp(before)))
        )
    )?;
    Ok(())
}

/// The devices of the user, and when each was used last.
///
/// Without an order and a limit, for which PostgreSQL may read the index by time, of everybody.
pub fn list(
    tx: &mut Tx<'_>,
    user_id: UserId,
) -> Result<Vec<(DateTime<Utc>, KnownDevice)>, StoreError> {
    let rows: Vec<(Timestamp, String, String)> = on!(tx, |conn| known_devices::table
        .filter(known_devices::user_id.eq(user_id))
        .select((
            known_devices::last_at,
            known_devices::device,
            known_devices::network,
        ))
        .load(conn))?;
    let row = |(at, device, network): (Timestamp, _, _)| (at.0, KnownDevice { device, network });
    Ok(rows.into_iter().map(row).collect())
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
