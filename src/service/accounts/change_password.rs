//! A new password for somebody who knows the old one.

use crate::crypto::opaque::Opaque;
use crate::domain::audit::Action;
use crate::domain::{Change, EmailMessage, lifetimes};
use crate::service::accounts::reauthenticate::reauthenticate;
use crate::service::mail::rate_limit;
use crate::service::sessions::end_session_by_link::keep_link;
use crate::service::{Caller, Error, RequestContext, Result, Services, one_time, record_changes};
use crate::store::{audit, sessions, users};

/// Every other session of the caller ends; this one goes on, and the letter that tells of it has a link that ends it.
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
    let except = caller.session_id()?;
    let current = services
        .passwords
        .read("currentPassword", current_password)?;
    let email = caller.profile.email.as_ref();
    let user_inputs = [
        email.map_or("", |email| email.as_str()),
        email.map_or("", |email| email.local_part()),
        caller.profile.name.as_str(),
    ];
    let new = services
        .passwords
        .read_new("newPassword", new_password, &user_inputs)
        .await?;

    let action = Action::PasswordChanged;
    let proven = reauthenticate(services, context, caller, current, action).await?;
    let new_hash = services.passwords.hash(new).await?;

    let now = services.now();
    let user_id = caller.profile.id;
    let entry = services.audit_own(context, now, action, caller);
    let (secret, email_sealer) = (Opaque::new(services.random()), services.email_sealer(now));
    let changes = services
        .store
        .write(move |tx| {
            // Two changes at once: the second one's current password is not current any more.
            let account = proven.lock(tx, now)?;
            users::set_password_hash(tx, user_id, new_hash.as_str(), now)?;
            one_time::revoke_after_credential_change(tx, user_id)?;
            let changes: Vec<Change> = sessions::revoke_all(tx, user_id, Some(except), now)?
                .into_iter()
                .map(|session_id| Change::SessionEnded {
                    user_id,
                    session_id,
                })
                .collect();
            if let Some(email) = account.user.email {
                let letter = EmailMessage::PasswordChanged {
                    name: account.user.name.to_string(),
                    token: Some(secret.expose().to_owned()),
                };
                keep_link(tx, &secret, user_id, except, now)?;
                let letter = email_sealer.write(email, &letter);
                rate_limit::send_notice(tx, &letter, account.email_verified_at.is_some())?;
            }
            audit::insert(tx, &entry)?;
            record_changes(tx, &changes, now)?;
            Ok::<_, Error>(changes)
        })
        .await?;
    services
        .revocations
        .apply(&changes, now + lifetimes::ACCESS_TOKEN);
    Ok(())
}
