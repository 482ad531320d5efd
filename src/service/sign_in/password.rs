//! E-mail and password in, token out.

use crate::crypto::opaque::Opaque;
use crate::domain::audit::{Action, AuditEntry, Outcome};
use crate::domain::{Email, OrganizationId};
use crate::service::accounts::verify_credentials::verify_credentials;
use crate::service::mfa::{self, PendingSignIn};
use crate::service::sign_in::begin_session::begin_session;
use crate::service::{Error, Profile, RequestContext, Result, Services, SignIn};
use crate::store::{audit, memberships};

pub struct Login<'a> {
    pub email: Email,
    pub password: &'a str,
    /// Which organization to speak for; the one joined first when absent.
    pub organization_id: Option<OrganizationId>,
}

/// # Errors
/// `InvalidCredentials` in one time and shape for an unknown address, a wrong password, a disabled
/// account and an account without a password, `TooManyAttempts` after too many of them; after the right password,
/// `EmailNotVerified` where addresses must be proved first, `OrganizationNotFound` for an organization the person is
/// no member of and `Forbidden` for somebody who is a member of none.
pub async fn login(
    services: &Services,
    context: &RequestContext,
    login: Login<'_>,
) -> Result<SignIn> {
    let proven = verify_credentials(services, context, login.email, login.password).await?;
    let now = services.now();
    let wanted = login.organization_id;
    let user_id = proven.user_id;
    let entry = services.audit(context, now, Action::Login, Outcome::Ok);
    // The organization is known once the transaction has read the memberships.
    let mut session = services.new_session(context, now, user_id, OrganizationId::NIL);
    let notice = services.sign_in_notice(now);
    let second_factor_token = Opaque::new(services.random());
    let begun = services
        .store
        .write(move |tx| {
            let account = proven.lock(tx, now)?;
            let memberships = memberships::list_of_user(tx, user_id)?;
            let membership = match wanted {
                None => memberships.first().ok_or(Error::Forbidden)?,
                Some(wanted) => memberships
                    .iter()
                    .find(|membership| membership.organization_id == wanted)
                    .ok_or(Error::OrganizationNotFound)?,
            };
            let organization_id = membership.organization_id;
            let half = PendingSignIn {
                user_id,
                organization_id,
            };
            if let Some(wanted) = mfa::still_needed(tx, second_factor_token, half, now)? {
                return Ok(Err(wanted));
            }
            session.organization_id = organization_id;
            begin_session(tx, &session, notice)?;
            audit::insert(
                tx,
                &AuditEntry {
                    actor_id: Some(user_id),
                    subject_id: Some(user_id),
                    organization_id: Some(organization_id),
                    ..entry
                },
            )?;
            let profile = Profile::of(&account.user, membership);
            Ok::<_, Error>(Ok((session, account.user.token_version, profile)))
        })
        .await?;
    Ok(match begun {
        Ok((session, token_version, profile)) => {
            SignIn::Complete(services.tokens.issue(now, &session, token_version, profile))
        }
        Err(second_factor) => SignIn::SecondFactor(second_factor),
    })
}
