//! Sending what is due: each letter at least once, and twice only when a crash hides that it went out.

use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::sleep;

use crate::crypto::sealed::{self, Purpose, SealError};
use crate::domain::EmailMessage;
use crate::ports::mailer::SendFailure;
use crate::service::mail::MailTransport;
use crate::service::mail::pause::pause;
use crate::service::{Result, Services};
use crate::store::outbox::{self, DueEmail};
use crate::store::{StoreError, Tx};

/// Longer than any attempt can take: whoever claimed a letter and is not heard of by then has died with it.
const LEASE: TimeDelta = TimeDelta::minutes(2);

/// What came of an attempt is written down within the lease, though the database be away for a while.
const WRITING_TRIES: u32 = 60;
const WRITE_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// What came of an attempt.
enum Outcome {
    Sent,
    Later(String),
    Never(String),
}

/// A letter that is ours to send, if one is due.
///
/// # Errors
/// When the database cannot be written.
pub async fn claim(services: &Services) -> Result<Option<DueEmail>> {
    let now = services.now();
    services
        .store
        .write(move |tx| Ok(outbox::claim(tx, now, now + LEASE)?))
        .await
}

/// Sends a claimed letter and writes down what came of it. Without the second, it is sent again after its lease.
pub async fn deliver(services: &Services, mail_transport: &MailTransport, due: DueEmail) {
    let outcome = attempt(services, mail_transport, &due).await;
    let letter = due.id;
    let (kind, attempts) = (due.kind.clone(), due.attempts);
    let now = services.now();
    let written = match outcome {
        Outcome::Sent => {
            tracing::info!(%letter, kind, attempts, "letter sent");
            write(services, move |tx| outbox::mark_sent(tx, letter, now)).await
        }
        Outcome::Later(why) => {
            let next_attempt_at = now + pause(attempts, services.random());
            tracing::warn!(%letter, kind, attempts, why, %next_attempt_at, "letter not sent yet");
            let due = std::sync::Arc::new(due);
            write(services, move |tx| {
                outbox::postpone(tx, &due, next_attempt_at, &why)
            })
            .await
        }
        Outcome::Never(why) => {
            tracing::error!(%letter, kind, attempts, why, "letter given up");
            write(services, move |tx| outbox::give_up(tx, letter, now, &why)).await
        }
    };
    if let Err(error) = written {
        tracing::error!(%letter, kind, %error, "it was not written down what came of a letter; it will be sent again");
    }
}

async fn attempt(services: &Services, mail_transport: &MailTransport, due: &DueEmail) -> Outcome {
    let keyring = services.tokens.keyring();
    let letter: EmailMessage =
        match sealed::open(&due.sealed, services.now(), Purpose::EmailMessage, &keyring) {
            Ok(letter) => letter,
            Err(SealError::Expired(_)) => {
                return Outcome::Never("nobody took it for seven days".to_owned());
            }
            Err(SealError::Invalid) => {
                return Outcome::Never("no secret of JWT_SECRET opens it".to_owned());
            }
        };
    let mail = match mail_transport.mail(due, &letter) {
        Ok(mail) => mail,
        Err(fault) => return Outcome::Never(fault.to_string()),
    };
    match mail_transport.mailer.send(&mail).await {
        Ok(()) => Outcome::Sent,
        Err(SendFailure::Transient(why)) => Outcome::Later(why),
        Err(SendFailure::Permanent(why)) => Outcome::Never(why),
    }
}

/// Tries again where an answer would be an error: nobody waits, and a letter that went out should not go out again.
async fn write(
    services: &Services,
    work: impl Fn(&mut Tx<'_>) -> Result<(), StoreError> + Clone + Send + 'static,
) -> Result<(), StoreError> {
    let mut tries = 1;
    loop {
        match services.store.write(work.clone()).await {
            Err(StoreError::Busy | StoreError::Unavailable(_)) if tries < WRITING_TRIES => {
                tries += 1;
                sleep(WRITE_AGAIN_AFTER).await;
            }
            done => return done,
        }
    }
}
