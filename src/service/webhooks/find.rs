//! Reads a webhook.

use crate::domain::{Role, Webhook, WebhookId};
use crate::service::{Error, MemberCaller, Result, Services};
use crate::store::webhooks;

/// # Errors
/// `Forbidden` below `admin`; `WebhookNotFound` also for those of other organizations.
pub async fn find(services: &Services, caller: &MemberCaller, id: WebhookId) -> Result<Webhook> {
    caller.must_be(Role::Admin)?;
    let organization_id = caller.organization.id;
    services
        .store
        .read(caller, move |tx| {
            webhooks::find(tx, id, organization_id)?.ok_or(Error::WebhookNotFound)
        })
        .await
}
