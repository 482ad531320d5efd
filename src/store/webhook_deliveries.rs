//! The `webhook_deliveries` table: what webhooks are to be told, and how that went.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Nullable, Text};

use super::outbox::Backlog;
use super::schema::{webhook_deliveries as deliveries, webhooks};
use super::types::{Id, Instant, Timestamp};
use super::webhooks::{SealedSecrets, WebhookRow};
use super::{StoreError, Tx, later, on};
use crate::domain::page::PageRequest;
use crate::domain::webhook::{Delivery, DeliveryState};
use crate::domain::webhook_event::{EndedSessions, EventType, Happened, PersonThen};
use crate::domain::{OrganizationId, SessionId, UserId, Webhook, WebhookEventId, WebhookId};

/// Writes what happened for every enabled webhook that is to be told of it, in statements whose results nobody waits for.
/// Call it at the end of a transaction, when the person and their memberships are as they will be.
///
/// `left` are the organizations that the person belonged to before.
pub fn announce(
    tx: &mut Tx<'_>,
    id: WebhookEventId,
    happened: Happened,
    left: &[OrganizationId],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    match happened {
        Happened::Member(_, _, organization_id) => {
            write(tx, id, happened, Some(organization_id), now)
        }
        Happened::User(..) | Happened::SessionsEnded(..) => {
            write(tx, id, happened, None, now)?;
            for organization_id in left {
                write(tx, id, happened, Some(*organization_id), now)?;
            }
            Ok(())
        }
    }
}

/// For the webhooks of one organization, or of all that the person belongs to.
fn write(
    tx: &mut Tx<'_>,
    id: WebhookEventId,
    happened: Happened,
    organization_id: Option<OrganizationId>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (one, kept) = match happened {
        Happened::SessionsEnded(_, EndedSessions::One(id)) => (Some(id), None),
        Happened::SessionsEnded(_, EndedSessions::AllBut(id)) => (None, Some(id)),
        _ => (None, None),
    };
    let query = sql_query(insertion(tx, organization_id.is_some()))
        .bind::<Id, _>(id)
        .bind::<Text, _>(happened.event().as_str())
        .bind::<Instant, _>(Timestamp(now))
        .bind::<Id, _>(happened.user_id())
        .bind::<Nullable<Id>, _>(one)
        .bind::<Nullable<Id>, _>(kept)
        .bind::<Text, _>(format!("%,{},%", happened.event()));
    match organization_id {
        Some(organization_id) => later!(tx, query.bind::<Id, _>(organization_id))?,
        None => later!(tx, query)?,
    }
    if happened.replaces_earlier() {
        delete_replaced(tx, id, happened, organization_id)?;
    }
    Ok(())
}

/// Deletes what no worker has tried to deliver yet and a new event of the same kind about the same person replaces, so that
/// whoever repeats an act fills no table while a receiver is slow. After the new one was inserted, which locks the webhook:
/// a deletion of the webhook locks both in this order.
fn delete_replaced(
    tx: &mut Tx<'_>,
    new: WebhookEventId,
    happened: Happened,
    organization_id: Option<OrganizationId>,
) -> Result<(), StoreError> {
    let theirs = match organization_id {
        Some(_) => "organization_id = $4",
        None => "organization_id in (select organization_id from memberships where user_id = $1)",
    };
    let query = sql_query(format!(
        "delete from webhook_deliveries
         where user_id = $1 and event = $2 and id <> $3 and attempts = 0 and next_attempt_at is not null
             and webhook_id in (select id from webhooks where {theirs})"
    ));
    let query = query
        .bind::<Id, _>(happened.user_id())
        .bind::<Text, _>(happened.event().as_str())
        .bind::<Id, _>(new);
    match organization_id {
        Some(organization_id) => later!(tx, query.bind::<Id, _>(organization_id))?,
        None => later!(tx, query)?,
    }
    Ok(())
}

/// One statement, so that an act costs no round trip. The webhook is locked on PostgreSQL, because a deletion at the same
/// time would fail the act otherwise.
fn insertion(tx: &Tx<'_>, in_one: bool) -> String {
    let (object, manager, lock) = match tx {
        Tx::Sqlite(_) => (
            "json_object",
            "case when m.manager_id is not null then hex(m.manager_id) end",
            "",
        ),
        Tx::Postgres(_) => ("json_build_object", "m.manager_id", "for key share of w"),
    };
    let (from, of) = if in_one {
        (
            "webhooks w left join memberships m on m.user_id = $4 and m.organization_id = w.organization_id",
            "w.organization_id = $8",
        )
    } else {
        (
            "memberships m join webhooks w on w.organization_id = m.organization_id",
            "m.user_id = $4",
        )
    };
    // The numbers of parameters are those in which SQLite meets them.
    format!(
        "insert into webhook_deliveries (
             id, webhook_id, event, at, user_id, session_id, kept_session_id, attempts, next_attempt_at, person
         )
         select $1, w.id, $2, $3, $4, $5, $6, 0, $3,
             case when u.id is not null then cast({object}(
                 'email', u.email, 'emailVerified', u.email_verified_at is not null, 'name', u.name,
                 'disabled', u.disabled_at is not null, 'role', m.role, 'managerId', {manager}
             ) as text) end
         from {from} left join users u on u.id = $4 and u.deleted_at is null
         where w.disabled_at is null and (w.events is null or w.events like $7) and {of}
         {lock}
         on conflict (webhook_id, id) do nothing"
    )
}

/// Writes an event for one webhook that is about nobody.
pub fn insert_test(
    tx: &mut Tx<'_>,
    id: WebhookEventId,
    webhook_id: WebhookId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let values = (
        deliveries::id.eq(id),
        deliveries::webhook_id.eq(webhook_id),
        deliveries::event.eq(EventType::Test.as_str()),
        deliveries::at.eq(Timestamp(now)),
        deliveries::attempts.eq(0),
        deliveries::next_attempt_at.eq(Timestamp(now)),
    );
    later!(tx, diesel::insert_into(deliveries::table).values(values))?;
    Ok(())
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = deliveries)]
struct DeliveryRow {
    id: WebhookEventId,
    event: String,
    at: Timestamp,
    attempts: i32,
    next_attempt_at: Option<Timestamp>,
    last_status: Option<i32>,
    last_error: Option<String>,
    delivered_at: Option<Timestamp>,
    given_up_at: Option<Timestamp>,
}

impl From<DeliveryRow> for Delivery {
    fn from(row: DeliveryRow) -> Self {
        let state = match (row.delivered_at, row.given_up_at, row.next_attempt_at) {
            (Some(at), _, _) => DeliveryState::Delivered(at.0),
            (None, Some(at), _) => DeliveryState::GivenUp(at.0),
            (None, None, next) => DeliveryState::Waiting {
                next_attempt_at: next.unwrap_or(row.at).0,
            },
        };
        Self {
            id: row.id,
            event: row.event,
            at: row.at.0,
            state,
            attempts: row.attempts,
            last_status: row.last_status,
            last_error: row.last_error,
        }
    }
}

/// A page of what a webhook was and is to be told, the newest first.
pub fn page(
    tx: &mut Tx<'_>,
    webhook_id: WebhookId,
    request: &PageRequest<WebhookEventId>,
) -> Result<Vec<Delivery>, StoreError> {
    let rows: Vec<DeliveryRow> = on!(tx, |conn| {
        let mut query = deliveries::table
            .filter(deliveries::webhook_id.eq(webhook_id))
            .order(deliveries::id.desc())
            .select(DeliveryRow::as_select())
            .limit(request.rows())
            .into_boxed();
        if let Some(after) = request.after {
            query = query.filter(deliveries::id.lt(after));
        }
        query.load(conn)
    })?;
    Ok(rows.into_iter().map(Delivery::from).collect())
}

/// A webhook with something to be sent.
#[derive(QueryableByName)]
struct DueRow {
    #[diesel(sql_type = Id)]
    webhook_id: WebhookId,
}

/// Webhooks that are to be told something now, by id. Each costs a few steps in an index, however much it is to be told.
pub fn list_due(tx: &mut Tx<'_>, now: DateTime<Utc>) -> Result<Vec<WebhookId>, StoreError> {
    let query = "with recursive waiting (webhook_id) as (
             select * from (
                 select webhook_id from webhook_deliveries where next_attempt_at is not null
                 order by webhook_id limit 1
             ) as first
             union all
             select (
                 select d.webhook_id from webhook_deliveries d
                 where d.next_attempt_at is not null and d.webhook_id > waiting.webhook_id
                 order by d.webhook_id limit 1
             ) from waiting where waiting.webhook_id is not null
         )
         select webhook_id from waiting where webhook_id is not null and exists (
             select 1 from webhook_deliveries d
             where d.webhook_id = waiting.webhook_id and d.next_attempt_at <= $1
         )";
    let rows: Vec<DueRow> = on!(tx, |conn| sql_query(query)
        .bind::<Instant, _>(Timestamp(now))
        .load(conn))?;
    Ok(rows.into_iter().map(|row| row.webhook_id).collect())
}

/// An event that is leased to a worker.
#[derive(Debug, Clone)]
pub struct DueEvent {
    pub id: WebhookEventId,
    pub webhook_id: WebhookId,
    pub event: String,
    pub at: DateTime<Utc>,
    pub user_id: Option<UserId>,
    pub sessions: EndedSessions,
    pub person: Option<PersonThen>,
    /// Including this one.
    pub attempts: i32,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = deliveries)]
struct DueEventRow {
    id: WebhookEventId,
    webhook_id: WebhookId,
    event: String,
    at: Timestamp,
    user_id: Option<UserId>,
    session_id: Option<SessionId>,
    kept_session_id: Option<SessionId>,
    person: Option<String>,
    attempts: i32,
}

impl TryFrom<DueEventRow> for DueEvent {
    type Error = StoreError;

    fn try_from(row: DueEventRow) -> Result<Self, StoreError> {
        let person = row
            .person
            .as_deref()
            .map(serde_json::from_str::<PersonThen>);
        Ok(Self {
            id: row.id,
            webhook_id: row.webhook_id,
            event: row.event,
            at: row.at.0,
            user_id: row.user_id,
            sessions: match (row.session_id, row.kept_session_id) {
                (Some(id), _) => EndedSessions::One(id),
                (None, Some(id)) => EndedSessions::AllBut(id),
                (None, None) => EndedSessions::All,
            },
            person: person
                .transpose()
                .map_err(|error| StoreError::Failed(format!("event {}: {error}", row.id)))?,
            attempts: row.attempts.saturating_add(1),
        })
    }
}

/// A webhook, how to sign for it, and some of what it is to be told.
pub struct Claimed {
    pub webhook: Webhook,
    pub secrets: SealedSecrets,
    pub events: Vec<DueEvent>,
}

/// The query of events of a webhook that are due.
macro_rules! due {
    ($webhook_id:expr, $now:expr, $limit:expr) => {
        deliveries::table
            .filter(deliveries::webhook_id.eq($webhook_id))
            .filter(deliveries::next_attempt_at.le(Timestamp($now)))
            .order(deliveries::next_attempt_at)
            .select(DueEventRow::as_select())
            .limit($limit)
    };
}

/// Leases at most `limit` events of a webhook to the caller until `lease_ends`, those first that have been due for
/// longest. What a webhook that is switched off was to be told is given up.
///
/// On PostgreSQL, instances skip events that another one is leasing; SQLite has one writer.
pub fn claim(
    tx: &mut Tx<'_>,
    webhook_id: WebhookId,
    limit: usize,
    now: DateTime<Utc>,
    lease_ends: DateTime<Utc>,
) -> Result<Option<Claimed>, StoreError> {
    let found: Option<(WebhookRow, SealedSecrets)> = on!(tx, |conn| webhooks::table
        .find(webhook_id)
        .select((WebhookRow::as_select(), SealedSecrets::as_select()))
        .get_result(conn)
        .optional())?;
    let Some((webhook, secrets)) = found else {
        return Ok(None);
    };
    let webhook = Webhook::try_from(webhook)?;
    if webhook.disabled.is_some() {
        give_up_waiting(tx, webhook_id, now)?;
        return Ok(None);
    }
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows: Vec<DueEventRow> = match tx {
        Tx::Sqlite(connection) => due!(webhook_id, now, limit).load(*connection)?,
        Tx::Postgres(connection) => due!(webhook_id, now, limit)
            .for_update()
            .skip_locked()
            .load(*connection)?,
    };
    let events: Vec<DueEvent> = rows
        .into_iter()
        .map(DueEvent::try_from)
        .collect::<Result<_, _>>()?;
    for due in &events {
        later!(
            tx,
            diesel::update(deliveries::table.find((webhook_id, due.id))).set((
                deliveries::attempts.eq(due.attempts),
                deliveries::next_attempt_at.eq(Timestamp(lease_ends)),
            ))
        )?;
    }
    Ok(Some(Claimed {
        webhook,
        secrets,
        events,
    }))
}

/// Marks an event as delivered and deletes what it said; its webhook is not failing any more.
pub fn mark_delivered(
    tx: &mut Tx<'_>,
    due: &DueEvent,
    status: u16,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    // The webhook before the event, as a deletion locks them.
    later!(
        tx,
        diesel::update(
            webhooks::table
                .find(due.webhook_id)
                .filter(webhooks::failing_since.is_not_null())
        )
        .set(webhooks::failing_since.eq(None::<Timestamp>))
    )?;
    later!(
        tx,
        diesel::update(deliveries::table.find((due.webhook_id, due.id))).set((
            deliveries::delivered_at.eq(Some(Timestamp(now))),
            deliveries::given_up_at.eq(None::<Timestamp>),
            deliveries::next_attempt_at.eq(None::<Timestamp>),
            deliveries::person.eq(None::<String>),
            deliveries::last_status.eq(Some(i32::from(status))),
            deliveries::last_error.eq(None::<String>),
        ))
    )?;
    Ok(())
}

/// What came of an attempt that failed.
#[derive(Debug, Clone, Copy)]
pub struct Failed {
    pub status: Option<u16>,
    pub why: &'static str,
    /// `None` to give the event up.
    pub next_attempt_at: Option<DateTime<Utc>>,
}

/// Stores that an attempt failed, unless another worker has made one since.
pub fn mark_failed(
    tx: &mut Tx<'_>,
    due: &DueEvent,
    failed: Failed,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    // The webhook before the event, as a deletion locks them.
    later!(
        tx,
        diesel::update(
            webhooks::table
                .find(due.webhook_id)
                .filter(webhooks::failing_since.is_null())
        )
        .set(webhooks::failing_since.eq(Some(Timestamp(now))))
    )?;
    let tried = deliveries::table
        .find((due.webhook_id, due.id))
        .filter(deliveries::attempts.eq(due.attempts))
        .filter(deliveries::next_attempt_at.is_not_null());
    let result = (
        deliveries::last_status.eq(failed.status.map(i32::from)),
        deliveries::last_error.eq(Some(failed.why)),
        deliveries::next_attempt_at.eq(failed.next_attempt_at.map(Timestamp)),
    );
    match failed.next_attempt_at {
        Some(_) => later!(tx, diesel::update(tried).set(result))?,
        None => later!(
            tx,
            diesel::update(tried).set((
                result,
                deliveries::given_up_at.eq(Some(Timestamp(now))),
                deliveries::person.eq(None::<String>),
            ))
        )?,
    }
    Ok(())
}

/// Gives up what a webhook was still to be told.
pub fn give_up_waiting(
    tx: &mut Tx<'_>,
    webhook_id: WebhookId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    later!(
        tx,
        diesel::update(
            deliveries::table
                .filter(deliveries::webhook_id.eq(webhook_id))
                .filter(deliveries::next_attempt_at.is_not_null())
        )
        .set((
            deliveries::given_up_at.eq(Some(Timestamp(now))),
            deliveries::next_attempt_at.eq(None::<Timestamp>),
            deliveries::person.eq(None::<String>),
            deliveries::last_error.eq(Some("switched_off")),
        ))
    )?;
    Ok(())
}

/// Deletes what has been delivered or given up of a webhook, except the `kept` newest.
pub fn trim(tx: &mut Tx<'_>, webhook_id: WebhookId, kept: u16) -> Result<(), StoreError> {
    let newest_of_rest: Option<WebhookEventId> = on!(tx, |conn| deliveries::table
        .filter(deliveries::webhook_id.eq(webhook_id))
        .filter(deliveries::next_attempt_at.is_null())
        .order(deliveries::id.desc())
        .select(deliveries::id)
        .offset(kept.into())
        .limit(1)
        .get_result(conn)
        .optional())?;
    let Some(newest_of_rest) = newest_of_rest else {
        return Ok(());
    };
    later!(
        tx,
        diesel::delete(
            deliveries::table
                .filter(deliveries::webhook_id.eq(webhook_id))
                .filter(deliveries::next_attempt_at.is_null())
                .filter(deliveries::id.le(newest_of_rest))
        )
    )?;
    Ok(())
}

/// Deletes all events about a person, delivered or not.
pub fn delete_about(tx: &mut Tx<'_>, user_id: UserId) -> Result<(), StoreError> {
    later!(
        tx,
        diesel::delete(deliveries::table.filter(deliveries::user_id.eq(user_id)))
    )?;
    Ok(())
}

/// The events to be delivered, and those that were given up.
pub fn backlog(tx: &mut Tx<'_>) -> Result<Backlog, StoreError> {
    let waits = deliveries::next_attempt_at.is_not_null();
    let waiting = on!(tx, |conn| deliveries::table
        .filter(waits)
        .count()
        .get_result(conn))?;
    let oldest: Option<Timestamp> = on!(tx, |conn| deliveries::table
        .filter(waits)
        .order(deliveries::at)
        .select(deliveries::at)
        .limit(1)
        .get_result(conn)
        .optional())?;
    let given_up = on!(tx, |conn| deliveries::table
        .filter(deliveries::given_up_at.is_not_null())
        .count()
        .get_result(conn))?;
    Ok(Backlog {
        waiting,
        oldest: oldest.map(|at| at.0),
        given_up,
    })
}
