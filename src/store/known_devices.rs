//! The `known_devices` table: with which devices users have signed in, and from which networks.

use chrono::{DateTime, Utc};
use diesel::alias;
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

/// Forgets all but about the `keep` latest devices of the user.
pub fn forget_oldest(tx: &mut Tx<'_>, user_id: UserId, keep: i64) -> Result<(), StoreError> {
    let last_at = known_devices::last_at;
    let all = alias!(known_devices as all_devices);
    let oldest = all
        .filter(all.field(known_devices::user_id).eq(user_id))
        .order(all.field(last_at).desc())
        .offset(keep)
        .limit(keep)
        .select(all.field(last_at));
    later!(
        tx,
        diesel::delete(
            known_devices::table
                .filter(known_devices::user_id.eq(user_id))
                .filter(last_at.eq_any(oldest))
        )
    )?;
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
