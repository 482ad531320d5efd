//! Renders an e-mail and passes it to the mailer.

use std::sync::Arc;

use url::Url;

use crate::domain::{EmailMessage, MailSender};
use crate::email_templates::{Branding, Rendered, TemplateFault, Templates};
use crate::ports::Mailer;
use crate::ports::mailer::Mail;
use crate::store::outbox::DueEmail;

/// The name of the sender if the settings give none.
const PRODUCT: &str = "Hallpass";

pub struct MailTransport {
    pub mailer: Arc<dyn Mailer>,
    pub templates: Templates,
    /// Where links point.
    pub app_url: Url,
    pub sender: MailSender,
}

impl MailTransport {
    /// Each instance makes the same mail of the same message, so that receivers recognize a second copy.
    pub(in crate::service) fn mail(
        &self,
        due: &DueEmail,
        message: &EmailMessage,
    ) -> Result<Mail, TemplateFault> {
        let Rendered {
            subject,
            text,
            html,
        } = self.render(due, message)?;
        Ok(Mail {
            id: due.id,
            host: self.app_url.host_str().unwrap_or("localhost").to_owned(),
            date: due.created_at,
            from: self.sender.clone(),
            to: due.recipient.clone(),
            subject,
            text,
            html,
        })
    }

    /// An operator's template was tried at the start with every kind of message. If it fails nevertheless, the built-in
    /// one is used.
    fn render(&self, due: &DueEmail, message: &EmailMessage) -> Result<Rendered, TemplateFault> {
        let branding = Branding {
            recipient: &due.recipient,
            app_url: &self.app_url,
            sender: self.sender.name.as_deref().unwrap_or(PRODUCT),
        };
        self.templates
            .render(message, &branding)
            .or_else(|fault| {
                tracing::error!(%fault, email = %due.id, "a template of MAIL_TEMPLATES failed; using the built-in one");
                Templates::built_in()?.render(message, &branding)
            })
    }
}
