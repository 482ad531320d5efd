//! The `known_addresses` table: from where users have signed in.

use chrono::{DateTime, Utc};
use diesel::alias;
use diesel::dsl::{exists as exists_in, select};
use diesel::prelude::*;

use super::schema::{known_addresses, users};
use super::types::Timestamp;
use super::{StoreError, Tx, later, on};
use crate::domain::{AddressBlock, Email, UserId};

/// Whether a sign-in of the user from the block was noted, however long ago.
pub fn exists(tx: &mut Tx<'_>, user_id: UserId, block: AddressBlock) -> Result<bool, StoreError> {
    let here = known_addresses::table.find((user_id, block.to_string()));
    Ok(on!(tx, |conn| select(exists_in(here)).get_result(conn))?)
}

/// Notes a sign-in of the user from the block, and forgets all but their `keep` latest.
pub fn remember(
    tx: &mut Tx<'_>,
    user_id: UserId,
    block: AddressBlock,
    now: DateTime<Utc>,
    keep: i64,
) -> Result<(), StoreError> {
    let is_new = !exists(tx, user_id, block)?;
    let (block, last_at) = (block.to_string(), Timestamp(now));
    let values = (
        known_addresses::user_id.eq(user_id),
        known_addresses::block.eq(&block),
        known_addresses::last_at.eq(last_at),
    );
    later!(
        tx,
        diesel::insert_into(known_addresses::table)
            .values(values)
            .on_conflict((known_addresses::user_id, known_addresses::block))
            .do_update()
            .set(known_addresses::last_at.eq(last_at))
    )?;
    if !is_new {
        return Ok(());
    }
    let (last_at, block) = (known_addresses::last_at, known_addresses::block);
    let all = alias!(known_addresses as all_addresses);
    let oldest = all
        .filter(all.field(known_addresses::user_id).eq(user_id))
        .order((all.field(last_at).desc(), all.field(block)))
        .offset(keep)
        .limit(keep)
        .select(all.field(block));
    later!(
        tx,
        diesel::delete(
            known_addresses::table
                .filter(known_addresses::user_id.eq(user_id))
                .filter(block.eq_any(oldest))
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
    Ok(on!(tx, |conn| select(exists_in(here)).get_result(conn))?)
}

pub fn delete_of_user(tx: &mut Tx<'_>, user_id: UserId) -> Result<(), StoreError> {
    later!(
        tx,
        diesel::delete(known_addresses::table.filter(known_addresses::user_id.eq(user_id)))
    )?;
    Ok(())
}
