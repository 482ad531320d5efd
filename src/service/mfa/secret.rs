//! Stores the secrets of authenticators, encrypted with the newest key of `JWT_SECRET`.

use chrono::DateTime;
use serde::{Deserialize, Serialize};

use crate::crypto::keyring::Keyring;
use crate::crypto::sealed::{self, NEVER, NONCE, Purpose};
use crate::crypto::totp::Secret;
use crate::domain::UserId;
use crate::service::{Database, Error, Result, Services};
use crate::store::totp::{self, Sealed};
use crate::store::{Requester, StoreError, Tx};

/// Secrets that one transaction encrypts again.
const AT_ONCE: i64 = 100;

/// Encrypted together with the user's id, so that a secret cannot be moved to another user.
#[derive(Serialize, Deserialize)]
struct OfUser {
    user_id: UserId,
    secret: String,
}

pub(in crate::service) fn seal(
    secret: &Secret,
    user_id: UserId,
    nonce: [u8; NONCE],
    keyring: &Keyring,
) -> Sealed {
    let value = OfUser {
        user_id,
        secret: secret.base32(),
    };
    Sealed {
        text: sealed::seal(value, NEVER, Purpose::TotpSecret, nonce, keyring),
        kid: keyring.newest_kid().to_owned(),
    }
}

/// `None`, and an error in the log, if no key of the keyring decrypts the secret: `JWT_SECRET` was lost, or the operator
/// removed its key too early.
pub(in crate::service) fn open(sealed: &str, user_id: UserId, keyring: &Keyring) -> Option<Secret> {
    // These never expire, so any time will do.
    let secret = sealed::open::<OfUser>(sealed, DateTime::UNIX_EPOCH, Purpose::TotpSecret, keyring)
        .ok()
        .filter(|opened| opened.user_id == user_id)
        .and_then(|opened| Secret::from_base32(&opened.secret));
    if secret.is_none() {
        tracing::error!(%user_id, "an authenticator cannot be used: no secret of JWT_SECRET opens it");
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
    let mut after = UserId::NIL;
    loop {
        let kid = keyring.newest_kid().to_owned();
        let found = services
            .store
            .read(Requester::HOUSEKEEPING, move |tx| {
                totp::list_under_others(tx, &kid, after, AT_ONCE)
            })
            .await?;
        let Some((last, _)) = found.last() else {
            return Ok(());
        };
        after = *last;
        let resealed: Vec<_> = found
            .into_iter()
            .filter_map(|(user_id, old)| {
                let secret = open(&old, user_id, &keyring)?;
                let new = seal(&secret, user_id, services.random(), &keyring);
                Some((user_id, old, new))
            })
            .collect();
        services
            .store
            .maintain(move |tx| {
                for (user_id, old, new) in &resealed {
                    totp::reseal(tx, *user_id, old, new)?;
                }
                Ok::<_, Error>(())
            })
            .await?;
    }
}

/// Whether these keys open the secret of an authenticator: the first one. `false` without any.
///
/// # Errors
/// When the database cannot be read.
pub(in crate::service) async fn opens_one(
    database: &Database,
    keyring: &Keyring,
) -> Result<bool, StoreError> {
    // No key has an empty id.
    let read = |tx: &mut Tx<'_>| totp::list_under_others(tx, "", UserId::NIL, 1);
    let first = database.read(Requester::OPERATOR, read).await?;
    let mut first = first.iter();
    Ok(first.any(|(user_id, sealed)| open(sealed, *user_id, keyring).is_some()))
}
