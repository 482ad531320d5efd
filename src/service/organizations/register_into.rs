//! Registration into an organization that is there already.

use crate::crypto::opaque::Opaque;
use crate::domain::audit::{Action, AuditEntry, Outcome};
use crate::domain::{Email, Membership, OrganizationId, PersonName, Role, User, UserId};
use crate::service::invitations::invite_by_rule;
use crate::service::mfa::{self, PendingSignIn};
use crate::service::sign_in::begin_session::begin_session;
use crate::service::{Error, Profile, RequestContext, Result, Services, SignIn};
use crate::store::{Tx, audit, memberships, organizations, users};

pub struct RegisterIntoOrganization<'a> {
    pub email: Email,
    pub password: &'a str,
    pub name: PersonName,
    pub organization_id: OrganizationId,
}

/// What joining leads to.
pub enum Joined {
    SignIn(SignIn),
    /// The account is there, and nobody is signed in before its address is proved.
    Unverified(Profile),
}

/// The newcomer is an `employee`, whatever they ask for. Where everybody must have a second factor, they are
/// signed in when they have enrolled one.
///
/// An address of a domain that an organization takes people from must be proved before it counts. So its newcomers are
/// refused like all others, and get an invitation by mail.
///
/// # Errors
/// `Invalid`, `OrganizationNotFound`, `InvitationRequired` unless the organization is open to anybody,
/// `EmailTaken`.
pub async fn register_into_organization(
    services: &Services,
    context: &RequestContext,
    join: RegisterIntoOrganization<'_>,
) -> Result<Joined> {
    let user_inputs = [
        join.email.as_str(),
        join.email.local_part(),
        join.name.as_str(),
    ];
    let password = services
        .passwords
        .read_new("password", join.password, &user_inputs)
        .await?;

    let organization_id = join.organization_id;
    let email = join.email.clone();
    let admission = services
        .store
        .read(move |tx| {
            let admission = judge(tx, organization_id, &email)?;
            // Hashing is dear, so whoever can be refused without it is.
            if admission == Admission::AtOnce && users::find_account_by_email(tx, &email)?.is_some()
            {
                return Err(Error::EmailTaken);
            }
            Ok(admission)
        })
        .await?;
    if admission == Admission::OnceProved {
        invite_by_rule(services, context, organization_id, join.email).await?;
        return Err(Error::InvitationRequired);
    }
    let password_hash = services.passwords.hash(password).await?;

    let now = services.now();
    let email = join.email;
    let user = User {
        id: UserId::new(now, services.random()),
        email: Some(email.clone()),
        name: join.name,
        token_version: 0,
        disabled_at: None,
        created_at: now,
    };
    let membership = Membership {
        user_id: user.id,
        organization_id,
        role: Role::Employee,
        manager_id: None,
    };
    let session = services.new_session(context, now, user.id, organization_id);
    let notice = services.sign_in_notice(now);
    let begins_session = !services.require_verified_email;
    let entry = AuditEntry {
        actor_id: Some(user.id),
        subject_id: Some(user.id),
        organization_id: Some(organization_id),
        ..services.audit(context, now, Action::Registered, Outcome::Ok)
    };
    let verification = services.verification(now, &user, &email);
    let profile = Profile::of(&user, &membership);
    let half = PendingSignIn {
        user_id: user.id,
        organization_id,
    };
    let second_factor_token = Opaque::new(services.random());
    let begun = services
        .store
        .write(move |tx| {
            if judge(tx, organization_id, &email)? != Admission::AtOnce {
                return Err(Error::InvitationRequired);
            }
            users::insert(tx, &user, None, Some(password_hash.as_str()))
                .map_err(Error::taken_email)?;
            memberships::insert(tx, &membership, now)?;
            verification.send(tx, now)?;
            audit::insert(tx, &entry)?;
            if !begins_session {
                return Ok(None);
            }
            if let Some(wanted) = mfa::still_needed(tx, second_factor_token, half, now)? {
                return Ok(Some(Err(wanted)));
            }
            begin_session(tx, &session, notice)?;
            Ok::<_, Error>(Some(Ok((session, user.token_version))))
        })
        .await?;
    Ok(match begun {
        None => Joined::Unverified(profile),
        Some(Ok((session, token_version))) => {
            let signed_in = services.tokens.issue(now, &session, token_version, profile);
            Joined::SignIn(SignIn::Complete(signed_in))
        }
        Some(Err(second_factor)) => Joined::SignIn(SignIn::SecondFactor(second_factor)),
    })
}

/// When somebody with an address that nobody has proved may join.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Admission {
    AtOnce,
    OnceProved,
}

fn judge(tx: &mut Tx<'_>, id: OrganizationId, email: &Email) -> Result<Admission> {
    let organization = organizations::find(tx, id)?.ok_or(Error::OrganizationNotFound)?;
    if organization.lets_in(None) {
        Ok(Admission::AtOnce)
    } else if organization.lets_in(Some(email)) {
        Ok(Admission::OnceProved)
    } else {
        Err(Error::InvitationRequired)
    }
}
