//! Somebody who has no account accepts an invitation.

use chrono::{DateTime, Utc};

use crate::crypto::opaque::Opaque;
use crate::crypto::password::StoredHash;
use crate::domain::audit::{Action, AuditEntry, Outcome};
use crate::domain::{Email, OrganizationId, PersonName, User, UserId};
use crate::service::invitations::opened::Opened;
use crate::service::mfa::{self, PendingSignIn};
use crate::service::sign_in::begin_session::begin_session;
use crate::service::{Error, Profile, RequestContext, Result, Services, SignIn};
use crate::store::{Tx, audit, users};

pub struct RegisterInvited<'a> {
    pub email: Email,
    pub password: &'a str,
    pub name: PersonName,
    pub token: &'a str,
}

/// An account with a proved address and the invited role, and a session, where the organization wants no second factor.
///
/// # Errors
/// `Invalid`, `InvalidOrExpiredToken`, `OrganizationClosed`; `InvitationNotYours` for another address than the invited
/// one; `EmailTaken`. The link stays good then.
pub async fn register(
    services: &Services,
    context: &RequestContext,
    register: RegisterInvited<'_>,
) -> Result<SignIn> {
    let new_member = NewMember::prepare(services, context, register).await?;
    let now = new_member.now;
    let mut session = services.new_session(context, now, new_member.user.id, OrganizationId::NIL);
    let notice = services.sign_in_notice(now);
    let second_factor_token = Opaque::new(services.random());
    let begun = services
        .store
        .write(move |tx| {
            let profile = new_member.enter(tx)?;
            let half = PendingSignIn {
                user_id: profile.id,
                organization_id: profile.organization_id,
            };
            if let Some(wanted) = mfa::still_needed(tx, second_factor_token, half, now)? {
                return Ok(Err(wanted));
            }
            session.organization_id = profile.organization_id;
            begin_session(tx, &session, notice)?;
            Ok::<_, Error>(Ok((session, profile)))
        })
        .await?;
    Ok(match begun {
        Ok((session, profile)) => {
            SignIn::Complete(services.tokens.issue(now, &session, 0, profile))
        }
        Err(second_factor) => SignIn::SecondFactor(second_factor),
    })
}

/// As [`register`], and nobody is signed in.
///
/// # Errors
/// As [`register`].
pub async fn open_account(
    services: &Services,
    context: &RequestContext,
    register: RegisterInvited<'_>,
) -> Result<()> {
    let new_member = NewMember::prepare(services, context, register).await?;
    services
        .store
        .write(move |tx| new_member.enter(tx).map(drop))
        .await
}

/// Somebody whose account is to be made.
struct NewMember {
    now: DateTime<Utc>,
    user: User,
    email: Email,
    password_hash: StoredHash,
    token: String,
    entry: AuditEntry,
}

impl NewMember {
    async fn prepare(
        services: &Services,
        context: &RequestContext,
        register: RegisterInvited<'_>,
    ) -> Result<Self> {
        let user_inputs = [
            register.email.as_str(),
            register.email.local_part(),
            register.name.as_str(),
        ];
        let password = services
            .passwords
            .read_new("password", register.password, &user_inputs)
            .await?;
        let (email, token) = (register.email.clone(), register.token.to_owned());
        let asked_at = services.now();
        services
            .store
            .read(move |tx| {
                let opened = Opened::look(tx, &token, asked_at)?;
                must_be_invited(&opened, &email)?;
                // Hashing is dear, so whoever can be refused without it is.
                match users::find_account_by_email(tx, &email)? {
                    None => Ok(()),
                    Some(_) => Err(Error::EmailTaken),
                }
            })
            .await?;
        let password_hash = services.passwords.hash(password).await?;
        let now = services.now();
        Ok(Self {
            now,
            user: User {
                id: UserId::new(now, services.random()),
                email: Some(register.email.clone()),
                name: register.name,
                token_version: 0,
                disabled_at: None,
                created_at: now,
            },
            email: register.email,
            password_hash,
            token: register.token.to_owned(),
            entry: services.audit(context, now, Action::Registered, Outcome::Ok),
        })
    }

    fn enter(self, tx: &mut Tx<'_>) -> Result<Profile> {
        let now = self.now;
        let opened = Opened::accept(tx, &self.token, now)?;
        must_be_invited(&opened, &self.email)?;
        users::insert(tx, &self.user, None, Some(self.password_hash.as_str()))
            .map_err(Error::taken_email)?;
        let user = opened.prove_address(tx, self.user, now)?;
        let membership = opened.admit(tx, &user, now)?;
        audit::insert(
            tx,
            &AuditEntry {
                actor_id: Some(user.id),
                subject_id: Some(user.id),
                organization_id: Some(membership.organization_id),
                ..self.entry
            },
        )?;
        Ok(Profile::of(&user, &membership))
    }
}

fn must_be_invited(opened: &Opened, email: &Email) -> Result<()> {
    if opened.invitation.email == *email {
        Ok(())
    } else {
        Err(Error::InvitationNotYours)
    }
}
