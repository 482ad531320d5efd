//! A new password for somebody who knows the old one.

use super::limits::{self, Attempt};
use super::{Caller, Error, RequestContext, Result, Services, one_time, record_changes};
use crate::crypto::password::StoredHash;
use crate::domain::audit::{Action, AuditEntry, Outcome};
use crate::domain::{Change, lifetimes};
use crate::store::{audit, sessions, users};

/// Every other session of the caller ends; this one goes on.
///
/// # Errors
/// `Invalid` for a new password that breaks a rule; `InvalidCredentials` when `current_password` is
/// wrong, and `TooManyAttempts` when it was too often.
pub async fn change_password(
    services: &Services,
    context: &RequestContext,
    caller: &Caller,
    current_password: &str,
    new_password: &str,
) -> Result<()> {
    let spared = caller.session_id()?;
    let current = services
        .passwords
        .read("currentPassword", current_password)?;
    let email = caller.profile.email.as_ref();
    let own_words = [
        email.map_or("", |email| email.as_str()),
        email.map_or("", |email| email.local_part()),
        caller.profile.name.as_str(),
    ];
    let new = services
        .passwords
        .read_new("newPassword", new_password, &own_words)
        .await?;

    let user_id = caller.profile.id;
    let identity = email.map_or_else(|| user_id.to_string(), ToString::to_string);
    let attempt = services.attempt(context, &identity);
    let asked_at = services.now();
    let (attempt, account) = services
        .store
        .read(move |tx| {
            attempt.may_be_made(tx, asked_at)?;
            Ok::<_, Error>((attempt, users::find_account(tx, user_id)?))
        })
        .await?;
    let stored = account
        .and_then(|account| account.password_hash)
        .map(StoredHash::from_stored);
    let is_right = services.passwords.verify(current, stored.clone()).await?;
    let (Some(stored), true) = (stored, is_right) else {
        return Err(refuse(services, context, caller, attempt).await);
    };
    let new_hash = services.passwords.hash(new).await?;

    let now = services.now();
    let entry = services.audit_own(context, now, Action::PasswordChanged, caller);
    let changes = services
        .store
        .write(move |tx| {
            let account = users::hold_account(tx, user_id)?.ok_or(Error::InvalidCredentials)?;
            // Two changes at once: the second one's current password is not current any more.
            if account.password_hash.as_deref() != Some(stored.as_str()) {
                return Err(Error::InvalidCredentials);
            }
            attempt.succeeded(tx, now)?;
            users::set_password_hash(tx, user_id, new_hash.as_str(), now)?;
            one_time::forget_after_credential_change(tx, user_id)?;
            let changes: Vec<Change> = sessions::revoke_all(tx, user_id, Some(spared), now)?
                .into_iter()
                .map(|session_id| Change::SessionEnded {
                    user_id,
                    session_id,
                })
                .collect();
            audit::insert(tx, &entry)?;
            record_changes(tx, &changes, now)?;
            Ok(changes)
        })
        .await?;
    services.feed.note(&changes, now + lifetimes::ACCESS_TOKEN);
    Ok(())
}

async fn refuse(
    services: &Services,
    context: &RequestContext,
    caller: &Caller,
    attempt: Attempt,
) -> Error {
    let entry = AuditEntry {
        outcome: Outcome::Refused,
        ..services.audit_own(context, services.now(), Action::PasswordChanged, caller)
    };
    limits::fail(services, attempt, entry).await
}
