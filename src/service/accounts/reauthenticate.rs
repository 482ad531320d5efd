//! The caller's password, shown again before something that only its owner may do.

use chrono::{DateTime, Utc};

use crate::crypto::password::StoredHash;
use crate::domain::audit::{Action, AuditEntry, Outcome};
use crate::domain::{Password, UserId};
use crate::service::limits::{self, Attempt};
use crate::service::{Caller, Error, RequestContext, Result, Services};
use crate::store::users::Account;
use crate::store::{Tx, users};

/// Whose own password was right a moment ago.
pub(in crate::service) struct Reauthenticated {
    user_id: UserId,
    attempt: Attempt,
    stored: StoredHash,
}

/// A wrong one counts like one at the door, and is written down as a refusal of `action`.
///
/// # Errors
/// `InvalidCredentials` for a wrong password, and for somebody who has none; `TooManyAttempts` after too many.
pub(in crate::service) async fn reauthenticate(
    services: &Services,
    context: &RequestContext,
    caller: &Caller,
    password: Password,
    action: Action,
) -> Result<Reauthenticated> {
    let user_id = caller.profile.id;
    let email = caller.profile.email.as_ref();
    let identity = email.map_or_else(|| user_id.to_string(), ToString::to_string);
    let attempt = services.attempt(context, &identity);
    let now = services.now();
    let (attempt, account) = services
        .store
        .read(move |tx| {
            attempt.may_be_made(tx, now)?;
            Ok::<_, Error>((attempt, users::find_account(tx, user_id)?))
        })
        .await?;
    let stored = account
        .and_then(|account| account.password_hash)
        .map(StoredHash::from_stored);
    let is_right = services.passwords.verify(password, stored.clone()).await?;
    match stored {
        Some(stored) if is_right => Ok(Reauthenticated {
            user_id,
            attempt,
            stored,
        }),
        _ => {
            let entry = AuditEntry {
                outcome: Outcome::Refused,
                ..services.audit_own(context, services.now(), action, caller)
            };
            Err(limits::fail(services, attempt, entry).await)
        }
    }
}

impl Reauthenticated {
    /// Reads the account and keeps it as it is, in the transaction that makes use of the proof.
    ///
    /// # Errors
    /// `InvalidCredentials` when the password is another one since it was proved, `TooManyAttempts` when too many
    /// others failed since.
    pub fn lock(&self, tx: &mut Tx<'_>, now: DateTime<Utc>) -> Result<Account> {
        let account = users::lock_account(tx, self.user_id)?
            .filter(|account| account.password_hash.as_deref() == Some(self.stored.as_str()))
            .ok_or(Error::InvalidCredentials)?;
        self.attempt.succeeded(tx, now)?;
        Ok(account)
    }
}
