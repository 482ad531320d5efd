//! The `webhooks` table: where organizations are told what happens to their people.

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, select};
use diesel::prelude::*;

use super::schema::webhooks;
use super::totp::Sealed;
use super::types::Timestamp;
use super::{StoreError, Tx, later, on};
use crate::domain::page::PageRequest;
use crate::domain::webhook::SwitchedOff;
use crate::domain::{
    ChosenEvents, OrganizationId, UserId, Webhook, WebhookId, WebhookName, WebhookUrl,
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = webhooks)]
pub(super) struct WebhookRow {
    id: WebhookId,
    organization_id: OrganizationId,
    owner_id: UserId,
    name: Option<String>,
    url: String,
    events: Option<String>,
    created_at: Timestamp,
    failing_since: Option<Timestamp>,
    disabled_at: Option<Timestamp>,
    disabled_why: Option<String>,
}

impl TryFrom<WebhookRow> for Webhook {
    type Error = StoreError;

    fn try_from(row: WebhookRow) -> Result<Self, StoreError> {
        let url = WebhookUrl::from_stored(&row.url);
        let why = row.disabled_why.as_deref().and_then(SwitchedOff::parse);
        Ok(Self {
            id: row.id,
            organization_id: row.organization_id,
            owner_id: row.owner_id,
            name: row.name.map(WebhookName::from_stored),
            url: url.map_err(|why| StoreError::Failed(format!("webhook {}: {why}", row.id)))?,
            events: ChosenEvents::from_stored(row.events.as_deref()),
            created_at: row.created_at.0,
            failing_since: row.failing_since.map(|at| at.0),
            disabled: row.disabled_at.map(|at| at.0).zip(why),
        })
    }
}

/// The sealed secrets of a webhook, under one key.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = webhooks)]
pub struct SealedSecrets {
    pub secret: String,
    /// Signs as well until [`previous_until`](Self::previous_until).
    pub previous_secret: Option<String>,
    previous_until: Option<Timestamp>,
}

impl SealedSecrets {
    /// Those that sign now, the newest first.
    pub fn in_use(&self, now: DateTime<Utc>) -> impl Iterator<Item = &str> {
        let is_used = self.previous_until.is_some_and(|until| until.0 > now);
        let previous = self.previous_secret.as_deref().filter(|_| is_used);
        std::iter::once(&*self.secret).chain(previous)
    }
}

pub fn insert(tx: &mut Tx<'_>, webhook: &Webhook, secret: &Sealed) -> Result<(), StoreError> {
    let values = (
        webhooks::id.eq(webhook.id),
        webhooks::organization_id.eq(webhook.organization_id),
        webhooks::owner_id.eq(webhook.owner_id),
        webhooks::name.eq(webhook.name.as_ref().map(WebhookName::as_str)),
        webhooks::url.eq(webhook.url.as_str()),
        webhooks::events.eq(webhook.events.stored()),
        webhooks::secret.eq(&secret.text),
        webhooks::kid.eq(&secret.kid),
        webhooks::created_at.eq(Timestamp(webhook.created_at)),
    );
    later!(tx, diesel::insert_into(webhooks::table).values(values))?;
    Ok(())
}

pub fn find(
    tx: &mut Tx<'_>,
    id: WebhookId,
    organization_id: OrganizationId,
) -> Result<Option<Webhook>, StoreError> {
    let row: Option<WebhookRow> = on!(tx, |conn| webhooks::table
        .find(id)
        .filter(webhooks::organization_id.eq(organization_id))
        .select(WebhookRow::as_select())
        .get_result(conn)
        .optional())?;
    row.map(Webhook::try_from).transpose()
}

/// A page of an organization's webhooks, oldest first.
pub fn page(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    request: &PageRequest<WebhookId>,
) -> Result<Vec<Webhook>, StoreError> {
    let rows: Vec<WebhookRow> = on!(tx, |conn| webhooks::table
        .filter(webhooks::organization_id.eq(organization_id))
        .filter(webhooks::id.gt(request.after.unwrap_or(WebhookId::NIL)))
        .order(webhooks::id)
        .select(WebhookRow::as_select())
        .limit(request.rows())
        .load(conn))?;
    rows.into_iter().map(Webhook::try_from).collect()
}

pub fn count(tx: &mut Tx<'_>, organization_id: OrganizationId) -> Result<i64, StoreError> {
    Ok(on!(tx, |conn| webhooks::table
        .filter(webhooks::organization_id.eq(organization_id))
        .count()
        .get_result(conn))?)
}

/// Stores what may change of a webhook: all but its secrets and its organization.
pub fn update(tx: &mut Tx<'_>, webhook: &Webhook) -> Result<(), StoreError> {
    let disabled = webhook.disabled;
    later!(
        tx,
        diesel::update(webhooks::table.find(webhook.id)).set((
            webhooks::owner_id.eq(webhook.owner_id),
            webhooks::name.eq(webhook.name.as_ref().map(WebhookName::as_str)),
            webhooks::url.eq(webhook.url.as_str()),
            webhooks::events.eq(webhook.events.stored()),
            webhooks::failing_since.eq(webhook.failing_since.map(Timestamp)),
            webhooks::disabled_at.eq(disabled.map(|(at, _)| Timestamp(at))),
            webhooks::disabled_why.eq(disabled.map(|(_, why)| why.as_str())),
        ))
    )?;
    Ok(())
}

/// Deletes a webhook of an organization and what it was to be told; returns whether there was one.
pub fn delete(
    tx: &mut Tx<'_>,
    id: WebhookId,
    organization_id: OrganizationId,
) -> Result<bool, StoreError> {
    let deleted = on!(tx, |conn| diesel::delete(
        webhooks::table
            .find(id)
            .filter(webhooks::organization_id.eq(organization_id))
    )
    .execute(conn))?;
    Ok(deleted == 1)
}

/// Deletes the webhooks that a user owns, in one organization or in all.
pub fn delete_owned_by(
    tx: &mut Tx<'_>,
    owner_id: UserId,
    organization_id: Option<OrganizationId>,
) -> Result<(), StoreError> {
    on!(tx, |conn| {
        let mut owned = diesel::delete(webhooks::table)
            .filter(webhooks::owner_id.eq(owner_id))
            .into_boxed();
        if let Some(organization_id) = organization_id {
            owned = owned.filter(webhooks::organization_id.eq(organization_id));
        }
        owned.execute(conn)
    })?;
    Ok(())
}

pub fn find_secrets(tx: &mut Tx<'_>, id: WebhookId) -> Result<Option<SealedSecrets>, StoreError> {
    Ok(on!(tx, |conn| webhooks::table
        .find(id)
        .select(SealedSecrets::as_select())
        .get_result(conn)
        .optional())?)
}

/// Signs with `new` from now on, and until `previous_until` also with `previous`, which is sealed with the same key.
pub fn set_secrets(
    tx: &mut Tx<'_>,
    id: WebhookId,
    new: &Sealed,
    previous: &Sealed,
    previous_until: DateTime<Utc>,
) -> Result<(), StoreError> {
    later!(
        tx,
        diesel::update(webhooks::table.find(id)).set((
            webhooks::secret.eq(&new.text),
            webhooks::previous_secret.eq(Some(&previous.text)),
            webhooks::previous_until.eq(Some(Timestamp(previous_until))),
            webhooks::kid.eq(&new.kid),
        ))
    )?;
    Ok(())
}

/// Secrets that are sealed with another key than `kid`, of the webhooks after `after`, by id.
pub fn list_under_others(
    tx: &mut Tx<'_>,
    kid: &str,
    after: WebhookId,
    limit: i64,
) -> Result<Vec<(WebhookId, SealedSecrets)>, StoreError> {
    Ok(on!(tx, |conn| webhooks::table
        .filter(webhooks::kid.ne(kid))
        .filter(webhooks::id.gt(after))
        .order(webhooks::id)
        .select((webhooks::id, SealedSecrets::as_select()))
        .limit(limit)
        .load(conn))?)
}

/// Stores secrets that were sealed again with another key, unless they were rotated meanwhile.
pub fn reseal(
    tx: &mut Tx<'_>,
    id: WebhookId,
    old: &SealedSecrets,
    new: &Sealed,
    previous: Option<&Sealed>,
) -> Result<(), StoreError> {
    on!(tx, |conn| diesel::update(
        webhooks::table
            .find(id)
            .filter(webhooks::secret.eq(&old.secret))
    )
    .set((
        webhooks::secret.eq(&new.text),
        webhooks::previous_secret.eq(previous.map(|sealed| &sealed.text)),
        webhooks::kid.eq(&new.kid),
    ))
    .execute(conn))?;
    Ok(())
}

/// Whether one of these organizations has a webhook.
pub fn exist_in(tx: &mut Tx<'_>, organization_ids: &[OrganizationId]) -> Result<bool, StoreError> {
    Ok(on!(tx, |conn| select(exists(webhooks::table.filter(
        webhooks::organization_id.eq_any(organization_ids)
    )))
    .get_result(conn))?)
}
