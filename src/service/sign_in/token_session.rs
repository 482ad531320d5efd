//! E-mail and password in, session token out.

use crate::domain::Email;
use crate::domain::audit::{Action, AuditEntry, Outcome};
use crate::service::accounts::verify_credentials::verify_credentials;
use crate::service::session_tokens::SessionToken;
use crate::service::session_tokens::view::View;
use crate::service::sign_in::begin_session::tell_owner;
use crate::service::{Error, Profile, RequestContext, Result, Services};
use crate::store::{audit, memberships, session_tokens, sessions, tenants, totp};

pub struct Login<'a> {
    pub email: Email,
    pub password: &'a str,
    /// The slug of the organization to speak for; the one joined first when absent.
    pub tenant: Option<String>,
}

/// A session that has just begun.
pub struct Begun {
    pub token: SessionToken,
    /// Whether it waits for the second factor.
    pub is_locked: bool,
    pub view: View,
}

/// # Errors
/// As [`login`](crate::service::login()): `InvalidCredentials`, `TooManyAttempts`, `EmailNotVerified`; after the
/// right password, `OrganizationNotFound` for a tenant that is none of the person's and `Forbidden` for somebody who is a
/// member of none.
pub async fn login(
    services: &Services,
    context: &RequestContext,
    login: Login<'_>,
) -> Result<Begun> {
    let proven = verify_credentials(services, context, login.email, login.password).await?;
    let now = services.now();
    let user_id = proven.user_id;
    let entry = services.audit(context, now, Action::Login, Outcome::Ok);
    let (mut session, token) = services.new_token_session(context, now, user_id);
    let hash = token.hash();
    let notice = services.sign_in_notice(now);
    let wanted = login.tenant;
    let (is_locked, view) = services
        .store
        .write(move |tx| {
            let account = proven.lock(tx, now)?;
            let memberships = memberships::list_of_user(tx, user_id)?;
            let membership = match wanted {
                None => memberships.first().ok_or(Error::Forbidden)?,
                Some(slug) => {
                    let tenant = tenants::find_by_slug(tx, &slug)?;
                    let id = tenant.ok_or(Error::OrganizationNotFound)?.organization_id;
                    memberships
                        .iter()
                        .find(|membership| membership.organization_id == id)
                        .ok_or(Error::OrganizationNotFound)?
                }
            };
            session.organization_id = membership.organization_id;
            let view = View::of(tx, Profile::of(&account.user, membership))?;
            // Who must have a second factor and has none stays outside: these clients enrol nobody.
            let is_locked = totp::is_enrolled(tx, user_id)? || view.tenant.require_mfa;
            let is_from_elsewhere = sessions::is_from_elsewhere(tx, &session)?;
            session_tokens::insert(tx, &session, hash.as_str(), is_locked)?;
            if is_from_elsewhere {
                tell_owner(tx, &session, notice)?;
            }
            if !is_locked {
                audit::insert(
                    tx,
                    &AuditEntry {
                        actor_id: Some(user_id),
                        subject_id: Some(user_id),
                        organization_id: Some(session.organization_id),
                        ..entry
                    },
                )?;
            }
            Ok::<_, Error>((is_locked, view))
        })
        .await?;
    Ok(Begun {
        token,
        is_locked,
        view,
    })
}
