//! The `sessions` table: one row per sign-in.

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, select};
use diesel::prelude::*;

use super::schema::sessions;
use super::types::Timestamp;
use super::{StoreError, Tx, find_for_share, on, parsed};
use crate::domain::{Clearance, OrganizationId, Session, SessionId, UserId};

#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions)]
pub(super) struct SessionRow {
    id: SessionId,
    user_id: UserId,
    organization_id: OrganizationId,
    device: Option<String>,
    address: Option<String>,
    created_at: Timestamp,
    last_used_at: Timestamp,
    expires_at: Timestamp,
    revoked_at: Option<Timestamp>,
    kind: String,
    proven_at: Option<Timestamp>,
}

impl TryFrom<SessionRow> for Session {
    type Error = StoreError;

    fn try_from(row: SessionRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            kind: parsed(&row.kind)?,
            user_id: row.user_id,
            organization_id: row.organization_id,
            device: row.device,
            address: row.address.and_then(|address| address.parse().ok()),
            created_at: row.created_at.0,
            last_used_at: row.last_used_at.0,
            expires_at: row.expires_at.0,
            revoked_at: row.revoked_at.map(|at| at.0),
            proven_at: row.proven_at.map(|at| at.0),
        })
    }
}

/// A session as it begins, and the hash of the opaque token that carries it, if one does.
pub struct NewSession<'a> {
    pub session: &'a Session,
    pub token_hash: Option<&'a str>,
}

/// The only way to a session row. `clearance` is what the sign-in entry point alone can show.
pub fn insert(
    tx: &mut Tx<'_>,
    new: &NewSession<'_>,
    clearance: &impl Clearance,
) -> Result<(), StoreError> {
    let session = new.session;
    let values = (
        sessions::id.eq(session.id),
        sessions::user_id.eq(session.user_id),
        sessions::organization_id.eq(session.organization_id),
        sessions::device.eq(session.device.as_deref()),
        sessions::address.eq(session.address.map(|address| address.to_string())),
        sessions::created_at.eq(Timestamp(session.created_at)),
        sessions::proven_at.eq(session.proven_at.map(Timestamp)),
        sessions::last_used_at.eq(Timestamp(session.last_used_at)),
        sessions::expires_at.eq(Timestamp(session.expires_at)),
        sessions::revoked_at.eq(session.revoked_at.map(Timestamp)),
        sessions::kind.eq(session.kind.as_str()),
        sessions::token_hash.eq(new.token_hash),
        sessions::locked.eq(clearance.is_locked()),
    );
    on!(tx, |conn| diesel::insert_into(sessions::table)
        .values(values)
        .execute(conn))?;
    Ok(())
}

/// A session that is neither ended nor waiting for its second factor, kept as it is until the transaction ends.
pub fn lock_open(tx: &mut Tx<'_>, id: SessionId) -> Result<Option<Session>, StoreError> {
    let row: Option<SessionRow> = find_for_share!(
        tx,
        sessions::table
            .find(id)
            .filter(sessions::revoked_at.is_null())
            .filter(sessions::locked.eq(false))
            .select(SessionRow::as_select())
    )?;
    row.map(Session::try_from).transpose()
}

pub fn find(tx: &mut Tx<'_>, id: SessionId) -> Result<Option<Session>, StoreError> {
    let row: Option<SessionRow> = on!(tx, |conn| sessions::table
        .find(id)
        .select(SessionRow::as_select())
        .get_result(conn)
        .optional())?;
    row.map(Session::try_from).transpose()
}

/// Whether the user has signed in before, but not with the device and address of this session.
pub fn is_from_elsewhere(tx: &mut Tx<'_>, session: &Session) -> Result<bool, StoreError> {
    let is_known: bool = on!(tx, |conn| {
        let mut here = sessions::table
            .filter(sessions::user_id.eq(session.user_id))
            .into_boxed();
        // Not `is not distinct from`, for which PostgreSQL uses no index.
        here = match session.address {
            Some(address) => here.filter(sessions::address.eq(address.to_string())),
            None => here.filter(sessions::address.is_null()),
        };
        here = match &session.device {
            Some(device) => here.filter(sessions::device.eq(device.clone())),
            None => here.filter(sessions::device.is_null()),
        };
        select(exists(here)).get_result(conn)
    })?;
    if is_known {
        return Ok(false);
    }
    Ok(on!(tx, |conn| select(exists(
        sessions::table.filter(sessions::user_id.eq(session.user_id))
    ))
    .get_result(conn))?)
}

/// A user's sessions that are neither revoked nor expired, newest first.
pub fn list_live_of_user(
    tx: &mut Tx<'_>,
    user_id: UserId,
    now: DateTime<Utc>,
) -> Result<Vec<Session>, StoreError> {
    let rows: Vec<SessionRow> = on!(tx, |conn| sessions::table
        .filter(sessions::user_id.eq(user_id))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(Timestamp(now)))
        .order((sessions::created_at.desc(), sessions::id.desc()))
        .select(SessionRow::as_select())
        .load(conn))?;
    rows.into_iter().map(Session::try_from).collect()
}

/// Records a use and the organization of the session from now on. Returns whether the session was still
/// live.
pub fn touch(
    tx: &mut Tx<'_>,
    id: SessionId,
    organization_id: OrganizationId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let touched = on!(tx, |conn| diesel::update(
        sessions::table
            .find(id)
            .filter(sessions::revoked_at.is_null())
            .filter(sessions::expires_at.gt(Timestamp(now)))
    )
    .set((
        sessions::last_used_at.eq(Timestamp(now)),
        sessions::organization_id.eq(organization_id),
    ))
    .execute(conn))?;
    Ok(touched == 1)
}

/// Ends a session of this user; returns whether it was live.
pub fn revoke(
    tx: &mut Tx<'_>,
    user_id: UserId,
    id: SessionId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let revoked = on!(tx, |conn| diesel::update(
        sessions::table
            .find(id)
            .filter(sessions::user_id.eq(user_id))
            .filter(sessions::revoked_at.is_null())
            .filter(sessions::expires_at.gt(Timestamp(now)))
    )
    .set(sessions::revoked_at.eq(Some(Timestamp(now))))
    .execute(conn))?;
    Ok(revoked == 1)
}

/// Ends all live sessions of this user, except one if given; returns those it ended.
pub fn revoke_all(
    tx: &mut Tx<'_>,
    user_id: UserId,
    except: Option<SessionId>,
    now: DateTime<Utc>,
) -> Result<Vec<SessionId>, StoreError> {
    let except = except.unwrap_or(SessionId::NIL);
    Ok(on!(tx, |conn| diesel::update(
        sessions::table
            .filter(sessions::user_id.eq(user_id))
            .filter(sessions::id.ne(except))
            .filter(sessions::revoked_at.is_null())
            .filter(sessions::expires_at.gt(Timestamp(now)))
    )
    .set(sessions::revoked_at.eq(Some(Timestamp(now))))
    .returning(sessions::id)
    .get_results(conn))?)
}

/// Ends a user's live sessions in an organization; returns those it ended.
pub fn revoke_in_organization(
    tx: &mut Tx<'_>,
    user_id: UserId,
    organization_id: OrganizationId,
    now: DateTime<Utc>,
) -> Result<Vec<SessionId>, StoreError> {
    Ok(on!(tx, |conn| diesel::update(
        sessions::table
            .filter(sessions::user_id.eq(user_id))
            .filter(sessions::organization_id.eq(organization_id))
            .filter(sessions::revoked_at.is_null())
            .filter(sessions::expires_at.gt(Timestamp(now)))
    )
    .set(sessions::revoked_at.eq(Some(Timestamp(now))))
    .returning(sessions::id)
    .get_results(conn))?)
}
