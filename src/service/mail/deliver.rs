//! Sends due e-mails: each at least once, and twice only if a crash hides that it was sent.

use chrono::TimeDelta;

use crate::crypto::sealed::{self, Purpose, SealError};
use crate::domain::{EmailMessage, Priority};
use crate::ports::mailer::SendFailure;
use crate::service::mail::MailTransport;
use crate::service::mail::retry::pause;
use crate::service::{Result, Services};
use crate::store::outbox::{self, DueEmail};

/// Longer than any attempt can take: an instance that has not stored the outcome by then has died.
const LEASE: TimeDelta = TimeDelta::minutes(2);

/// The outcome of an attempt.
enum Outcome {
    Sent,
    Later(String),
    Never(String),
}

/// An e-mail that is due and at least as urgent as `least_urgent`, leased to this instance.
///
/// # Errors
/// When the database cannot be written.
pub async fn claim(services: &Services, least_urgent: Priority) -> Result<Option<DueEmail>> {
    let now = services.now();
    services
        .store
        .maintain(move |tx| Ok(outbox::claim(tx, least_urgent, now, now + LEASE)?))
        .await
}

/// Returns when this process has queued e-mails that can be read.
pub async fn wait_until_queued(services: &Services) {
    services.store.emails_queued().await;
}

/// Sends a claimed e-mail and stores the outcome. If that fails, it is sent again after its lease.
pub async fn deliver(services: &Services, due: DueEmail) {
    let Some(mail_transport) = &services.mail_transport else {
        return;
    };
    let outcome = attempt(services, mail_transport, &due).await;
    let email = due.id;
    let (kind, attempts) = (due.kind.clone(), due.attempts);
    let now = services.now();
    let stored = match outcome {
        Outcome::Sent => {
            tracing::info!(%email, kind, attempts, "e-mail sent");
            services
                .store
                .maintain_persistently(move |tx| outbox::mark_sent(tx, email, now))
                .await
        }
        Outcome::Later(why) => {
            let next_attempt_at = now + pause(attempts, services.random());
            tracing::warn!(%email, kind, attempts, why, %next_attempt_at, "e-mail not sent yet");
            let due = std::sync::Arc::new(due);
            services
                .store
                .maintain_persistently(move |tx| outbox::postpone(tx, &due, next_attempt_at, &why))
                .await
        }
        Outcome::Never(why) => {
            tracing::error!(%email, kind, attempts, why, "e-mail given up");
            services
                .store
                .maintain_persistently(move |tx| outbox::give_up(tx, email, now, &why))
                .await
        }
    };
    if let Err(error) = stored {
        tracing::error!(%email, kind, %error, "the outcome of an e-mail was not stored; it will be sent again");
    }
}

async fn attempt(services: &Services, mail_transport: &MailTransport, due: &DueEmail) -> Outcome {
    let keyring = services.tokens.keyring();
    let message: EmailMessage =
        match sealed::open(&due.sealed, services.now(), Purpose::EmailMessage, &keyring) {
            Ok(message) => message,
            Err(SealError::Expired(_)) => {
                return Outcome::Never("no mail server took it for seven days".to_owned());
            }
            Err(SealError::Invalid) => {
                return Outcome::Never("no secret of JWT_SECRET opens it".to_owned());
            }
        };
    let mail = match mail_transport.mail(due, &message) {
        Ok(mail) => mail,
        Err(fault) => return Outcome::Never(fault.to_string()),
    };
    match mail_transport.mailer.send(&mail).await {
        Ok(()) => Outcome::Sent,
        Err(SendFailure::Transient(why)) => Outcome::Later(why),
        Err(SendFailure::Permanent(why)) => Outcome::Never(why),
    }
}
