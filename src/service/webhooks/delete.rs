//! Deletes a webhook.

use serde_json::json;

use crate::domain::audit::Action;
use crate::domain::{Role, WebhookId};
use crate::service::{Error, MemberCaller, Result, Services};
use crate::store::webhooks;

/// With what it was still to be told.
///
/// # Errors
/// `Forbidden` below `admin` and for a service; `WebhookNotFound`.
pub async fn delete(services: &Services, caller: &MemberCaller, id: WebhookId) -> Result<()> {
    services
        .administer(caller, None, move |unit, actor| {
            actor.session_id()?;
            actor.must_be(Role::Admin)?;
            if !webhooks::delete(unit.tx, id, actor.organization_id())? {
                return Err(Error::WebhookNotFound);
            }
            let event = unit.event(Action::WebhookDeleted).about(None);
            unit.finish(event.detail(json!({"id": id})), ())
        })
        .await
}
