//! The rule where webhooks may lead, for what an admin enters.

use crate::domain::{Violation, WebhookUrl};
use crate::ports::webhook_sender::Inadmissible;
use crate::service::{Result, Services};

/// # Errors
/// `Invalid` for a URL to which nothing would be sent.
pub(super) async fn must_be_admissible(services: &Services, url: &WebhookUrl) -> Result<()> {
    let (code, why) = match services.webhook_sender.admit(url).await {
        Ok(()) => return Ok(()),
        Err(Inadmissible::NotEncrypted) => (
            "https_required",
            "Please enter a URL that starts with https://.",
        ),
        Err(Inadmissible::NotPublic) => (
            "not_public",
            "Please enter a URL whose host is on the public internet. The operator can allow others with \
             WEBHOOK_ALLOW_PRIVATE.",
        ),
    };
    Err(Violation::new("url", code, why).into())
}
