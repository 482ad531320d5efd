//! Stores the secrets of webhooks, encrypted with the newest key of `JWT_SECRET`.

use chrono::DateTime;
use serde::{Deserialize, Serialize};

use crate::crypto::keyring::Keyring;
use crate::crypto::sealed::{self, NEVER, NONCE, Purpose};
use crate::crypto::webhook_signature::WebhookSecret;
use crate::domain::WebhookId;
use crate::service::{Database, Error, Result, Services};
use crate::store::totp::Sealed;
use crate::store::{Requester, StoreError, Tx, webhooks};

/// Webhooks whose secrets one transaction encrypts again.
const AT_ONCE: i64 = 100;

/// Encrypted together with the webhook's id, so that a secret cannot be moved to another one.
#[derive(Serialize, Deserialize)]
struct OfWebhook {
    webhook_id: WebhookId,
    secret: String,
}

pub(super) fn seal(
    secret: &WebhookSecret,
    webhook_id: WebhookId,
    nonce: [u8; NONCE],
    keyring: &Keyring,
) -> Sealed {
    let value = OfWebhook {
        webhook_id,
        secret: secret.expose(),
    };
    Sealed {
        text: sealed::seal(value, NEVER, Purpose::WebhookSecret, nonce, keyring),
        kid: keyring.newest_kid().to_owned(),
    }
}

/// `None`, and an error in the log, if no key of the keyring decrypts the secret: `JWT_SECRET` was lost, or the operator
/// removed its key too early.
pub(super) fn open(
    sealed: &str,
    webhook_id: WebhookId,
    keyring: &Keyring,
) -> Option<WebhookSecret> {
    // These never expire, so any time will do.
    let purpose = Purpose::WebhookSecret;
    let secret = sealed::open::<OfWebhook>(sealed, DateTime::UNIX_EPOCH, purpose, keyring)
        .ok()
        .filter(|opened| opened.webhook_id == webhook_id)
        .and_then(|opened| WebhookSecret::parse(&opened.secret));
    if secret.is_none() {
        tracing::error!(%webhook_id, "a webhook cannot be signed for: no secret of JWT_SECRET opens its own");
    }
    secret
}

/// Encrypts every secret with the newest key, so that older keys can be removed. If there is nothing to do, this is one
/// query.
///
/// # Errors
/// When the database fails.
pub async fn reseal_secrets(services: &Services) -> Result<()> {
    let keyring = services.tokens.keyring();
    let mut after = WebhookId::NIL;
    loop {
        let kid = keyring.newest_kid().to_owned();
        let found = services
            .store
            .read(Requester::HOUSEKEEPING, move |tx| {
                webhooks::list_under_others(tx, &kid, after, AT_ONCE)
            })
            .await?;
        let Some((last, _)) = found.last() else {
            return Ok(());
        };
        after = *last;
        let again = |sealed: &str, id| {
            let secret = open(sealed, id, &keyring)?;
            Some(seal(&secret, id, services.random(), &keyring))
        };
        let resealed: Vec<_> = found
            .into_iter()
            .filter_map(|(id, old)| {
                let new = again(&old.secret, id)?;
                let previous = old.previous_secret.as_deref();
                let previous = previous.and_then(|sealed| again(sealed, id));
                Some((id, old, new, previous))
            })
            .collect();
        services
            .store
            .maintain(move |tx| {
                for (id, old, new, previous) in &resealed {
                    webhooks::reseal(tx, *id, old, new, previous.as_ref())?;
                }
                Ok::<_, Error>(())
            })
            .await?;
    }
}

/// Whether these keys open the secret of a webhook: the first one. `false` without any.
///
/// # Errors
/// When the database cannot be read.
pub(in crate::service) async fn opens_one(
    database: &Database,
    keyring: &Keyring,
) -> Result<bool, StoreError> {
    // No key has an empty id.
    let read = |tx: &mut Tx<'_>| webhooks::list_under_others(tx, "", WebhookId::NIL, 1);
    let first = database.read(Requester::OPERATOR, read).await?;
    let mut first = first.iter();
    Ok(first.any(|(id, sealed)| open(&sealed.secret, *id, keyring).is_some()))
}
