//! The `sessions` table: one row per sign-in.

use chrono::{DateTime, Utc};
use diesel::dsl::not;
use diesel::prelude::*;

use super::memberships::MembershipRow;
use super::organizations::RulesRow;
use super::schema::{memberships, organizations, sessions, users};
use super::types::Timestamp;
use super::users::UserRow;
use super::{StoreError, Tx, find_locked, later, on, parsed};
use crate::domain::page::PageRequest;
use crate::domain::{
    Clearance, LifetimeRule, Lifetimes, Membership, OrganizationId, OrganizationRules, Session,
    SessionId, SessionKey, SessionKind, User, UserId, device,
};

/// The version that the sessions of `$user_id` have unless they are revoked: of a value, or of each row's user.
macro_rules! current_version {
    ($user_id:expr) => {
        users::table
            .find($user_id)
            .select(users::session_ver)
            .single_value()
            .assume_not_null()
    };
}

/// Neither ended by itself nor with all sessions of the user. What has not expired either is live.
macro_rules! unrevoked {
    ($user_id:expr) => {
        sessions::revoked_at
            .is_null()
            .and(sessions::ver.eq(current_version!($user_id)))
    };
}

/// The rule of [`Session::must_be_live`] as SQL.
macro_rules! live {
    ($user_id:expr, $now:expr) => {
        unrevoked!($user_id).and(sessions::expires_at.gt(Timestamp($now)))
    };
}

pub(super) use {current_version, live, unrevoked};

#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions)]
pub(super) struct SessionRow {
    id: SessionId,
    user_id: UserId,
    organization_id: Option<OrganizationId>,
    device: Option<String>,
    address: Option<String>,
    created_at: Timestamp,
    last_used_at: Timestamp,
    expires_at: Timestamp,
    kind: String,
    proven_at: Option<Timestamp>,
    must_end_at: Option<Timestamp>,
}

impl SessionRow {
    pub(super) fn session(self, is_revoked: bool) -> Result<Session, StoreError> {
        let row = self;
        Ok(Session {
            id: row.id,
            kind: parsed(&row.kind)?,
            user_id: row.user_id,
            organization_id: row.organization_id,
            device: row.device.and_then(device::stored),
            address: row.address.and_then(|address| address.parse().ok()),
            created_at: row.created_at.0,
            last_used_at: row.last_used_at.0,
            expires_at: row.expires_at.0,
            is_revoked,
            proven_at: row.proven_at.map(|at| at.0),
            must_end_at: row.must_end_at.map(|at| at.0),
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
        sessions::must_end_at.eq(session.must_end_at.map(Timestamp)),
        sessions::last_used_at.eq(Timestamp(session.last_used_at)),
        sessions::expires_at.eq(Timestamp(session.expires_at)),
        sessions::ver.eq(current_version!(session.user_id)),
        sessions::kind.eq(session.kind.as_str()),
        sessions::token_hash.eq(new.token_hash),
        sessions::locked.eq(clearance.is_locked()),
    );
    later!(tx, diesel::insert_into(sessions::table).values(values))?;
    Ok(())
}

/// A session that is neither ended nor waiting for its second factor, kept as it is until the transaction ends.
pub fn lock_open(tx: &mut Tx<'_>, id: SessionId) -> Result<Option<Session>, StoreError> {
    let row: Option<SessionRow> = find_locked!(
        tx,
        for_share,
        sessions::table
            .find(id)
            .filter(unrevoked!(sessions::user_id))
            .filter(sessions::locked.eq(false))
            .select(SessionRow::as_select())
    )?;
    row.map(|row| row.session(false)).transpose()
}

pub fn find(tx: &mut Tx<'_>, id: SessionId) -> Result<Option<Session>, StoreError> {
    let row: Option<(SessionRow, bool)> = on!(tx, |conn| sessions::table
        .find(id)
        .select((SessionRow::as_select(), not(unrevoked!(sessions::user_id))))
        .get_result(conn)
        .optional())?;
    row.map(|(row, is_revoked)| row.session(is_revoked))
        .transpose()
}

/// A session with its user, as they are in an organization.
pub struct OwnedSession {
    pub session: Session,
    /// `None` if they were deleted.
    pub user: Option<User>,
    /// `None` if they do not belong to the organization.
    pub membership: Option<Membership>,
    /// Of the organization.
    pub rules: OrganizationRules,
}

/// A session with its user and their place in an organization, in one query: each refresh asks it.
pub fn find_with_user(
    tx: &mut Tx<'_>,
    id: SessionId,
    organization_id: Option<OrganizationId>,
) -> Result<Option<OwnedSession>, StoreError> {
    type Row = (
        SessionRow,
        bool,
        UserRow,
        bool,
        Option<MembershipRow>,
        Option<RulesRow>,
    );
    let there = organization_id.unwrap_or(OrganizationId::NIL);
    let is_place = memberships::user_id
        .eq(sessions::user_id)
        .and(memberships::organization_id.eq(there));
    let row: Option<Row> = on!(tx, |conn| sessions::table
        .inner_join(users::table.on(users::id.eq(sessions::user_id)))
        .left_join(memberships::table.on(is_place))
        .left_join(organizations::table.on(organizations::id.eq(there)))
        .filter(sessions::id.eq(id))
        .select((
            SessionRow::as_select(),
            not(sessions::revoked_at
                .is_null()
                .and(sessions::ver.eq(users::session_ver))),
            UserRow::as_select(),
            users::deleted_at.is_not_null(),
            Option::<MembershipRow>::as_select(),
            Option::<RulesRow>::as_select(),
        ))
        .get_result(conn)
        .optional())?;
    let Some((session, is_revoked, user, is_deleted, membership, rules)) = row else {
        return Ok(None);
    };
    Ok(Some(OwnedSession {
        session: session.session(is_revoked)?,
        user: (!is_deleted).then(|| user.into()),
        membership: membership.map(Membership::try_from).transpose()?,
        rules: rules.map(OrganizationRules::from).unwrap_or_default(),
    }))
}

/// A user's live sessions, newest first.
pub fn page(
    tx: &mut Tx<'_>,
    user_id: UserId,
    request: &PageRequest<SessionKey>,
    now: DateTime<Utc>,
) -> Result<Vec<Session>, StoreError> {
    let rows: Vec<SessionRow> = on!(tx, |conn| {
        let mut query = sessions::table
            .filter(sessions::user_id.eq(user_id))
            .filter(live!(user_id, now))
            .order((sessions::created_at.desc(), sessions::id.desc()))
            .limit(request.rows())
            .select(SessionRow::as_select())
            .into_boxed();
        if let Some(SessionKey { created_at, id }) = request.after {
            let created_at = Timestamp(created_at);
            // The first is implied by the second; with it both databases begin in the middle of the index.
            query = query
                .filter(sessions::created_at.le(created_at))
                .filter(sessions::created_at.lt(created_at).or(sessions::id.lt(id)));
        }
        query.load(conn)
    })?;
    rows.into_iter().map(|row| row.session(false)).collect()
}

/// Records the last use of a session, its end and its organization from now on. Returns whether it was still live.
pub fn touch(tx: &mut Tx<'_>, used: &Session) -> Result<bool, StoreError> {
    let touched = on!(tx, |conn| diesel::update(
        sessions::table
            .find(used.id)
            .filter(live!(sessions::user_id, used.last_used_at))
    )
    .set((
        sessions::last_used_at.eq(Timestamp(used.last_used_at)),
        sessions::expires_at.eq(Timestamp(used.expires_at)),
        sessions::organization_id.eq(used.organization_id),
    ))
    .execute(conn))?;
    Ok(touched == 1)
}

/// Records that the session's user has just proved who they are.
pub fn set_proven(tx: &mut Tx<'_>, id: SessionId, now: DateTime<Utc>) -> Result<(), StoreError> {
    later!(
        tx,
        diesel::update(sessions::table.find(id)).set(sessions::proven_at.eq(Some(Timestamp(now))))
    )?;
    Ok(())
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
            .filter(live!(user_id, now))
    )
    .set(sessions::revoked_at.eq(Some(Timestamp(now))))
    .execute(conn))?;
    Ok(revoked == 1)
}

/// Which live sessions of a user are meant.
#[derive(Debug, Clone, Copy)]
pub enum Which {
    /// All but one.
    Others(SessionId),
    In(OrganizationId),
}

/// At most `limit` of a user's live sessions, those used last first.
pub fn list_live(
    tx: &mut Tx<'_>,
    user_id: UserId,
    which: Which,
    limit: u32,
    now: DateTime<Utc>,
) -> Result<Vec<SessionId>, StoreError> {
    Ok(on!(tx, |conn| {
        let query = sessions::table
            .filter(sessions::user_id.eq(user_id))
            .filter(live!(user_id, now))
            .order((sessions::last_used_at.desc(), sessions::id.desc()))
            .limit(limit.into())
            .select(sessions::id)
            .into_boxed();
        match which {
            Which::Others(except) => query.filter(sessions::id.ne(except)).load(conn),
            Which::In(id) => query.filter(sessions::organization_id.eq(id)).load(conn),
        }
    })?)
}

/// A session that is not revoked, though it may have expired.
#[derive(Debug, Clone, Copy)]
pub struct UnrevokedSession {
    pub id: SessionId,
    pub end: StoredEnd,
    /// Whether its second factor is missing.
    pub is_locked: bool,
}

/// What a session ends by.
#[derive(Debug, Clone, Copy)]
pub struct StoredEnd {
    pub kind: SessionKind,
    pub created_at: DateTime<Utc>,
    pub last_used_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// Of its organization.
    pub rule: LifetimeRule,
}

impl StoredEnd {
    /// Whether it has not expired, by what is stored and by the lifetimes of now.
    pub fn is_live(&self, instance: Lifetimes, now: DateTime<Utc>) -> bool {
        let lifetimes = instance.under(self.rule);
        let end = lifetimes.session_end(self.kind, self.created_at, self.last_used_at);
        end.min(self.expires_at) > now
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions)]
struct EndRow {
    kind: String,
    created_at: Timestamp,
    last_used_at: Timestamp,
    expires_at: Timestamp,
}

impl EndRow {
    fn with(self, rules: Option<RulesRow>) -> Result<StoredEnd, StoreError> {
        let rules = rules.map(OrganizationRules::from).unwrap_or_default();
        Ok(StoredEnd {
            kind: parsed(&self.kind)?,
            created_at: self.created_at.0,
            last_used_at: self.last_used_at.0,
            expires_at: self.expires_at.0,
            rule: rules.lifetimes,
        })
    }
}

/// Each session with its organization, if it has one.
macro_rules! with_organization {
    () => {
        sessions::table.left_join(
            organizations::table.on(sessions::organization_id.eq(organizations::id.nullable())),
        )
    };
}

/// At most `limit` of a user's sessions that are not revoked, those used last first.
pub fn list_unrevoked(
    tx: &mut Tx<'_>,
    user_id: UserId,
    limit: u32,
) -> Result<Vec<UnrevokedSession>, StoreError> {
    let rows: Vec<(SessionId, bool, EndRow, Option<RulesRow>)> =
        on!(tx, |conn| with_organization!()
            .filter(sessions::user_id.eq(user_id))
            .filter(unrevoked!(user_id))
            .order((sessions::last_used_at.desc(), sessions::id.desc()))
            .limit(limit.into())
            .select((
                sessions::id,
                sessions::locked,
                EndRow::as_select(),
                Option::<RulesRow>::as_select(),
            ))
            .load(conn))?;
    rows.into_iter()
        .map(|(id, is_locked, end, rules)| {
            Ok(UnrevokedSession {
                id,
                end: end.with(rules)?,
                is_locked,
            })
        })
        .collect()
}

/// At most `limit` of the organization's sessions that are not marked as ended, and began by the first of these times
/// or were last used by the second: of whom, and when they were last used.
pub fn list_ended_in(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    (began, used): (DateTime<Utc>, Option<DateTime<Utc>>),
    limit: u32,
) -> Result<Vec<(UserId, SessionId, DateTime<Utc>)>, StoreError> {
    let used = used.unwrap_or(DateTime::UNIX_EPOCH);
    let rows: Vec<(UserId, SessionId, Timestamp)> = on!(tx, |conn| sessions::table
        .filter(sessions::organization_id.eq(organization_id))
        .filter(sessions::revoked_at.is_null())
        .filter(
            sessions::created_at
                .le(Timestamp(began))
                .or(sessions::last_used_at.le(Timestamp(used)))
        )
        .select((sessions::user_id, sessions::id, sessions::last_used_at))
        .limit(limit.into())
        .load(conn))?;
    let row = |(user_id, id, last_used_at): (_, _, Timestamp)| (user_id, id, last_used_at.0);
    Ok(rows.into_iter().map(row).collect())
}

/// At most `limit` of a user's rows that are not marked as ended, though all sessions of the user were ended since.
pub fn list_outdated(
    tx: &mut Tx<'_>,
    user_id: UserId,
    limit: u32,
) -> Result<Vec<SessionId>, StoreError> {
    Ok(on!(tx, |conn| sessions::table
        .filter(sessions::user_id.eq(user_id))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::ver.lt(current_version!(user_id)))
        .select(sessions::id)
        .limit(limit.into())
        .load(conn))?)
}

/// Marks sessions as ended.
pub fn close(tx: &mut Tx<'_>, ids: &[SessionId], now: DateTime<Utc>) -> Result<(), StoreError> {
    later!(
        tx,
        diesel::update(
            sessions::table
                .filter(sessions::id.eq_any(ids))
                .filter(sessions::revoked_at.is_null())
        )
        .set(sessions::revoked_at.eq(Some(Timestamp(now))))
    )?;
    Ok(())
}

/// Keeps a session live although the version was raised.
pub fn raise_version(tx: &mut Tx<'_>, id: SessionId) -> Result<(), StoreError> {
    later!(
        tx,
        diesel::update(sessions::table.find(id))
            .set(sessions::ver.eq(current_version!(sessions::user_id)))
    )?;
    Ok(())
}

/// A row that is not marked as ended.
#[derive(Debug, Clone, Copy)]
pub struct OpenSession {
    pub user_id: UserId,
    /// Whether it has ended with all sessions of its user.
    pub is_revoked: bool,
    pub end: StoredEnd,
}

/// The next `limit` rows that are not marked as ended, in the order of their users.
pub fn list_open_after(
    tx: &mut Tx<'_>,
    user_id: UserId,
    limit: u32,
) -> Result<Vec<OpenSession>, StoreError> {
    let rows: Vec<(UserId, bool, EndRow, Option<RulesRow>)> = on!(tx, |conn| with_organization!()
        .filter(sessions::user_id.gt(user_id))
        .filter(sessions::revoked_at.is_null())
        .order(sessions::user_id)
        .limit(limit.into())
        .select((
            sessions::user_id,
            not(unrevoked!(sessions::user_id)),
            EndRow::as_select(),
            Option::<RulesRow>::as_select(),
        ))
        .load(conn))?;
    rows.into_iter()
        .map(|(user_id, is_revoked, end, rules)| {
            Ok(OpenSession {
                user_id,
                is_revoked,
                end: end.with(rules)?,
            })
        })
        .collect()
}

/// Whether a user has more than `count` rows, ended ones included.
pub fn has_more_than(tx: &mut Tx<'_>, user_id: UserId, count: u32) -> Result<bool, StoreError> {
    let next: Option<SessionId> = on!(tx, |conn| sessions::table
        .filter(sessions::user_id.eq(user_id))
        .select(sessions::id)
        .offset(count.into())
        .limit(1)
        .get_result(conn)
        .optional())?;
    Ok(next.is_some())
}

/// Deletes at most `limit` rows of a user; returns how many.
pub fn delete_some(tx: &mut Tx<'_>, user_id: UserId, limit: u32) -> Result<usize, StoreError> {
    let ids: Vec<SessionId> = on!(tx, |conn| sessions::table
        .filter(sessions::user_id.eq(user_id))
        .select(sessions::id)
        .limit(limit.into())
        .load(conn))?;
    Ok(on!(tx, |conn| diesel::delete(
        sessions::table.filter(sessions::id.eq_any(&ids))
    )
    .execute(conn))?)
}
