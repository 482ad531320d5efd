//! Registering an account in an existing organization.

use crate::domain::audit::{Action, Method};
use crate::domain::{Email, Organization, OrganizationId, OwnWords, PersonName, Role, User};
use crate::service::accounts::verify_email::send_verification;
use crate::service::invitations::invite_by_rule;
use crate::service::limits::{Whose, permit_hashing};
use crate::service::mail::gate;
use crate::service::organizations::switch::admit_instead;
use crate::service::sign_in::entry::{Carrier, Entry, Proof, enter, questions};
use crate::service::sign_in::subject::Subject;
use crate::service::{Error, Profile, RequestContext, Result, Services, SignIn};
use crate::store::{organizations, users};

pub struct RegisterIntoOrganization<'a> {
    pub email: Email,
    pub password: &'a str,
    pub name: PersonName,
    pub organization_id: OrganizationId,
}

/// The result of registering.
pub enum Joined {
    SignIn(SignIn),
    /// The account exists, and can sign in once its address is verified.
    Unverified(Profile),
}

/// The new user is always an `employee`. If the organization requires a second factor, they are signed in after
/// enrolling one.
///
/// An address at an allowed domain must be verified before it counts. So such users are refused like all others, and
/// get an invitation by e-mail.
///
/// # Errors
/// `RegistrationClosed` unless registration is open to everyone, `Invalid`, `OrganizationNotFound`,
/// `InvitationRequired` unless the organization is open to everyone, `EmailTaken`.
pub async fn register_into_organization(
    services: &Services,
    context: &RequestContext,
    join: RegisterIntoOrganization<'_>,
) -> Result<Joined> {
    let rules = &services.self_service;
    if !rules.lets_register(Some(&join.email)) {
        return Err(Error::RegistrationClosed);
    }
    let is_open = rules.lets_register(None);
    let organization_id = join.organization_id;
    let permit = permit_hashing(services, context, Whose::Typed(join.email.clone())).await?;
    let organization = services
        .store
        .look_up(context, move |tx| organizations::find(tx, organization_id))
        .await?;
    let own = OwnWords::new(Some(&join.email), [join.name.as_str()]).with(&organization);
    let password = services
        .passwords
        .read_new(&permit, "password", join.password, own)
        .await?;

    let email = join.email.clone();
    let (organization, is_taken) = services
        .store
        .look_up(context, move |tx| {
            tx.ahead(|tx| {
                let organization = organizations::find(tx, organization_id);
                (organization, users::find_account_by_email(tx, &email))
            });
            let organization = organizations::find(tx, organization_id)?;
            let is_taken = users::find_account_by_email(tx, &email)?.is_some();
            Ok::<_, Error>((organization, is_taken))
        })
        .await?;
    // Hashing is expensive, so refuse before hashing where we can.
    match judge(organization, &join.email, is_open)? {
        Admission::Now if is_taken => return Err(Error::EmailTaken),
        Admission::Now => {}
        Admission::AfterVerification => {
            invite_by_rule(services, context, organization_id, join.email).await?;
            return Err(if is_open {
                Error::InvitationRequired
            } else {
                Error::RegistrationClosed
            });
        }
    }
    let password_hash = services.passwords.hash(&permit, password).await?;

    let begins_session = !services.require_verified_email;
    let registered = services
        .write(context, move |unit| {
            unit.tx.ahead(|tx| {
                let organization = organizations::find(tx, organization_id);
                (organization, organizations::hold(tx, organization_id))
            });
            let now = unit.now;
            let user = User::new(now, unit.random(), Some(join.email.clone()), join.name);
            let created = users::insert(unit.tx, &user, None, Some(password_hash.as_str()))
                .map_err(Error::taken_email)?;
            unit.announce(created);
            let organization = organizations::find(unit.tx, organization_id)?;
            if judge(organization, &join.email, is_open)? != Admission::Now {
                return Err(Error::InvitationRequired);
            }
            if begins_session {
                let entry = questions(unit, user.id, Some(organization_id));
                unit.tx.ahead(entry);
            }
            gate::ask_for_registration(unit, &join.email, Some(organization_id))?;
            // Their first organization.
            let membership = admit_instead(unit, user.id, organization_id, Role::Employee)?;
            send_verification(unit, &user, &join.email, Some(organization_id))?;
            let event = unit.event(Action::Registered).own(user.id);
            unit.record(event.within(organization_id).by(Method::Registration))?;
            if !begins_session {
                return unit.recorded(Registered::Unverified(Profile::of(
                    &user,
                    Some(&membership),
                )));
            }
            let proof = Proof::Registration(Subject {
                user,
                membership: Some(membership),
            });
            let entry = enter(unit, proof, Carrier::Jwt)?;
            unit.recorded(Registered::Entry(Box::new(entry)))
        })
        .await?;
    Ok(match registered {
        Registered::Unverified(profile) => Joined::Unverified(profile),
        Registered::Entry(entry) => Joined::SignIn(entry.issue(services)?),
    })
}

enum Registered {
    Entry(Box<Entry>),
    Unverified(Profile),
}

/// When a user with an unverified address may join.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Admission {
    Now,
    AfterVerification,
}

/// `is_open`: registration is open to everyone.
fn judge(organization: Option<Organization>, email: &Email, is_open: bool) -> Result<Admission> {
    let organization = organization.ok_or(Error::OrganizationNotFound)?;
    if is_open && organization.lets_in(None) {
        Ok(Admission::Now)
    } else if organization.lets_in(Some(email)) {
        Ok(Admission::AfterVerification)
    } else {
        Err(Error::InvitationRequired)
    }
}
