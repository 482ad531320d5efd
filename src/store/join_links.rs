//! The `join_links` table: links by which people join an organization, stored as hashes.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::schema::join_links;
use super::types::Timestamp;
use super::{StoreError, Tx, later, on, parsed};
use crate::domain::{JoinLink, JoinLinkId, OrganizationId, UserId};

#[derive(Queryable, Selectable)]
#[diesel(table_name = join_links)]
struct JoinLinkRow {
    id: JoinLinkId,
    organization_id: OrganizationId,
    maker_id: UserId,
    role: String,
    uses: Option<i32>,
    used: i32,
    created_at: Timestamp,
    expires_at: Timestamp,
}

impl TryFrom<JoinLinkRow> for JoinLink {
    type Error = StoreError;

    fn try_from(row: JoinLinkRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            organization_id: row.organization_id,
            maker_id: row.maker_id,
            role: parsed(&row.role)?,
            uses: row.uses,
            used: row.used,
            created_at: row.created_at.0,
            expires_at: row.expires_at.0,
        })
    }
}

pub fn insert(tx: &mut Tx<'_>, link: &JoinLink, hash: &str) -> Result<(), StoreError> {
    let values = (
        join_links::id.eq(link.id),
        join_links::hash.eq(hash),
        join_links::organization_id.eq(link.organization_id),
        join_links::maker_id.eq(link.maker_id),
        join_links::role.eq(link.role.as_str()),
        join_links::uses.eq(link.uses),
        join_links::used.eq(link.used),
        join_links::created_at.eq(Timestamp(link.created_at)),
        join_links::expires_at.eq(Timestamp(link.expires_at)),
    );
    later!(tx, diesel::insert_into(join_links::table).values(values))?;
    Ok(())
}

/// A link that has not expired; it may be used up.
pub fn find_by_hash(
    tx: &mut Tx<'_>,
    hash: &str,
    now: DateTime<Utc>,
) -> Result<Option<JoinLink>, StoreError> {
    let row: Option<JoinLinkRow> = on!(tx, |conn| join_links::table
        .filter(join_links::hash.eq(hash))
        .filter(join_links::expires_at.gt(Timestamp(now)))
        .select(JoinLinkRow::as_select())
        .get_result(conn)
        .optional())?;
    row.map(JoinLink::try_from).transpose()
}

/// As [`find_by_hash`], locked until the transaction ends: people join by it one after the other.
///
/// SQLite needs no lock: it has one writer.
pub fn lock_by_hash(
    tx: &mut Tx<'_>,
    hash: &str,
    now: DateTime<Utc>,
) -> Result<Option<JoinLink>, StoreError> {
    if let Tx::Postgres(connection) = tx {
        let _: Option<JoinLinkId> = join_links::table
            .filter(join_links::hash.eq(hash))
            .select(join_links::id)
            .for_no_key_update()
            .get_result(*connection)
            .optional()?;
    }
    find_by_hash(tx, hash, now)
}

pub fn count_use(tx: &mut Tx<'_>, id: JoinLinkId) -> Result<(), StoreError> {
    later!(
        tx,
        diesel::update(join_links::table.find(id)).set(join_links::used.eq(join_links::used + 1))
    )?;
    Ok(())
}

/// The links of an organization that have not expired, oldest first; used up ones as well.
pub fn list(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    now: DateTime<Utc>,
) -> Result<Vec<JoinLink>, StoreError> {
    let rows: Vec<JoinLinkRow> = on!(tx, |conn| join_links::table
        .filter(join_links::organization_id.eq(organization_id))
        .filter(join_links::expires_at.gt(Timestamp(now)))
        .order(join_links::id)
        .select(JoinLinkRow::as_select())
        .load(conn))?;
    rows.into_iter().map(JoinLink::try_from).collect()
}

/// A link of an organization that has not expired; it may be used up.
pub fn find(
    tx: &mut Tx<'_>,
    id: JoinLinkId,
    organization_id: OrganizationId,
    now: DateTime<Utc>,
) -> Result<Option<JoinLink>, StoreError> {
    let row: Option<JoinLinkRow> = on!(tx, |conn| join_links::table
        .find(id)
        .filter(join_links::organization_id.eq(organization_id))
        .filter(join_links::expires_at.gt(Timestamp(now)))
        .select(JoinLinkRow::as_select())
        .get_result(conn)
        .optional())?;
    row.map(JoinLink::try_from).transpose()
}

pub fn set_maker(tx: &mut Tx<'_>, id: JoinLinkId, maker_id: UserId) -> Result<(), StoreError> {
    later!(
        tx,
        diesel::update(join_links::table.find(id)).set(join_links::maker_id.eq(maker_id))
    )?;
    Ok(())
}

/// How many links [`list`] would list.
pub fn count(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    now: DateTime<Utc>,
) -> Result<i64, StoreError> {
    Ok(on!(tx, |conn| join_links::table
        .filter(join_links::organization_id.eq(organization_id))
        .filter(join_links::expires_at.gt(Timestamp(now)))
        .count()
        .get_result(conn))?)
}

/// Deletes a link of an organization that has not expired; returns whether there was one.
pub fn delete(
    tx: &mut Tx<'_>,
    id: JoinLinkId,
    organization_id: OrganizationId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let deleted = on!(tx, |conn| diesel::delete(
        join_links::table
            .find(id)
            .filter(join_links::organization_id.eq(organization_id))
            .filter(join_links::expires_at.gt(Timestamp(now)))
    )
    .execute(conn))?;
    Ok(deleted == 1)
}

/// Deletes the links that a user made, in one organization or in all.
pub fn delete_made_by(
    tx: &mut Tx<'_>,
    maker_id: UserId,
    organization_id: Option<OrganizationId>,
) -> Result<(), StoreError> {
    on!(tx, |conn| {
        let mut links = diesel::delete(join_links::table)
            .filter(join_links::maker_id.eq(maker_id))
            .into_boxed();
        if let Some(organization_id) = organization_id {
            links = links.filter(join_links::organization_id.eq(organization_id));
        }
        links.execute(conn)
    })?;
    Ok(())
}

/// Deletes all links of an organization.
pub fn delete_all_of(tx: &mut Tx<'_>, organization_id: OrganizationId) -> Result<(), StoreError> {
    on!(tx, |conn| diesel::delete(
        join_links::table.filter(join_links::organization_id.eq(organization_id))
    )
    .execute(conn))?;
    Ok(())
}
