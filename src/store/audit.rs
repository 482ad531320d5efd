//! The `audit` table.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;

use super::schema::audit;
use super::types::Timestamp;
use super::{StoreError, Tx, later, on};
use crate::domain::audit::{AuditEntry, Method, Outcome, Wanted, WrittenEntry};
use crate::domain::ids::AuditId;
use crate::domain::page::PageRequest;
use crate::domain::{OrganizationId, UserId};

#[derive(Queryable, Selectable)]
#[diesel(table_name = audit)]
struct AuditRow {
    id: AuditId,
    at: Timestamp,
    action: String,
    outcome: String,
    actor_id: Option<UserId>,
    subject_id: Option<UserId>,
    address: Option<String>,
    request_id: String,
}

impl From<AuditRow> for WrittenEntry {
    fn from(row: AuditRow) -> Self {
        Self {
            id: row.id,
            at: row.at.0,
            action: row.action,
            outcome: row.outcome,
            actor_id: row.actor_id,
            subject_id: row.subject_id,
            address: row.address,
            request_id: row.request_id,
        }
    }
}

pub fn insert(tx: &mut Tx<'_>, entry: &AuditEntry) -> Result<(), StoreError> {
    let values = (
        audit::id.eq(entry.id),
        audit::at.eq(Timestamp(entry.at)),
        audit::action.eq(entry.action.as_str()),
        audit::outcome.eq(entry.outcome.as_str()),
        audit::actor_id.eq(entry.actor_id),
        audit::subject_id.eq(entry.subject_id),
        audit::organization_id.eq(entry.organization_id),
        audit::address.eq(entry.address.map(|address| address.to_string())),
        audit::request_id.eq(&entry.request_id),
        audit::method.eq(entry.method.map(Method::as_str)),
        audit::reason.eq(entry.reason),
        audit::device.eq(entry.device.as_deref()),
        audit::detail.eq(entry.detail.as_deref()),
    );
    later!(tx, diesel::insert_into(audit::table).values(&values))?;
    Ok(())
}

/// Removes address and device from at most `limit` rows of what a user did, and as many of what somebody unknown did to
/// them, such as a refused sign-in, who may have been themselves. Returns from how many.
pub fn remove_origins(tx: &mut Tx<'_>, user_id: UserId, limit: u32) -> Result<usize, StoreError> {
    let mut ids: Vec<AuditId> = on!(tx, |conn| audit::table
        .filter(audit::actor_id.eq(user_id))
        .filter(audit::address.is_not_null().or(audit::device.is_not_null()))
        .select(audit::id)
        .limit(limit.into())
        .load(conn))?;
    let by_unknown: Vec<AuditId> = on!(tx, |conn| audit::table
        .filter(audit::subject_id.eq(user_id))
        .filter(audit::actor_id.is_null())
        .filter(audit::address.is_not_null().or(audit::device.is_not_null()))
        .select(audit::id)
        .limit(limit.into())
        .load(conn))?;
    ids.extend(by_unknown);
    Ok(on!(tx, |conn| diesel::update(
        audit::table.filter(audit::id.eq_any(&ids))
    )
    .set((
        audit::address.eq(None::<&str>),
        audit::device.eq(None::<&str>)
    ))
    .execute(conn))?)
}

/// Rows of a user in an organization since a time that are counted together.
pub struct Group<'a> {
    pub actor_id: UserId,
    pub organization_id: Option<OrganizationId>,
    pub since: DateTime<Utc>,
    pub outcome: Outcome,
    pub actions: &'a [&'static str],
    /// Only those about this user, or about none.
    pub subject_id: Option<Option<UserId>>,
}

/// Runs `$body` with the rows of a group; each index begins with what they are filtered by.
macro_rules! of_group {
    ($group:expr, |$rows:ident| $body:expr) => {{
        let group: &Group<'_> = $group;
        let mut $rows = audit::table
            .filter(audit::actor_id.eq(group.actor_id))
            .filter(audit::id.ge(AuditId::new(group.since, [0; 10])))
            .filter(audit::outcome.eq(group.outcome.as_str()))
            .filter(audit::action.eq_any(group.actions))
            .into_boxed();
        $rows = match group.organization_id {
            Some(id) => $rows.filter(audit::organization_id.eq(id)),
            None => $rows.filter(audit::organization_id.is_null()),
        };
        $rows = match group.subject_id {
            Some(Some(id)) => $rows.filter(audit::subject_id.eq(id)),
            Some(None) => $rows.filter(audit::subject_id.is_null()),
            None => $rows,
        };
        $body
    }};
}

pub fn count_group(tx: &mut Tx<'_>, group: &Group<'_>) -> Result<usize, StoreError> {
    let count: i64 = on!(tx, |conn| of_group!(group, |rows| rows
        .count()
        .get_result(conn)))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// How many rows a user has written since a time, in whatever organization; at most `limit` are counted.
pub fn count_since(
    tx: &mut Tx<'_>,
    actor_id: UserId,
    since: DateTime<Utc>,
    limit: usize,
) -> Result<usize, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows: Vec<AuditId> = on!(tx, |conn| audit::table
        .filter(audit::actor_id.eq(actor_id))
        .filter(audit::id.ge(AuditId::new(since, [0; 10])))
        .select(audit::id)
        .limit(limit)
        .load(conn))?;
    Ok(rows.len())
}

/// Ids and details of the rows.
pub fn list_details(
    tx: &mut Tx<'_>,
    group: &Group<'_>,
) -> Result<Vec<(AuditId, Option<String>)>, StoreError> {
    Ok(on!(tx, |conn| of_group!(group, |rows| rows
        .select((audit::id, audit::detail))
        .load(conn)))?)
}

pub fn set_detail(tx: &mut Tx<'_>, id: AuditId, detail: &str) -> Result<(), StoreError> {
    later!(
        tx,
        diesel::update(audit::table.find(id)).set(audit::detail.eq(Some(detail)))
    )?;
    Ok(())
}

/// The entries of an organization that match a filter, newest first.
pub fn page(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    wanted: &Wanted,
    request: &PageRequest<AuditId>,
) -> Result<Vec<WrittenEntry>, StoreError> {
    let rows: Vec<AuditRow> = on!(tx, |conn| {
        let mut query = audit::table
            .filter(audit::organization_id.eq(organization_id))
            .order(audit::id.desc())
            .limit(request.rows())
            .select(AuditRow::as_select())
            .into_boxed();
        if let Some(before) = request.after {
            query = query.filter(audit::id.lt(before));
        }
        if let Some(action) = &wanted.action {
            query = query.filter(audit::action.eq(action));
        }
        if let Some(outcome) = wanted.outcome {
            query = query.filter(audit::outcome.eq(outcome.as_str()));
        }
        if let Some(actor_id) = wanted.actor_id {
            query = query.filter(audit::actor_id.eq(actor_id));
        }
        if let Some(subject_id) = wanted.subject_id {
            query = query.filter(audit::subject_id.eq(subject_id));
        }
        // An id begins with the millisecond of its entry, so a range of times is a range of ids.
        if let Some(from) = wanted.from {
            query = query
                .filter(audit::id.ge(AuditId::new(from, [0; 10])))
                .filter(audit::at.ge(Timestamp(from)));
        }
        if let Some(to) = wanted.to {
            let next_millisecond = to + TimeDelta::milliseconds(1);
            query = query
                .filter(audit::id.lt(AuditId::new(next_millisecond, [0; 10])))
                .filter(audit::at.lt(Timestamp(to)));
        }
        query.load(conn)
    })?;
    Ok(rows.into_iter().map(WrittenEntry::from).collect())
}
