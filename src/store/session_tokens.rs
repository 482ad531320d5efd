//! Sessions with an opaque token: rows of `sessions` that are found by the hash of the token.

use chrono::{DateTime, Utc};
use diesel::dsl::not;
use diesel::prelude::*;

use super::schema::{sessions, users};
use super::sessions::{SessionRow, current_version, live, unrevoked};
use super::types::Timestamp;
use super::{StoreError, Tx, later, on};
use crate::domain::{Session, SessionId, UserId};

/// A session and whether its second factor is still missing.
pub struct TokenSession {
    pub session: Session,
    pub locked: bool,
}

/// Also finds a session that has ended.
pub fn find(tx: &mut Tx<'_>, token_hash: &str) -> Result<Option<TokenSession>, StoreError> {
    let row: Option<(SessionRow, bool, bool)> = on!(tx, |conn| sessions::table
        .filter(sessions::token_hash.eq(token_hash))
        .select((
            SessionRow::as_select(),
            not(unrevoked!(sessions::user_id)),
            sessions::locked
        ))
        .get_result(conn)
        .optional())?;
    row.map(|(row, is_revoked, locked)| {
        Ok(TokenSession {
            session: row.session(is_revoked)?,
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
            .filter(live!(sessions::user_id, now))
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
    later!(
        tx,
        diesel::update(
            sessions::table
                .filter(sessions::user_id.eq(user_id))
                .filter(sessions::locked.eq(true))
                .filter(sessions::revoked_at.is_null())
        )
        .set(sessions::revoked_at.eq(Some(Timestamp(now))))
    )?;
    Ok(())
}
