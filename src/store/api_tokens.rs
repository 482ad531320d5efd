//! The `api_tokens` table: tokens of services, stored as hashes.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::schema::{api_tokens, sessions, users};
use super::sessions::{current_version, live, unrevoked};
use super::types::Timestamp;
use super::{StoreError, Tx, find_locked, later, on, parsed};
use crate::domain::page::PageRequest;
use crate::domain::{ApiToken, ApiTokenId, ApiTokenName, OrganizationId, SessionId, UserId};

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_tokens)]
struct ApiTokenRow {
    id: ApiTokenId,
    prefix: String,
    name: String,
    creator_id: UserId,
    organization_id: OrganizationId,
    role: String,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

impl TryFrom<ApiTokenRow> for ApiToken {
    type Error = StoreError;

    fn try_from(row: ApiTokenRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            name: ApiTokenName::from_stored(row.name),
            prefix: row.prefix,
            creator_id: row.creator_id,
            organization_id: row.organization_id,
            role: parsed(&row.role)?,
            created_at: row.created_at.0,
            expires_at: row.expires_at.map(|at| at.0),
            last_used_at: row.last_used_at.map(|at| at.0),
            revoked_at: row.revoked_at.map(|at| at.0),
        })
    }
}

/// `session_id` is the session that made the token.
pub fn insert(
    tx: &mut Tx<'_>,
    token: &ApiToken,
    hash: &str,
    session_id: SessionId,
) -> Result<(), StoreError> {
    let values = (
        api_tokens::id.eq(token.id),
        api_tokens::hash.eq(hash),
        api_tokens::prefix.eq(&token.prefix),
        api_tokens::name.eq(token.name.as_str()),
        api_tokens::creator_id.eq(token.creator_id),
        api_tokens::organization_id.eq(token.organization_id),
        api_tokens::role.eq(token.role.as_str()),
        api_tokens::created_at.eq(Timestamp(token.created_at)),
        api_tokens::expires_at.eq(token.expires_at.map(Timestamp)),
        api_tokens::session_id.eq(Some(session_id)),
    );
    later!(tx, diesel::insert_into(api_tokens::table).values(values))?;
    Ok(())
}

pub fn find_by_hash(tx: &mut Tx<'_>, hash: &str) -> Result<Option<ApiToken>, StoreError> {
    let row: Option<ApiTokenRow> = on!(tx, |conn| api_tokens::table
        .filter(api_tokens::hash.eq(hash))
        .select(ApiTokenRow::as_select())
        .get_result(conn)
        .optional())?;
    row.map(ApiToken::try_from).transpose()
}

pub fn find(tx: &mut Tx<'_>, id: ApiTokenId) -> Result<Option<ApiToken>, StoreError> {
    let row: Option<ApiTokenRow> = on!(tx, |conn| api_tokens::table
        .find(id)
        .select(ApiTokenRow::as_select())
        .get_result(conn)
        .optional())?;
    row.map(ApiToken::try_from).transpose()
}

/// As [`find`], and locks the token against changes until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, id: ApiTokenId) -> Result<Option<ApiToken>, StoreError> {
    let row: Option<ApiTokenRow> = find_locked!(
        tx,
        for_share,
        api_tokens::table.find(id).select(ApiTokenRow::as_select())
    )?;
    row.map(ApiToken::try_from).transpose()
}

/// Everything of one person that was not revoked, in every organization, with the hashes.
pub fn list_unrevoked_of(
    tx: &mut Tx<'_>,
    creator_id: UserId,
) -> Result<Vec<(ApiToken, String)>, StoreError> {
    let rows: Vec<(ApiTokenRow, String)> = on!(tx, |conn| api_tokens::table
        .filter(api_tokens::creator_id.eq(creator_id))
        .filter(api_tokens::revoked_at.is_null())
        .select((ApiTokenRow::as_select(), api_tokens::hash))
        .load(conn))?;
    rows.into_iter()
        .map(|(row, hash)| Ok((row.try_into()?, hash)))
        .collect()
}

/// The tokens of an organization that are not revoked, of one person or of everybody, oldest first.
pub fn page(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    creator_id: Option<UserId>,
    request: &PageRequest<ApiTokenId>,
) -> Result<Vec<ApiToken>, StoreError> {
    let after = request.after.unwrap_or(ApiTokenId::NIL);
    let rows: Vec<ApiTokenRow> = on!(tx, |conn| {
        let mut query = api_tokens::table
            .filter(api_tokens::organization_id.eq(organization_id))
            .filter(api_tokens::revoked_at.is_null())
            .filter(api_tokens::id.gt(after))
            .order(api_tokens::id)
            .limit(request.rows())
            .select(ApiTokenRow::as_select())
            .into_boxed();
        if let Some(creator_id) = creator_id {
            query = query.filter(api_tokens::creator_id.eq(creator_id));
        }
        query.load(conn)
    })?;
    rows.into_iter().map(ApiToken::try_from).collect()
}

/// The number of valid tokens of a person in an organization.
pub fn count_live(
    tx: &mut Tx<'_>,
    creator_id: UserId,
    organization_id: OrganizationId,
    now: DateTime<Utc>,
) -> Result<i64, StoreError> {
    Ok(on!(tx, |conn| api_tokens::table
        .filter(api_tokens::creator_id.eq(creator_id))
        .filter(api_tokens::organization_id.eq(organization_id))
        .filter(api_tokens::revoked_at.is_null())
        .filter(
            api_tokens::expires_at
                .is_null()
                .or(api_tokens::expires_at.gt(Some(Timestamp(now))))
        )
        .count()
        .get_result(conn))?)
}

/// Revokes a token in an organization, of one person or of anybody; returns whose it was.
pub fn revoke(
    tx: &mut Tx<'_>,
    id: ApiTokenId,
    organization_id: OrganizationId,
    creator_id: Option<UserId>,
    now: DateTime<Utc>,
) -> Result<Option<UserId>, StoreError> {
    Ok(on!(tx, |conn| {
        let mut token = diesel::update(api_tokens::table)
            .filter(api_tokens::id.eq(id))
            .filter(api_tokens::organization_id.eq(organization_id))
            .filter(api_tokens::revoked_at.is_null())
            .set(api_tokens::revoked_at.eq(Some(Timestamp(now))))
            .into_boxed();
        if let Some(creator_id) = creator_id {
            token = token.filter(api_tokens::creator_id.eq(creator_id));
        }
        token
            .returning(api_tokens::creator_id)
            .get_result(conn)
            .optional()
    })?)
}

/// Revokes all tokens of a person, in all organizations.
pub fn revoke_all_of(
    tx: &mut Tx<'_>,
    creator_id: UserId,
    now: DateTime<Utc>,
) -> Result<usize, StoreError> {
    Ok(on!(tx, |conn| diesel::update(
        api_tokens::table
            .filter(api_tokens::creator_id.eq(creator_id))
            .filter(api_tokens::revoked_at.is_null())
    )
    .set(api_tokens::revoked_at.eq(Some(Timestamp(now))))
    .execute(conn))?)
}

/// Revokes the tokens that live sessions of a person made, except one session's, in all organizations.
pub fn revoke_made_by_live_sessions(
    tx: &mut Tx<'_>,
    creator_id: UserId,
    except: Option<SessionId>,
    now: DateTime<Utc>,
) -> Result<usize, StoreError> {
    let except = except.unwrap_or(SessionId::NIL);
    let makers = sessions::table
        .filter(sessions::user_id.eq(creator_id))
        .filter(sessions::id.ne(except))
        .filter(live!(creator_id, now))
        .select(sessions::id.nullable());
    Ok(on!(tx, |conn| diesel::update(api_tokens::table)
        .filter(api_tokens::creator_id.eq(creator_id))
        .filter(api_tokens::revoked_at.is_null())
        .filter(api_tokens::session_id.eq_any(makers))
        .set(api_tokens::revoked_at.eq(Some(Timestamp(now))))
        .execute(conn))?)
}

/// Revokes the tokens that a session of a person made, in all organizations.
pub fn revoke_made_by(
    tx: &mut Tx<'_>,
    creator_id: UserId,
    session_id: SessionId,
    now: DateTime<Utc>,
) -> Result<usize, StoreError> {
    Ok(on!(tx, |conn| diesel::update(api_tokens::table)
        .filter(api_tokens::creator_id.eq(creator_id))
        .filter(api_tokens::revoked_at.is_null())
        .filter(api_tokens::session_id.eq(Some(session_id)))
        .set(api_tokens::revoked_at.eq(Some(Timestamp(now))))
        .execute(conn))?)
}

/// Records a use, unless one since `earlier` is recorded already.
pub fn touch(
    tx: &mut Tx<'_>,
    id: ApiTokenId,
    earlier: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    on!(tx, |conn| diesel::update(
        api_tokens::table.find(id).filter(
            api_tokens::last_used_at
                .is_null()
                .or(api_tokens::last_used_at.le(Some(Timestamp(earlier))))
        )
    )
    .set(api_tokens::last_used_at.eq(Some(Timestamp(now))))
    .execute(conn))?;
    Ok(())
}
