//! Accepts an invitation by creating an account.

use std::sync::Arc;

use crate::crypto::password::StoredHash;
use crate::domain::audit::{Action, Method};
use crate::domain::{Email, OwnWords, PersonName, User};
use crate::service::invitations::open_invitation::OpenInvitation;
use crate::service::limits::{Whose, permit_hashing};
use crate::service::sign_in::entry::{Carrier, Proof, enter};
use crate::service::sign_in::subject::Subject;
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Error, RequestContext, Result, Services, SignIn};
use crate::store::users;

pub struct RegisterInvited<'a> {
    pub email: Email,
    pub password: &'a str,
    pub name: PersonName,
    pub token: &'a str,
}

/// Creates an account with a verified address and the invited role, and a session if the organization requires no
/// second factor.
///
/// # Errors
/// `Invalid`, `InvalidOrExpiredToken`, `OrganizationClosed`; `InvitationNotYours` for another address than the invited
/// one; `RegistrationClosed` if the invitation opens nothing; `EmailTaken`. The link then stays valid.
pub async fn register(
    services: &Services,
    context: &RequestContext,
    register: RegisterInvited<'_>,
) -> Result<SignIn> {
    let new_member = NewMember::prepare(services, context, register).await?;
    let entry = services
        .write(context, move |unit| {
            let subject = new_member.create(unit)?;
            let entry = enter(unit, Proof::Registration(subject), Carrier::Jwt)?;
            unit.recorded(entry)
        })
        .await?;
    entry.issue(services)
}

/// As [`register`], without a session.
///
/// # Errors
/// As [`register`].
pub async fn create_account(
    services: &Services,
    context: &RequestContext,
    register: RegisterInvited<'_>,
) -> Result<()> {
    let new_member = NewMember::prepare(services, context, register).await?;
    services
        .write(context, move |unit| {
            new_member.create(unit)?;
            unit.recorded(())
        })
        .await
}

/// The account to create.
struct NewMember {
    name: PersonName,
    email: Email,
    password_hash: StoredHash,
    token: String,
}

impl NewMember {
    async fn prepare(
        services: &Services,
        context: &RequestContext,
        register: RegisterInvited<'_>,
    ) -> Result<Self> {
        let whose = Whose::Typed(register.email.clone());
        let permit = permit_hashing(services, context, whose).await?;
        let (email, token) = (register.email.clone(), register.token.to_owned());
        let now = services.now();
        let (opened, token) = services
            .store
            .read(context, move |tx| {
                Ok::<_, Error>((OpenInvitation::preview(tx, &token, now), token))
            })
            .await?;
        let organization = opened.ok().map(|opened| opened.organization);
        let own = OwnWords::new(Some(&email), [register.name.as_str()]).with(&organization);
        let password = services
            .passwords
            .read_new(&permit, "password", register.password, own)
            .await?;
        let rules = Arc::clone(&services.self_service);
        services
            .store
            .read(context, move |tx| {
                let opened = OpenInvitation::preview(tx, &token, now)?;
                must_be_invited(&opened, &email)?;
                if !rules.lets_register_invited(&opened.invitation) {
                    return Err(Error::RegistrationClosed);
                }
                // Hashing is expensive, so refuse before hashing where we can.
                match users::find_account_by_email(tx, &email)? {
                    None => Ok(()),
                    Some(_) => Err(Error::EmailTaken),
                }
            })
            .await?;
        Ok(Self {
            password_hash: services.passwords.hash(&permit, password).await?,
            name: register.name,
            email: register.email,
            token: register.token.to_owned(),
        })
    }

    fn create(self, unit: &mut UnitOfWork<'_, '_>) -> Result<Subject> {
        let user = User::new(unit.now, unit.random(), Some(self.email.clone()), self.name);
        let opened = OpenInvitation::accept(unit, &self.token, user.id)?;
        must_be_invited(&opened, &self.email)?;
        let created = users::insert(unit.tx, &user, None, Some(self.password_hash.as_str()))
            .map_err(Error::taken_email)?;
        unit.announce(created);
        let user = opened.verify_address(unit, user)?;
        let membership = opened.admit(unit, &user)?;
        let event = unit.event(Action::Registered).own(user.id);
        let event = event.within(membership.organization_id);
        unit.record(event.by(Method::Invitation))?;
        Ok(Subject {
            user,
            membership: Some(membership),
        })
    }
}

fn must_be_invited(opened: &OpenInvitation, email: &Email) -> Result<()> {
    if opened.invitation.email == *email {
        Ok(())
    } else {
        Err(Error::InvitationNotYours)
    }
}
