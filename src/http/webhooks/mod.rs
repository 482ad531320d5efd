//! Webhooks of an organization.

pub(super) mod create;
pub(super) mod delete;
pub(super) mod deliveries;
pub(super) mod list;
pub(super) mod read;
pub(super) mod rotate_secret;
pub(super) mod take_over;
pub(super) mod test;
pub(super) mod update;
mod webhook;

use crate::domain::WebhookId;

/// The id in a path. No webhook has the nil id, so permissions are checked before the id.
fn webhook_id(text: &str) -> WebhookId {
    text.parse().unwrap_or(WebhookId::NIL)
}
