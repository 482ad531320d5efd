//! The `known_addresses` table: from where users have signed in.

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, select};
use diesel::prelude::*;

use super::schema::{known_addresses, users};
use super::types::Timestamp;
use super::{StoreError, Tx, later, on};
use crate::domain::{AddressBlock, Email, UserId};

/// When the user signed in last, and from which block, for each of their blocks.
///
/// Without an order and a limit, for which PostgreSQL may read the index by time, of everybody.
pub fn list(tx: &mut Tx<'_>, user_id: UserId) -> Result<Vec<(DateTime<Utc>, String)>, StoreError> {
    let rows: Vec<(Timestamp, String)> = on!(tx, |conn| known_addresses::table
        .filter(known_addresses::user_id.eq(user_id))
        .select((known_addresses::last_at, known_addresses::block))
        .load(conn))?;
    Ok(rows.into_iter().map(|(at, block)| (at.0, block)).collect())
}

/// Notes a sign-in of the user from the block, and forgets all but their `keep` latest.
pub fn remember(
    tx: &mut Tx<'_>,
    user_id: UserId,
    block: AddressBlock,
    now: DateTime<Utc>,
    keep: usize,
) -> Result<(), StoreError> {
    let mut earlier = list(tx, user_id)?;
    let block = block.to_string();
    let last_at = known_addresses::last_at.eq(Timestamp(now));
    let values = (
        known_addresses::user_id.eq(user_id),
        known_addresses::block.eq(&block),
        last_at,
    );
    later!(
        tx,
        diesel::insert_into(known_addresses::table)
            .values(values)
            .on_conflict((known_addresses::user_id, known_addresses::block))
            .do_update()
            .set(last_at)
    )?;
    if earlier.len() < keep || earlier.iter().any(|(_, known)| *known == block) {
        return Ok(());
    }
    earlier.sort_by(|(a, first), (b, second)| b.cmp(a).then_with(|| first.cmp(second)));
    let blocks = earlier.into_iter().map(|(_, block)| block);
    // One is new.
    let oldest: Vec<String> = blocks.skip(keep.saturating_sub(1)).collect();
    later!(
        tx,
        diesel::delete(
            known_addresses::table
                .filter(known_addresses::user_id.eq(user_id))
                .filter(known_addresses::block.eq_any(&oldest))
        )
    )?;
    Ok(())
}

/// Whether the user with this e-mail address has signed in from the block after `since`.
pub fn is_known(
    tx: &mut Tx<'_>,
    email: &Email,
    block: AddressBlock,
    since: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let here = known_addresses::table
        .inner_join(users::table.on(users::id.eq(known_addresses::user_id)))
        .filter(users::email.eq(email.as_str()))
        .filter(known_addresses::block.eq(block.to_string()))
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
