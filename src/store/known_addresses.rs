//! The `known_addresses` table: from where users have signed in.

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, select};
use diesel::prelude::*;

use super::schema::known_addresses;
use super::types::Timestamp;
use super::{StoreError, Tx, later, on};
use crate::domain::{AddressBlock, UserId};

/// Notes a sign-in of the user from the block, and forgets all but their `keep` latest.
pub fn remember(
    tx: &mut Tx<'_>,
    user_id: UserId,
    block: AddressBlock,
    now: DateTime<Utc>,
    keep: i64,
) -> Result<(), StoreError> {
    let (block, last_at) = (block.to_string(), Timestamp(now));
    let known = on!(tx, |conn| diesel::update(
        known_addresses::table.find((user_id, &block))
    )
    .set(known_addresses::last_at.eq(last_at))
    .execute(conn))?;
    if known > 0 {
        return Ok(());
    }
    let values = (
        known_addresses::user_id.eq(user_id),
        known_addresses::block.eq(&block),
        known_addresses::last_at.eq(last_at),
    );
    later!(
        tx,
        diesel::insert_into(known_addresses::table)
            .values(values)
            .on_conflict_do_nothing()
    )?;
    let oldest: Vec<String> = on!(tx, |conn| known_addresses::table
        .filter(known_addresses::user_id.eq(user_id))
        .order((known_addresses::last_at.desc(), known_addresses::block))
        .offset(keep)
        .limit(keep)
        .select(known_addresses::block)
        .load(conn))?;
    if !oldest.is_empty() {
        later!(
            tx,
            diesel::delete(
                known_addresses::table
                    .filter(known_addresses::user_id.eq(user_id))
                    .filter(known_addresses::block.eq_any(&oldest))
            )
        )?;
    }
    Ok(())
}

/// Whether the user has signed in from the block after `since`.
pub fn is_known(
    tx: &mut Tx<'_>,
    user_id: UserId,
    block: AddressBlock,
    since: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let here = known_addresses::table
        .find((user_id, block.to_string()))
        .filter(known_addresses::last_at.gt(Timestamp(since)));
    Ok(on!(tx, |conn| select(exists(here)).get_result(conn))?)
}

pub fn delete_of_user(tx: &mut Tx<'_>, user_id: UserId) -> Result<(), StoreError> {
    later!(
        tx,
        diesel::delete(known_addresses::table.filter(known_addresses::user_id.eq(user_id)))
    )?;
    Ok(())
}
