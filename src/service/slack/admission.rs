//! Which user, in which organization, somebody from Slack is.
//!
//! An organization is a workspace's, a user is an account's in it. An e-mail address joins nobody to
//! anything: at Slack it may be missing, changes, and is in the hands of a workspace's admins.

use chrono::{DateTime, Utc};

use crate::crypto::opaque::Opaque;
use crate::domain::audit::{Action, AuditEntry, Outcome};
use crate::domain::{
    Change, Email, JoinPolicy, Membership, OrganizationId, OrganizationName, PersonName, Role,
    Session, SessionId, SignInFailure, SlackPerson, User, UserId, lifetimes,
};
use crate::service::mfa::{self, PendingSignIn, SecondFactor};
use crate::service::organizations::register::insert_organization;
use crate::service::sign_in::begin_session::{SignInNotice, begin_session};
use crate::service::{Error, Profile, RequestContext, Result, Services, SignIn, record_changes};
use crate::store::{StoreError, Tx, audit, identities, memberships, sessions, users, workspaces};

/// Who looks again after having lost to another sign-in of the same moment. Each loss means that somebody
/// else won, and there are few things to win.
const ATTEMPTS: usize = 8;

/// Somebody from Slack and everything that might have to be made for them.
#[derive(Clone)]
pub(in crate::service) struct SlackSignIn {
    pub person: SlackPerson,
    pub workspace_name: Option<String>,
    now: DateTime<Utc>,
    user_id: UserId,
    organization_id: OrganizationId,
    first_role: Role,
    join_policy: JoinPolicy,
    /// Without user and organization yet.
    session: Session,
    /// Where a second factor is wanted.
    second_factor_token: Opaque,
    notice: SignInNotice,
    entry: AuditEntry,
}

/// What the admitted gets at once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::service) enum Admission {
    Session,
    /// Nothing: the session begins when its code is redeemed.
    Later,
}

/// Somebody who may enter.
pub(in crate::service) struct Admitted {
    pub profile: Profile,
    token_version: i32,
    now: DateTime<Utc>,
    session: Session,
    /// Wanted before there is a session, or before it speaks for the organization.
    second_factor: Option<SecondFactor>,
}

impl SlackSignIn {
    pub fn new(
        services: &Services,
        context: &RequestContext,
        person: SlackPerson,
        workspace_name: Option<String>,
    ) -> Result<Self> {
        let now = services.now();
        Ok(Self {
            first_role: person.first_role(services.slack()?.first_user_role),
            person,
            workspace_name,
            now,
            user_id: UserId::new(now, services.random()),
            organization_id: OrganizationId::new(now, services.random()),
            join_policy: services.default_join_policy,
            session: services.new_session(context, now, UserId::NIL, OrganizationId::NIL),
            second_factor_token: Opaque::new(services.random()),
            notice: services.sign_in_notice(now),
            entry: services.audit(context, now, Action::Login, Outcome::Ok),
        })
    }

    fn email(&self) -> Option<Email> {
        Email::parse(self.person.email.as_deref()?).ok()
    }

    fn user(&self) -> User {
        let email = self.email();
        let name = self.person.name.as_deref();
        let name = name
            .and_then(PersonName::from_elsewhere)
            .or_else(|| PersonName::from_elsewhere(email.as_ref()?.local_part()))
            .unwrap_or_else(|| PersonName::from_stored("Somebody from Slack".to_owned()));
        User {
            id: self.user_id,
            email,
            name,
            token_version: 0,
            disabled_at: None,
            created_at: self.now,
        }
    }

    fn audit(&self, tx: &mut Tx<'_>, action: Action, of: &Membership) -> Result<(), StoreError> {
        audit::insert(
            tx,
            &AuditEntry {
                action,
                actor_id: Some(of.user_id),
                subject_id: Some(of.user_id),
                organization_id: Some(of.organization_id),
                ..self.entry.clone()
            },
        )
    }

    /// The workspace's organization, made if there is none, and the role of whoever comes to it now.
    fn organization(&self, tx: &mut Tx<'_>) -> Result<(OrganizationId, Role), Attempt> {
        let team_id = &self.person.account.team_id;
        if let Some(id) = workspaces::find(tx, team_id)? {
            return Ok((id, Role::Employee));
        }
        let name = self
            .workspace_name
            .as_deref()
            .and_then(OrganizationName::from_elsewhere)
            .unwrap_or_else(|| OrganizationName::from_stored("Slack workspace".to_owned()));
        let id = self.organization_id;
        insert_organization(tx, id, name, self.join_policy, self.now)?;
        workspaces::insert(tx, team_id, id, self.now)?;
        Ok((id, self.first_role))
    }
}

impl Admitted {
    pub fn issue(self, services: &Services) -> SignIn {
        match self.second_factor {
            Some(second_factor) => SignIn::SecondFactor(second_factor),
            None => SignIn::Complete(services.tokens.issue(
                self.now,
                &self.session,
                self.token_version,
                self.profile,
            )),
        }
    }
}

/// How a transaction ended that another of the same moment may have crossed.
enum Attempt {
    /// Somebody else has just made what was to be made.
    Lost,
    Failed(Error),
}

impl From<StoreError> for Attempt {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken(_) => Self::Lost,
            other => Self::Failed(other.into()),
        }
    }
}

impl From<Error> for Attempt {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<SignInFailure> for Attempt {
    fn from(failure: SignInFailure) -> Self {
        Self::Failed(failure.into())
    }
}

/// Unique constraints decide who of several makes a thing; the others find it when they look again.
async fn until_settled<T: Send + 'static>(
    services: &Services,
    work: impl Fn(&mut Tx<'_>) -> Result<T, Attempt> + Clone + Send + 'static,
) -> Result<T> {
    for _ in 0..ATTEMPTS {
        match services.store.write(work.clone()).await {
            Ok(done) => return Ok(done),
            Err(Attempt::Lost) => {}
            Err(Attempt::Failed(error)) => return Err(error),
        }
    }
    Err(Error::Busy("sign-ins from one workspace"))
}

/// Finds or makes organization, user, identity and membership, and the session, in one transaction.
///
/// # Errors
/// `NotAllowed` for the disabled and for those who were removed from the organization, `AccountExists` when
/// the address belongs to an account that is not linked.
pub(in crate::service) async fn admit(
    services: &Services,
    slack_sign_in: SlackSignIn,
    admission: Admission,
) -> Result<Admitted> {
    until_settled(services, move |tx| {
        let (user, membership, action) = match identities::find(tx, &slack_sign_in.person.account)?
        {
            Some(user_id) => {
                let (user, membership) = known(tx, &slack_sign_in, user_id)?;
                (user, membership, Action::Login)
            }
            None => enter(tx, &slack_sign_in)?,
        };
        let session = Session {
            user_id: user.id,
            organization_id: membership.organization_id,
            ..slack_sign_in.session.clone()
        };
        let second_factor = match admission {
            Admission::Session => {
                let half = half_of(&membership);
                let token = slack_sign_in.second_factor_token.clone();
                mfa::still_needed(tx, token, half, slack_sign_in.now)?
            }
            Admission::Later => None,
        };
        let begins = admission == Admission::Session && second_factor.is_none();
        if begins {
            begin_session(tx, &session, slack_sign_in.notice.clone())?;
        }
        if begins || action != Action::Login {
            slack_sign_in.audit(tx, action, &membership)?;
        }
        Ok(Admitted {
            second_factor,
            profile: Profile::of(&user, &membership),
            token_version: user.token_version,
            now: slack_sign_in.now,
            session,
        })
    })
    .await
}

fn half_of(membership: &Membership) -> PendingSignIn {
    PendingSignIn {
        user_id: membership.user_id,
        organization_id: membership.organization_id,
    }
}

/// Somebody who was here before.
fn known(
    tx: &mut Tx<'_>,
    slack_sign_in: &SlackSignIn,
    user_id: UserId,
) -> Result<(User, Membership), Attempt> {
    let organization_id = workspaces::find(tx, &slack_sign_in.person.account.team_id)?;
    let account = users::lock_account(tx, user_id)?;
    let user = account
        .map(|account| account.user)
        .filter(|user| user.disabled_at.is_none())
        .ok_or(SignInFailure::NotAllowed)?;
    let membership = memberships::list_of_user(tx, user_id)?
        .into_iter()
        .find(|membership| Some(membership.organization_id) == organization_id)
        .ok_or(SignInFailure::NotAllowed)?;
    Ok((user, membership))
}

/// Somebody who is new, perhaps from a workspace that is.
fn enter(
    tx: &mut Tx<'_>,
    slack_sign_in: &SlackSignIn,
) -> Result<(User, Membership, Action), Attempt> {
    let user = slack_sign_in.user();
    if let Some(email) = &user.email
        && users::find_account_by_email(tx, email)?.is_some()
    {
        // Another sign-in of this person may have been committed since their identity was looked for.
        return match identities::find(tx, &slack_sign_in.person.account)? {
            Some(_) => Err(Attempt::Lost),
            None => Err(SignInFailure::AccountExists.into()),
        };
    }
    let (organization_id, role) = slack_sign_in.organization(tx)?;
    let action = if organization_id == slack_sign_in.organization_id {
        Action::OrganizationFounded
    } else {
        Action::Registered
    };
    let membership = Membership {
        user_id: user.id,
        organization_id,
        role,
        manager_id: None,
    };
    users::insert(tx, &user, None, None)?;
    memberships::insert(tx, &membership, slack_sign_in.now)?;
    identities::insert(
        tx,
        &slack_sign_in.person.account,
        user.id,
        slack_sign_in.now,
    )?;
    Ok((user, membership, action))
}

/// Attaches the slack_sign_in's identity to somebody who is signed in, and makes them a member of the
/// workspace's organization. The session goes on, and speaks for that organization from now on, unless that
/// wants a second factor and the person has none.
///
/// # Errors
/// `AccountExists` when the identity is another user's; `SignInExpired` when the session has ended;
/// `NotAllowed` for the disabled and those who were removed from the organization.
pub(in crate::service) async fn attach(
    services: &Services,
    slack_sign_in: SlackSignIn,
    user_id: UserId,
    session_id: SessionId,
) -> Result<SignIn> {
    let now = slack_sign_in.now;
    let changes = [Change::PersonChanged { user_id }];
    let admitted = until_settled(services, move |tx| {
        let account = users::lock_account(tx, user_id)?;
        let user = account
            .map(|account| account.user)
            .filter(|user| user.disabled_at.is_none())
            .ok_or(SignInFailure::NotAllowed)?;
        let owner = identities::find(tx, &slack_sign_in.person.account)?;
        if owner.is_some_and(|owner| owner != user_id) {
            return Err(SignInFailure::AccountExists.into());
        }
        let (organization_id, role) = slack_sign_in.organization(tx)?;
        let place = memberships::list_of_user(tx, user_id)?
            .into_iter()
            .find(|membership| membership.organization_id == organization_id);
        let membership = match (place, owner) {
            (Some(membership), _) => membership,
            (None, Some(_)) => return Err(SignInFailure::NotAllowed.into()),
            (None, None) => {
                let membership = Membership {
                    user_id,
                    organization_id,
                    role,
                    manager_id: None,
                };
                memberships::insert(tx, &membership, now)?;
                membership
            }
        };
        let token = slack_sign_in.second_factor_token.clone();
        let second_factor = mfa::enrolment_needed(tx, token, half_of(&membership), now)?;
        let session = sessions::find(tx, session_id)?.ok_or(SignInFailure::SignInExpired)?;
        let speaks_for = match second_factor {
            None => organization_id,
            Some(_) => session.organization_id,
        };
        if !sessions::touch(tx, session_id, speaks_for, now)? {
            return Err(SignInFailure::SignInExpired.into());
        }
        if owner.is_none() {
            identities::insert(tx, &slack_sign_in.person.account, user_id, now)?;
        }
        slack_sign_in.audit(tx, Action::IdentityLinked, &membership)?;
        record_changes(tx, &changes, now)?;
        Ok(Admitted {
            profile: Profile::of(&user, &membership),
            token_version: user.token_version,
            now,
            session,
            second_factor,
        })
    })
    .await?;
    services
        .revocations
        .apply(&changes, now + lifetimes::ACCESS_TOKEN);
    Ok(admitted.issue(services))
}
