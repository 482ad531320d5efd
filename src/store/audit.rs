//! The `audit` table.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;
use uuid::Uuid;

use super::bulk::pieces;
use super::schema::audit;
use super::types::{Id, Instant, Timestamp};
use super::{StoreError, Tx, later, on};
use crate::domain::audit::{AuditEntry, Method, Outcome, Wanted, WrittenEntry};
use crate::domain::ids::AuditId;
use crate::domain::page::PageRequest;
use crate::domain::{OrganizationId, UserId};

#[derive(QueryableByName)]
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

/// As [`insert`], of many.
pub fn insert_all(tx: &mut Tx<'_>, entries: &[AuditEntry]) -> Result<(), StoreError> {
    for piece in pieces(entries) {
        let row = |entry: &AuditEntry| {
            (
                audit::id.eq(entry.id),
                audit::at.eq(Timestamp(entry.at)),
                audit::action.eq(entry.action.as_str()),
                audit::outcome.eq(entry.outcome.as_str()),
                audit::actor_id.eq(entry.actor_id),
                audit::subject_id.eq(entry.subject_id),
                audit::organization_id.eq(entry.organization_id),
                audit::address.eq(entry.address.map(|address| address.to_string())),
                audit::request_id.eq(entry.request_id.clone()),
                audit::method.eq(entry.method.map(Method::as_str)),
                audit::reason.eq(entry.reason),
                audit::device.eq(entry.device.clone()),
                audit::detail.eq(entry.detail.clone()),
            )
        };
        let rows: Vec<_> = piece.iter().map(row).collect();
        on!(tx, |conn| diesel::insert_into(audit::table)
            .values(&rows)
            .execute(conn))?;
    }
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
            // Of an expression there is no index: what the user did since is found by the user.
            .filter(audit::outcome.concat("").eq(group.outcome.as_str()))
            .filter(audit::action.concat("").eq_any(group.actions))
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

/// A parameter.
enum Value<'a> {
    /// Ids of all kinds are stored alike.
    Id(Uuid),
    Text(&'a str),
    Time(DateTime<Utc>),
}

/// The index that a page is read from.
struct Index {
    /// Its first column, if the ordered one is the second.
    equal: Option<&'static str>,
    /// Its column before the id.
    ordered: &'static str,
}

impl Index {
    fn of(wanted: &Wanted) -> Self {
        let by = |equal, ordered| Self { equal, ordered };
        // A person has the fewest entries, and an action fewer than an outcome.
        if wanted.actor_id.is_some() {
            by(None, "actor_id")
        } else if wanted.subject_id.is_some() {
            by(None, "subject_id")
        } else if wanted.action.is_some() {
            by(Some("organization_id"), "action")
        } else if wanted.outcome.is_some() {
            by(Some("organization_id"), "outcome")
        } else {
            by(None, "organization_id")
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Sqlite,
    Postgres,
}

/// The statement that reads a page, and its parameters.
///
/// It leaves one index to a planner, which may think that the newest entries of everybody lead to the page sooner, or
/// that another filter leaves fewer. The filters besides the index's are expressions, of which there is no index.
/// PostgreSQL is asked for a range of the index's last column and the id together, in their order, which no other index
/// has.
fn page_query<'a>(
    organization_id: OrganizationId,
    wanted: &'a Wanted,
    request: &PageRequest<AuditId>,
    dialect: Dialect,
) -> (String, Vec<Value<'a>>) {
    let outcome = wanted.outcome.map(Outcome::as_str);
    let filters = [
        ("organization_id", Some(Value::Id(organization_id.0))),
        ("actor_id", wanted.actor_id.map(|id| Value::Id(id.0))),
        ("subject_id", wanted.subject_id.map(|id| Value::Id(id.0))),
        ("action", wanted.action.as_deref().map(Value::Text)),
        ("outcome", outcome.map(Value::Text)),
    ];
    let Index { equal, ordered } = Index::of(wanted);
    let (mut conditions, mut values, mut last) = (Vec::new(), Vec::new(), String::new());
    for (column, value) in filters {
        let Some(value) = value else {
            continue;
        };
        values.push(value);
        let parameter = format!("${}", values.len());
        let is_ordered = column == ordered;
        match dialect {
            Dialect::Postgres if is_ordered => last = parameter,
            _ if is_ordered || equal == Some(column) => {
                conditions.push(format!("{column} = {parameter}"));
            }
            Dialect::Sqlite => conditions.push(format!("+{column} = {parameter}")),
            Dialect::Postgres => {
                conditions.push(format!("coalesce({column} = {parameter}, false)"));
            }
        }
    }
    // An id begins with the millisecond of its entry, so a range of times is a range of ids.
    let id_at = |time| AuditId::new(time, [0; 10]).0;
    let first = wanted.from.map_or(Uuid::nil(), id_at);
    let ends = [
        request.after.map(|id| id.0),
        wanted.to.map(|to| id_at(to + TimeDelta::milliseconds(1))),
    ];
    let end = ends.into_iter().flatten().min().unwrap_or(Uuid::max());
    for (comparison, id) in [(">=", first), ("<", end)] {
        values.push(Value::Id(id));
        let parameter = format!("${}", values.len());
        conditions.push(match dialect {
            Dialect::Sqlite => format!("id {comparison} {parameter}"),
            Dialect::Postgres => format!("({ordered}, id) {comparison} ({last}, {parameter})"),
        });
    }
    for (comparison, time) in [(">=", wanted.from), ("<", wanted.to)] {
        if let Some(time) = time {
            values.push(Value::Time(time));
            conditions.push(format!("at {comparison} ${}", values.len()));
        }
    }
    let order = match dialect {
        Dialect::Sqlite => String::new(),
        Dialect::Postgres => format!("{ordered} desc, "),
    };
    let query = format!(
        "select id, at, action, outcome, actor_id, subject_id, address, request_id from audit
         where {} order by {order}id desc limit {}",
        conditions.join(" and "),
        request.rows()
    );
    (query, values)
}

/// Runs a statement of [`page_query`].
macro_rules! load {
    ($connection:expr, $sql:expr, $values:expr) => {{
        let mut query = sql_query($sql).into_boxed();
        for value in $values {
            query = match value {
                Value::Id(id) => query.bind::<Id, _>(AuditId(id)),
                Value::Text(text) => query.bind::<Text, _>(text),
                Value::Time(time) => query.bind::<Instant, _>(Timestamp(time)),
            };
        }
        query.load::<AuditRow>($connection)
    }};
}

/// The entries of an organization that match a filter, newest first.
pub fn page(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    wanted: &Wanted,
    request: &PageRequest<AuditId>,
) -> Result<Vec<WrittenEntry>, StoreError> {
    let query = |dialect| page_query(organization_id, wanted, request, dialect);
    let rows = match tx {
        Tx::Sqlite(connection) => {
            let (sql, values) = query(Dialect::Sqlite);
            // There, `$1` would be a name.
            load!(*connection, sql.replace('$', "?"), values)
        }
        Tx::Postgres(connection) => {
            let (sql, values) = query(Dialect::Postgres);
            load!(*connection, sql, values)
        }
    }?;
    Ok(rows.into_iter().map(WrittenEntry::from).collect())
}
