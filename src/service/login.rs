//! E-mail and password in, token out.

use super::{Error, Profile, RequestContext, Result, Services, SignedIn};
use crate::crypto::password::StoredHash;
use crate::domain::audit::{Action, AuditEntry, Outcome};
use crate::domain::{Email, OrganizationId, UserId};
use crate::store::{audit, memberships, sessions, users};

pub struct Login<'a> {
    pub email: Email,
    pub password: &'a str,
    /// Which organization to speak for; the one joined first when absent.
    pub organization_id: Option<OrganizationId>,
}

/// # Errors
/// `InvalidCredentials` in one time and shape for an unknown address, a wrong password, a disabled
/// account and an account without a password; after the right password, `OrganizationNotFound` for an
/// organization the person is no member of and `Forbidden` for somebody who is a member of none.
pub async fn login(
    services: &Services,
    context: &RequestContext,
    login: Login<'_>,
) -> Result<SignedIn> {
    let password = services.passwords.read("password", login.password)?;
    let email = login.email;
    let account = services
        .store
        .read(move |tx| users::find_account_by_email(tx, &email))
        .await?;
    let user_id = account.as_ref().map(|account| account.user.id);
    let is_enabled = account
        .as_ref()
        .is_some_and(|account| account.user.disabled_at.is_none());
    let stored = account
        .and_then(|account| account.password_hash)
        .map(StoredHash::from_stored);

    let is_right = services
        .passwords
        .verify(password.clone(), stored.clone())
        .await?;
    let (Some(user_id), Some(stored), true) = (user_id, stored, is_right && is_enabled) else {
        return refuse(services, context, user_id).await;
    };

    let rehashed = services.passwords.rehash(password, &stored).await;
    let now = services.now();
    let wanted = login.organization_id;
    let entry = services.audit(context, now, Action::Login, Outcome::Ok);
    // The organization is known once the transaction has read the memberships.
    let mut session = services.new_session(context, now, user_id, OrganizationId::NIL);
    let (session, ver, profile) = services
        .store
        .write(move |tx| {
            // Between the check and now the password may have been changed or the account disabled.
            let account = users::hold_account(tx, user_id)?.ok_or(Error::InvalidCredentials)?;
            if account.user.disabled_at.is_some()
                || account.password_hash.as_deref() != Some(stored.as_str())
            {
                return Err(Error::InvalidCredentials);
            }
            let memberships = memberships::list_of_user(tx, user_id)?;
            let membership = match wanted {
                None => memberships.first().ok_or(Error::Forbidden)?,
                Some(wanted) => memberships
                    .iter()
                    .find(|membership| membership.organization_id == wanted)
                    .ok_or(Error::OrganizationNotFound)?,
            };
            if let Some(rehashed) = rehashed {
                users::set_password_hash(tx, user_id, rehashed.as_str(), now)?;
            }
            session.organization_id = membership.organization_id;
            sessions::insert(tx, &session)?;
            audit::insert(
                tx,
                &AuditEntry {
                    actor_id: Some(user_id),
                    subject_id: Some(user_id),
                    organization_id: Some(membership.organization_id),
                    ..entry
                },
            )?;
            Ok((
                session,
                account.user.ver,
                Profile::of(&account.user, membership),
            ))
        })
        .await?;
    Ok(services.tokens.issue(now, &session, ver, profile))
}

/// Writes the attempt down, for a known and for an unknown address alike.
async fn refuse(
    services: &Services,
    context: &RequestContext,
    subject_id: Option<UserId>,
) -> Result<SignedIn> {
    let entry = AuditEntry {
        subject_id,
        ..services.audit(context, services.now(), Action::Login, Outcome::Refused)
    };
    services
        .store
        .write(move |tx| audit::insert(tx, &entry))
        .await?;
    Err(Error::InvalidCredentials)
}
