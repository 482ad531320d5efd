//! Tries a webhook.

use serde_json::json;

use crate::domain::audit::Action;
use crate::domain::{Role, WebhookEventId, WebhookId};
use crate::service::{Error, MemberCaller, Result, Services};
use crate::store::{webhook_deliveries, webhooks};

/// Sends an event that is about nobody, once; returns its id, by which it is found among the deliveries.
///
/// # Errors
/// `Forbidden` below `admin` and for a service; `WebhookNotFound`; `WebhookSwitchedOff`.
pub async fn test(
    services: &Services,
    caller: &MemberCaller,
    id: WebhookId,
) -> Result<WebhookEventId> {
    let event_id = services
        .administer(caller, None, move |unit, actor| {
            actor.session_id()?;
            actor.must_be(Role::Admin)?;
            let webhook = webhooks::find(unit.tx, id, actor.organization_id())?;
            if webhook.ok_or(Error::WebhookNotFound)?.disabled.is_some() {
                return Err(Error::WebhookSwitchedOff);
            }
            let event_id = WebhookEventId::new(unit.now, unit.random());
            webhook_deliveries::insert_test(unit.tx, event_id, id, unit.now)?;
            let event = unit.event(Action::WebhookTested).about(None);
            unit.finish(event.detail(json!({"id": id})), event_id)
        })
        .await?;
    services.store.announce_events();
    Ok(event_id)
}
