//! Lists what a webhook was and is to be told.

use crate::domain::page::{Page, PageRequest};
use crate::domain::webhook::Delivery;
use crate::domain::{Role, WebhookEventId, WebhookId};
use crate::service::{Error, MemberCaller, Result, Services};
use crate::store::{webhook_deliveries, webhooks};

/// The newest first.
///
/// # Errors
/// `Forbidden` below `admin`; `WebhookNotFound`.
pub async fn list_deliveries(
    services: &Services,
    caller: &MemberCaller,
    id: WebhookId,
    request: PageRequest<WebhookEventId>,
) -> Result<Page<Delivery, WebhookEventId>> {
    caller.must_be(Role::Admin)?;
    let organization_id = caller.organization.id;
    let rows = services
        .store
        .read(caller, move |tx| {
            webhooks::find(tx, id, organization_id)?.ok_or(Error::WebhookNotFound)?;
            webhook_deliveries::page(tx, id, &request).map_err(Error::from)
        })
        .await?;
    Ok(Page::of(rows, &request, |delivery| delivery.id))
}
