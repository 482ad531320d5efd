//! Sessions with an opaque token: rows of `sessions` that are found by the hash of the token.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::schema::sessions;
use super::sessions::SessionRow;
use super::types::Timestamp;
use super::{StoreError, Tx, on};
use crate::domain::{Session, SessionId, UserId};

/// A session and whether its second factor is still missing.
pub struct TokenSession {
    pub session: Session,
    pub locked: bool,
}

pub fn insert(
    tx: &mut Tx<'_>,
    session: &Session,
    token_hash: &str,
    locked: bool,
) -> Result<(), StoreError> {
    let values = (
        sessions::id.eq(session.id),
        sessions::user_id.eq(session.user_id),
        sessions::organization_id.eq(session.organization_id),
        sessions::device.eq(session.device.as_deref()),
        sessions::address.eq(session.address.map(|address| address.to_string())),
        sessions::created_at.eq(Timestamp(session.created_at)),
        sessions::last_used_at.eq(Timestamp(session.last_used_at)),
        sessions::expires_at.eq(Timestamp(session.expires_at)),
        sessions::kind.eq(session.kind.as_str()),
        sessions::token_hash.eq(Some(token_hash)),
        sessions::locked.eq(locked),
    );
    on!(tx, |conn| diesel::insert_into(sessions::table)
        .values(values)
        .execute(conn))?;
    Ok(())
}

/// Also finds a session that has ended.
pub fn find(tx: &mut Tx<'_>, token_hash: &str) -> Result<Option<TokenSession>, StoreError> {
    let row: Option<(SessionRow, bool)> = on!(tx, |conn| sessions::table
        .filter(sessions::token_hash.eq(token_hash))
        .select((SessionRow::as_select(), sessions::locked))
        .get_result(conn)
        .optional())?;
    row.map(|(row, locked)| {
        Ok(TokenSession {
            session: row.try_into()?,
            locked,
        })
    })
    .transpose()
}

/// Unlocks a live session; returns whether it was locked until now.
pub fn unlock(tx: &mut Tx<'_>, id: SessionId, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let unlocked = on!(tx, |conn| diesel::update(
        sessions::table
            .find(id)
            .filter(sessions::locked.eq(true))
            .filter(sessions::revoked_at.is_null())
            .filter(sessions::expires_at.gt(Timestamp(now)))
    )
    .set((
        sessions::locked.eq(false),
        sessions::proven_at.eq(Timestamp(now)),
        sessions::last_used_at.eq(Timestamp(now))
    ))
    .execute(conn))?;
    Ok(unlocked == 1)
}

/// Ends the sessions of this user whose second factor is missing. No revocation cache contains them.
pub fn end_locked(tx: &mut Tx<'_>, user_id: UserId, now: DateTime<Utc>) -> Result<(), StoreError> {
    on!(tx, |conn| diesel::update(
        sessions::table
            .filter(sessions::user_id.eq(user_id))
            .filter(sessions::locked.eq(true))
            .filter(sessions::revoked_at.is_null())
    )
    .set(sessions::revoked_at.eq(Some(Timestamp(now))))
    .execute(conn))?;
    Ok(())
}
