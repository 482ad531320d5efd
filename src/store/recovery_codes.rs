//! The `recovery_codes` table: the hashes of codes that have not been used.

use diesel::prelude::*;

use super::bulk::pieces;
use super::schema::recovery_codes;
use super::{StoreError, Tx, later, on};
use crate::domain::UserId;

/// Replaces all codes of a user.
pub fn replace(tx: &mut Tx<'_>, user_id: UserId, hashes: &[&str]) -> Result<(), StoreError> {
    delete(tx, user_id)?;
    for hash in hashes {
        let values = (
            recovery_codes::user_id.eq(user_id),
            recovery_codes::hash.eq(*hash),
        );
        later!(
            tx,
            diesel::insert_into(recovery_codes::table).values(values)
        )?;
    }
    Ok(())
}

/// Adds the codes of several users.
pub fn insert_all(tx: &mut Tx<'_>, codes: &[(UserId, String)]) -> Result<(), StoreError> {
    for piece in pieces(codes) {
        let row = |(user_id, hash): &(UserId, String)| {
            (
                recovery_codes::user_id.eq(*user_id),
                recovery_codes::hash.eq(hash.clone()),
            )
        };
        let rows: Vec<_> = piece.iter().map(row).collect();
        on!(tx, |conn| diesel::insert_into(recovery_codes::table)
            .values(&rows)
            .execute(conn))?;
    }
    Ok(())
}

/// Deletes a code, which may be stored as any of these; returns whether it existed. Of concurrent attempts, one gets
/// `true`.
pub fn take(tx: &mut Tx<'_>, user_id: UserId, hashes: &[String]) -> Result<bool, StoreError> {
    let taken = on!(tx, |conn| diesel::delete(
        recovery_codes::table
            .filter(recovery_codes::user_id.eq(user_id))
            .filter(recovery_codes::hash.eq_any(hashes))
    )
    .execute(conn))?;
    Ok(taken >= 1)
}

pub fn count(tx: &mut Tx<'_>, user_id: UserId) -> Result<i64, StoreError> {
    Ok(on!(tx, |conn| recovery_codes::table
        .filter(recovery_codes::user_id.eq(user_id))
        .count()
        .get_result(conn))?)
}

pub fn delete(tx: &mut Tx<'_>, user_id: UserId) -> Result<(), StoreError> {
    later!(
        tx,
        diesel::delete(recovery_codes::table.filter(recovery_codes::user_id.eq(user_id)))
    )?;
    Ok(())
}
