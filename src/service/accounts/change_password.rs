//! Changes the password of a user who knows the old one, or has none, and sets a first one.

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::crypto::password::StoredHash;
use crate::domain::audit::Action;
use crate::domain::{EmailMessage, OwnWords, Password};
use crate::service::accounts::reauthenticate::OwnerProof;
use crate::service::api_tokens::end_with_sessions::{Ending, end_with_sessions};
use crate::service::hashing::passwords::GUESSED_ORGANIZATIONS;
use crate::service::limits::{HashingPermit, permit_hashing_of};
use crate::service::mail::gate;
use crate::service::sessions::end_many::end_other_sessions;
use crate::service::sessions::end_session_by_link::store_link;
use crate::service::unit_of_work::{Actor, Finished, UnitOfWork};
use crate::service::{Caller, Error, Result, Services, one_time};
use crate::store::{external_ids, organizations, users};

/// Without a password to replace, the session must be fresh. Ends the caller's other sessions, and API tokens. The notice
/// by e-mail has a link that ends this one too.
///
/// # Errors
/// `Invalid` for a new password that breaks a rule, and for a missing current one; `InvalidCredentials` when it is
/// wrong, and `TooManyAttempts` when it was too often; `ReauthenticationRequired`.
pub async fn change_password(
    services: &Services,
    caller: &Caller,
    current_password: Option<&str>,
    new_password: &str,
    api_tokens: Ending,
) -> Result<()> {
    caller.session_id()?;
    let permit = permit_hashing_of(services, caller).await?;
    let new = read_new(services, caller, &permit, new_password).await?;
    let action = Action::PasswordChanged;
    let field = "currentPassword";
    let proof =
        OwnerProof::read(services, caller, &permit, current_password, field, action).await?;
    let new_hash = services.passwords.hash(&permit, new).await?;
    services
        .write_as(caller, move |unit, actor| {
            // Of two concurrent changes, the second fails: its current password is no longer current.
            proof.confirm(unit, actor)?;
            replace(unit, actor, &new_hash, api_tokens)
        })
        .await
}

/// Sets the first password of a user who has none, for which the session must be fresh. Ends what
/// [`change_password`] ends.
///
/// # Errors
/// `PasswordAlreadySet`; `Invalid` for a password that breaks a rule; `ReauthenticationRequired`; `Forbidden` for a
/// service.
pub async fn set_password(services: &Services, caller: &Caller, new_password: &str) -> Result<()> {
    caller.session_id()?;
    // Hashing is expensive, so refuse before hashing where we can.
    let now = services.now();
    services
        .read_as(caller, move |_, actor| must_want_first(actor, now))
        .await?;
    let permit = permit_hashing_of(services, caller).await?;
    let new = read_new(services, caller, &permit, new_password).await?;
    let new_hash = services.passwords.hash(&permit, new).await?;
    services
        .write_as(caller, move |unit, actor| {
            must_want_first(actor, unit.now)?;
            replace(unit, actor, &new_hash, Ending::MadeBySessions)
        })
        .await
}

fn must_want_first(actor: &Actor, now: DateTime<Utc>) -> Result<()> {
    if actor.account.password_hash.is_some() {
        return Err(Error::PasswordAlreadySet);
    }
    actor.must_be_fresh(now)
}

async fn read_new(
    services: &Services,
    caller: &Caller,
    permit: &HashingPermit,
    new_password: &str,
) -> Result<Password> {
    let profile = &caller.profile;
    let user_id = profile.id;
    let organizations = services
        .store
        .read(caller, move |tx| {
            organizations::list_of_user(tx, user_id, GUESSED_ORGANIZATIONS)
        })
        .await?;
    let own = OwnWords::new(profile.email.as_ref(), [profile.name.as_str()]).with(&organizations);
    services
        .passwords
        .read_new(permit, "newPassword", new_password, own)
        .await
}

/// Sets it, ends the user's other sessions and what they made, and notifies the owner.
fn replace(
    unit: &mut UnitOfWork<'_, '_>,
    actor: &Actor,
    new_hash: &StoredHash,
    api_tokens: Ending,
) -> Result<Finished<()>> {
    let (user_id, except, now) = (actor.id(), actor.session_id()?, unit.now);
    users::set_password_hash(unit.tx, user_id, new_hash.as_str(), now)?;
    external_ids::note_new_password(unit.tx, user_id, now)?;
    one_time::revoke_after_credential_change(unit.tx, user_id)?;
    let tokens_ended = end_with_sessions(unit, user_id, Some(except), api_tokens)?;
    end_other_sessions(unit, user_id, except)?;
    if let Some(email) = actor.user().email.clone() {
        let secret = store_link(unit, user_id, except)?;
        let message = EmailMessage::PasswordChanged {
            detached_slack: false,
            left_organizations: false,
            name: actor.user().name.to_string(),
            token: Some(secret.expose().to_owned()),
        };
        let is_verified = actor.account.email_verified_at.is_some();
        gate::send_notice(unit, user_id, email, &message, is_verified)?;
    }
    let detail = match actor.account.password_hash {
        Some(_) => json!({"apiTokensEnded": tokens_ended}),
        None => json!({"apiTokensEnded": tokens_ended, "first": true}),
    };
    let event = unit.event(Action::PasswordChanged);
    unit.finish(event.detail(detail), ())
}
