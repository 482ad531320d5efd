//! An account's password, address and state, changed by the operator.

use chrono::{DateTime, Utc};
use serde_json::json;
use url::Url;

use super::{change_account, reread};
use crate::domain::audit::Action;
use crate::domain::{Change, Email, Organization, User, UserId, Violation, lifetimes};
use crate::email_templates::{RESET_PASSWORD, page_url};
use crate::service::accounts::claim_account::ClaimEffects;
use crate::service::accounts::delete_account::{erase, leave_all};
use crate::service::accounts::email_proof::EmailProof;
use crate::service::accounts::export_account::ExportedFile;
use crate::service::accounts::reset_password::NewPassword;
use crate::service::accounts::verify_email::{replace_email, send_verification};
use crate::service::api_tokens::end_with_sessions::{Ending, end_with_sessions};
use crate::service::hashing::passwords::GUESSED_ORGANIZATIONS;
use crate::service::organizations::last_admin::keep_an_admin;
use crate::service::people::update::{disable_account, enable_account};
use crate::service::slack::unlink::notify_of_link;
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Error, RequestContext, Result, Services, limits, one_time};
use crate::store::one_time_tokens::Purpose;
use crate::store::{Requester, former_identities, identities, memberships, organizations, users};

/// The result of disabling a user.
pub enum Disabled {
    Done(User),
    /// Not disabled, because these organizations would have no admin.
    LastAdminOf(Vec<Organization>),
}

/// Disables an account and ends all its sessions.
///
/// The last admin of an organization is not disabled unless the operator insists, for example because the account was
/// taken over.
///
/// # Errors
/// `UserNotFound`.
pub async fn disable_user(
    services: &Services,
    context: &RequestContext,
    user_id: UserId,
    even_the_last_admin: bool,
) -> Result<Disabled> {
    change_account(services, context, user_id, &[], move |unit, account| {
        if !even_the_last_admin && account.user.disabled_at.is_none() {
            let left = left_without_admin(unit, user_id)?;
            if !left.is_empty() {
                return unit.unrecorded(Disabled::LastAdminOf(left));
            }
        }
        disable_account(unit, user_id)?;
        let user = reread(unit.tx, user_id)?;
        let event = unit.event(Action::UserDisabled).about(user_id);
        unit.finish(event, Disabled::Done(user))
    })
    .await
}

/// The organizations whose only admin is `losing`.
fn left_without_admin(unit: &mut UnitOfWork<'_, '_>, losing: UserId) -> Result<Vec<Organization>> {
    let mut left = Vec::new();
    for membership in memberships::list_of_user(unit.tx, losing)? {
        let id = membership.organization_id;
        match keep_an_admin(unit.tx, id, losing) {
            Ok(()) => {}
            Err(Error::LastAdmin) => left.extend(organizations::find(unit.tx, id)?),
            Err(error) => return Err(error),
        }
    }
    Ok(left)
}

/// Deletes an account, as its owner may.
///
/// # Errors
/// `LastAdminOf` the organizations that have other members but no other admin; `UserNotFound`.
pub async fn delete_user(
    services: &Services,
    context: &RequestContext,
    user_id: UserId,
) -> Result<()> {
    change_account(services, context, user_id, &[], move |unit, account| {
        users::lock_account_exclusively(unit.tx, user_id)?;
        leave_all(unit, user_id)?;
        erase(unit, &account)?;
        let event = unit.event(Action::UserDeleted).about(user_id);
        unit.finish(event, ())
    })
    .await
}

/// Begins a file with everything that is kept about a user, as their own export does.
///
/// # Errors
/// `UserNotFound`.
pub async fn export_user(
    services: &Services,
    context: &RequestContext,
    user_id: UserId,
) -> Result<ExportedFile> {
    change_account(services, context, user_id, &[], move |unit, account| {
        let file = ExportedFile::begin(unit, &account, Requester::OPERATOR);
        let event = unit.event(Action::UserExported).about(user_id);
        unit.finish(event, file)
    })
    .await
}

/// Enables an account. Its earlier sessions and API tokens stay revoked.
///
/// # Errors
/// `UserNotFound`.
pub async fn enable_user(
    services: &Services,
    context: &RequestContext,
    user_id: UserId,
) -> Result<User> {
    change_account(services, context, user_id, &[], move |unit, account| {
        if account.user.disabled_at.is_some() {
            enable_account(unit, user_id)?;
        }
        let user = reread(unit.tx, user_id)?;
        unit.recorded_if_changed(user)
    })
    .await
}

/// Unlinks a user's accounts at Slack, or those in one workspace; returns how many there were. All sessions end, and with
/// them pending sign-ins and the API tokens that they made. The accounts at Slack are remembered as the user's, so that a removal from the workspace's organization still holds.
///
/// # Errors
/// `UserNotFound`.
pub async fn unlink_identities(
    services: &Services,
    context: &RequestContext,
    user_id: UserId,
    team: Option<String>,
) -> Result<usize> {
    change_account(services, context, user_id, &[], move |unit, account| {
        let mut linked = identities::list_of_user(unit.tx, user_id)?;
        linked.retain(|identity| team.as_ref().is_none_or(|team| identity.team == *team));
        if linked.is_empty() {
            return unit.unrecorded(0);
        }
        former_identities::detach(unit.tx, user_id, &linked, unit.now)?;
        one_time::revoke_after_credential_change(unit.tx, user_id)?;
        end_with_sessions(unit, user_id, None, Ending::MadeBySessions)?;
        unit.revoke_tokens(user_id)?;
        notify_of_link(unit, &account, false)?;
        let event = unit.event(Action::IdentityUnlinked).about(user_id);
        let event = event.detail(json!({"identities": linked.len()}));
        unit.finish(event, linked.len())
    })
    .await
}

/// Deletes the failures that lock an account.
///
/// # Errors
/// `UserNotFound`.
pub async fn unlock_user(
    services: &Services,
    context: &RequestContext,
    user_id: UserId,
) -> Result<User> {
    change_account(services, context, user_id, &[], move |unit, account| {
        limits::unlock_account(unit, &account.user)?;
        let event = unit.event(Action::AccountUnlocked).about(user_id);
        unit.finish(event, account.user)
    })
    .await
}

/// Sets a password, as a reset does: every session ends with the API tokens it made, access tokens are revoked, the
/// owner is told. It neither verifies the address nor claims the account, because the operator has not seen the mailbox.
///
/// # Errors
/// `Invalid` for a password that breaks a rule; `UserNotFound`.
pub async fn set_password(
    services: &Services,
    context: &RequestContext,
    user: &User,
    password: &str,
) -> Result<User> {
    let user_id = user.id;
    let organizations = services
        .store
        .read(Requester::OPERATOR, move |tx| {
            organizations::list_of_user(tx, user_id, GUESSED_ORGANIZATIONS)
        })
        .await?;
    let new = NewPassword::read(services, context, user, &organizations, password).await?;
    change_account(services, context, user_id, &[], move |unit, account| {
        let is_verified = account.email_verified_at.is_some();
        let (effects, which) = (ClaimEffects::default(), Ending::MadeBySessions);
        let ended = new.set(unit, &account.user, effects, is_verified, which)?;
        let user = reread(unit.tx, user_id)?;
        let event = unit.event(Action::PasswordReset).about(user_id);
        unit.finish(event.detail(json!({"apiTokensEnded": ended})), user)
    })
    .await
}

/// Makes a link to set a password, as an e-mailed one: it replaces earlier ones and verifies the address. Returns it
/// and when it expires. `app_url` is where links point.
///
/// # Errors
/// `Invalid` for an account that is disabled or has no address; `UserNotFound`.
pub async fn reset_link(
    services: &Services,
    context: &RequestContext,
    user_id: UserId,
    app_url: &Url,
) -> Result<(String, DateTime<Utc>)> {
    let app_url = app_url.clone();
    change_account(services, context, user_id, &[], move |unit, account| {
        if account.user.disabled_at.is_some() {
            return Err(refused(
                "disabled",
                "The account is disabled. Enable it first.",
            ));
        }
        let email = address(&account.user)?;
        let secret = unit.secret();
        let (purpose, proof) = (Purpose::ResetPassword, EmailProof::new(user_id, &email));
        let until = (unit.now, lifetimes::RESET_LINK);
        one_time::replace(unit.tx, &secret, purpose, Some(user_id), &proof, until)?;
        let link = page_url(&app_url, RESET_PASSWORD, secret.expose());
        let event = unit.event(Action::PasswordResetRequested).about(user_id);
        unit.finish(event, (link, unit.now + lifetimes::RESET_LINK))
    })
    .await
}

/// Marks the address as verified, because the operator vouches for it.
///
/// # Errors
/// `Invalid` for an account without an address; `UserNotFound`.
pub async fn verify_user(
    services: &Services,
    context: &RequestContext,
    user_id: UserId,
) -> Result<User> {
    change_account(services, context, user_id, &[], move |unit, account| {
        address(&account.user)?;
        if account.email_verified_at.is_none() {
            let verified = users::mark_email_verified(unit.tx, user_id, unit.now)?;
            unit.announce(verified);
            unit.changed(Change::PersonChanged { user_id });
            unit.record(unit.event(Action::EmailVerified).about(user_id))?;
        }
        unit.recorded_if_changed(account.user)
    })
    .await
}

/// Gives the account another address, or its first, and tells the old one. Unless the operator vouches for it, the new
/// address is sent a link that verifies it.
///
/// # Errors
/// `Invalid` for the address that the account has; `EmailTaken`; `UserNotFound`.
pub async fn set_email(
    services: &Services,
    context: &RequestContext,
    user_id: UserId,
    email: Email,
    is_verified: bool,
) -> Result<User> {
    change_account(services, context, user_id, &[], move |unit, account| {
        if account.user.email.as_ref() == Some(&email) {
            return Err(Violation::new(
                "email",
                "unchanged",
                "The account has this address already.",
            )
            .into());
        }
        replace_email(unit, account, &email, is_verified.then_some(unit.now))?;
        let user = reread(unit.tx, user_id)?;
        if !is_verified {
            send_verification(unit, &user, &email, None)?;
        }
        unit.changed(Change::PersonChanged { user_id });
        let event = unit.event(Action::EmailChanged).about(user_id);
        unit.finish(event, user)
    })
    .await
}

fn address(user: &User) -> Result<Email> {
    user.email.clone().ok_or_else(|| {
        refused(
            "no_email",
            "The account has no e-mail address. Set one first.",
        )
    })
}

fn refused(code: &'static str, why: &'static str) -> Error {
    Violation::new("user", code, why).into()
}
