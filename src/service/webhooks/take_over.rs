//! Takes a webhook over, so that it does not end with its owner's role.

use serde_json::json;

use crate::domain::audit::Action;
use crate::domain::{Role, Webhook, WebhookId};
use crate::service::{Error, MemberCaller, Result, Services};
use crate::store::webhooks;

/// Makes the caller the owner.
///
/// # Errors
/// `Forbidden` below `admin` and for a service; `ReauthenticationRequired`; `WebhookNotFound`.
pub async fn take_over(
    services: &Services,
    caller: &MemberCaller,
    id: WebhookId,
) -> Result<Webhook> {
    services
        .administer(caller, None, move |unit, actor| {
            actor.session_id()?;
            actor.must_be(Role::Admin)?;
            actor.must_be_fresh(unit.now)?;
            let before = webhooks::find(unit.tx, id, actor.organization_id())?;
            let before = before.ok_or(Error::WebhookNotFound)?;
            if before.owner_id == actor.id() {
                return unit.unrecorded(before);
            }
            let event = unit.event(Action::WebhookTakenOver).about(before.owner_id);
            let webhook = Webhook {
                owner_id: actor.id(),
                ..before
            };
            webhooks::update(unit.tx, &webhook)?;
            unit.finish(event.detail(json!({"id": id})), webhook)
        })
        .await
}
