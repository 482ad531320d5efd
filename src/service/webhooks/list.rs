//! Lists webhooks.

use crate::domain::page::{Page, PageRequest};
use crate::domain::{Role, Webhook, WebhookId};
use crate::service::{Error, MemberCaller, Result, Services};
use crate::store::webhooks;

/// Those of the caller's organization, oldest first.
///
/// # Errors
/// `Forbidden` below `admin`.
pub async fn list(
    services: &Services,
    caller: &MemberCaller,
    request: PageRequest<WebhookId>,
) -> Result<Page<Webhook, WebhookId>> {
    caller.must_be(Role::Admin)?;
    let organization_id = caller.organization.id;
    let rows = services
        .store
        .read(caller, move |tx| {
            webhooks::page(tx, organization_id, &request).map_err(Error::from)
        })
        .await?;
    Ok(Page::of(rows, &request, |webhook| webhook.id))
}
