//! Replaces the secret of a webhook.

use serde_json::json;

use crate::crypto::webhook_signature::WebhookSecret;
use crate::domain::audit::Action;
use crate::domain::{Role, WebhookId, lifetimes};
use crate::service::webhooks::secret;
use crate::service::{Error, MemberCaller, Result, Services};
use crate::store::webhooks;

/// For a day both secrets sign. A rotation within that day ends the older one at once.
///
/// # Errors
/// `Forbidden` below `admin` and for a service; `ReauthenticationRequired`; `WebhookNotFound`.
pub async fn rotate_secret(
    services: &Services,
    caller: &MemberCaller,
    id: WebhookId,
) -> Result<WebhookSecret> {
    services
        .administer(caller, None, move |unit, actor| {
            actor.session_id()?;
            actor.must_be(Role::Admin)?;
            actor.must_be_fresh(unit.now)?;
            webhooks::find(unit.tx, id, actor.organization_id())?.ok_or(Error::WebhookNotFound)?;
            let old = webhooks::find_secrets(unit.tx, id)?.ok_or(Error::WebhookNotFound)?;
            let new = WebhookSecret::new(unit.random());
            let sealed = secret::seal(&new, id, unit.random(), unit.keyring());
            // A secret that no key opens signs nothing any more.
            let previous = secret::open(&old.secret, id, unit.keyring());
            let previous = previous.unwrap_or_else(|| WebhookSecret::new(unit.random()));
            let previous = secret::seal(&previous, id, unit.random(), unit.keyring());
            let until = unit.now + lifetimes::PREVIOUS_WEBHOOK_SECRET;
            webhooks::set_secrets(unit.tx, id, &sealed, &previous, until)?;
            let event = unit.event(Action::WebhookSecretRotated).about(None);
            unit.finish(event.detail(json!({"id": id})), new)
        })
        .await
}
