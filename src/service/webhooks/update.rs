//! Changes a webhook.

use serde_json::json;

use crate::domain::audit::Action;
use crate::domain::webhook::SwitchedOff;
use crate::domain::{ChosenEvents, Role, Webhook, WebhookId, WebhookName, WebhookUrl};
use crate::service::webhooks::admissible::must_be_admissible;
use crate::service::{Error, MemberCaller, Result, Services};
use crate::store::{webhook_deliveries, webhooks};

/// What to change; `None` leaves it as it is.
pub struct UpdateWebhook {
    pub url: Option<WebhookUrl>,
    pub events: Option<ChosenEvents>,
    /// `Some(None)` removes the name.
    pub name: Option<Option<WebhookName>>,
    pub enabled: Option<bool>,
}

/// Changes all or nothing. What a webhook was still to be told when it is switched off is given up.
///
/// # Errors
/// `Forbidden` below `admin` and for a service; `ReauthenticationRequired`; `Invalid` for a URL that is not allowed;
/// `WebhookNotFound`.
pub async fn update(
    services: &Services,
    caller: &MemberCaller,
    id: WebhookId,
    update: UpdateWebhook,
) -> Result<Webhook> {
    caller.session_id()?;
    caller.must_be(Role::Admin)?;
    if let Some(url) = &update.url {
        must_be_admissible(services, url).await?;
    }
    services
        .administer(caller, None, move |unit, actor| {
            actor.must_be(Role::Admin)?;
            actor.must_be_fresh(unit.now)?;
            let before = webhooks::find(unit.tx, id, actor.organization_id())?;
            let before = before.ok_or(Error::WebhookNotFound)?;
            let mut after = before.clone();
            after.url = update.url.unwrap_or(after.url);
            after.events = update.events.unwrap_or(after.events);
            after.name = update.name.unwrap_or(after.name);
            match update.enabled {
                Some(true) if before.disabled.is_some() => {
                    (after.disabled, after.failing_since) = (None, None);
                }
                Some(false) if before.disabled.is_none() => {
                    after.disabled = Some((unit.now, SwitchedOff::ByAnAdmin));
                }
                Some(_) | None => {}
            }
            if after == before {
                return unit.unrecorded(after);
            }
            webhooks::update(unit.tx, &after)?;
            if after.disabled.is_some() {
                webhook_deliveries::give_up_waiting(unit.tx, id, unit.now)?;
            }
            let event = unit.event(Action::WebhookUpdated).about(None);
            let event = event.detail(json!({
                "id": id,
                "host": after.url.url().host_str(),
                "events": after.events.names(),
                "enabled": after.disabled.is_none(),
            }));
            unit.finish(event, after)
        })
        .await
}
