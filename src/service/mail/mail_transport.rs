//! What turns a letter into a mail and hands it over.

use std::sync::Arc;

use url::Url;

use crate::domain::{EmailMessage, MailSender};
use crate::email_templates::{Branding, Rendered, TemplateFault, Templates};
use crate::ports::Mailer;
use crate::ports::mailer::Mail;
use crate::store::outbox::DueEmail;

/// The name of whoever gives none.
const PRODUCT: &str = "Hallpass";

pub struct MailTransport {
    pub mailer: Arc<dyn Mailer>,
    pub templates: Templates,
    /// Where links point.
    pub app_url: Url,
    pub sender: MailSender,
}

impl MailTransport {
    /// The same mail for the same letter, whoever makes it, so that a second copy is known as one.
    pub(in crate::service) fn mail(
        &self,
        due: &DueEmail,
        letter: &EmailMessage,
    ) -> Result<Mail, TemplateFault> {
        let Rendered {
            subject,
            text,
            html,
        } = self.render(due, letter)?;
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

    /// An operator's template was tried at start with everything a letter can hold; should it fail all the same, the
    /// letter goes out as we would write it.
    fn render(&self, due: &DueEmail, letter: &EmailMessage) -> Result<Rendered, TemplateFault> {
        let branding = Branding {
            recipient: &due.recipient,
            app_url: &self.app_url,
            sender: self.sender.name.as_deref().unwrap_or(PRODUCT),
        };
        self.templates
            .render(letter, &branding)
            .or_else(|fault| {
                tracing::error!(%fault, letter = %due.id, "a template of MAIL_TEMPLATES failed; the built-in one is used");
                Templates::built_in()?.render(letter, &branding)
            })
    }
}
