//! Creates a webhook.

use serde_json::json;

use crate::crypto::webhook_signature::WebhookSecret;
use crate::domain::audit::Action;
use crate::domain::webhook::MAX_WEBHOOKS;
use crate::domain::{ChosenEvents, Role, Webhook, WebhookId, WebhookName, WebhookUrl};
use crate::service::webhooks::admissible::must_be_admissible;
use crate::service::webhooks::secret;
use crate::service::{Error, MemberCaller, Result, Services};
use crate::store::webhooks;

pub struct CreateWebhook {
    pub url: WebhookUrl,
    pub events: ChosenEvents,
    pub name: Option<WebhookName>,
}

/// A webhook and its secret, which is not shown again.
pub struct CreatedWebhook {
    pub webhook: Webhook,
    pub secret: WebhookSecret,
}

/// # Errors
/// `Forbidden` below `admin` and for a service; `ReauthenticationRequired`; `Invalid` for a URL that is not allowed;
/// `TooManyWebhooks`.
pub async fn create(
    services: &Services,
    caller: &MemberCaller,
    create: CreateWebhook,
) -> Result<CreatedWebhook> {
    caller.session_id()?;
    caller.must_be(Role::Admin)?;
    must_be_admissible(services, &create.url).await?;
    services
        .administer(caller, None, move |unit, actor| {
            actor.must_be(Role::Admin)?;
            actor.must_be_fresh(unit.now)?;
            let organization_id = actor.organization_id();
            // The organization is locked, so concurrent requests cannot exceed the limit.
            if webhooks::count(unit.tx, organization_id)? >= MAX_WEBHOOKS {
                return Err(Error::TooManyWebhooks);
            }
            let secret = WebhookSecret::new(unit.random());
            let webhook = Webhook {
                id: WebhookId::new(unit.now, unit.random()),
                organization_id,
                owner_id: actor.id(),
                name: create.name,
                url: create.url,
                events: create.events,
                created_at: unit.now,
                failing_since: None,
                disabled: None,
            };
            let sealed = secret::seal(&secret, webhook.id, unit.random(), unit.keyring());
            webhooks::insert(unit.tx, &webhook, &sealed)?;
            let event = unit.event(Action::WebhookCreated).about(None);
            let event = event.detail(json!({
                "id": webhook.id,
                "host": webhook.url.url().host_str(),
                "events": webhook.events.names(),
            }));
            unit.finish(event, CreatedWebhook { webhook, secret })
        })
        .await
}
