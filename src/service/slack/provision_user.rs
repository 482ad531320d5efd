//! Just-in-time provisioning: which user, in which organization, somebody from Slack is.
//!
//! An organization is a workspace's, a user is an account's in it. Nobody joins anything by an e-mail address: at
//! Slack it may be missing, changes, and is under the control of a workspace's admins.

use crate::domain::audit::{Action, Method};
use crate::domain::{
    Change, Email, JoinPolicy, Membership, OrganizationId, OrganizationName, PersonName, Role,
    SessionId, SignInFailure, SlackPerson, User, UserId,
};
use crate::service::organizations::register::insert_organization;
use crate::service::organizations::switch::{OrganizationSwitch, switch_session};
use crate::service::sign_in::entry::{Carrier, Entry, Proof, enter};
use crate::service::sign_in::subject::Subject;
use crate::service::unit_of_work::{Finished, UnitOfWork};
use crate::service::{Error, RequestContext, Result, Services};
use crate::store::{StoreError, identities, memberships, sessions, users, workspaces};

/// How often to look again after losing to another sign-in of the same moment. Each loss means that somebody
/// else won, and there are few things to win.
const ATTEMPTS: usize = 8;

/// Somebody from Slack and the rules for making their account.
#[derive(Clone)]
pub(in crate::service) struct SlackSignIn {
    pub person: SlackPerson,
    pub workspace_name: Option<String>,
    first_role: Role,
    join_policy: JoinPolicy,
}

impl SlackSignIn {
    pub fn new(
        services: &Services,
        person: SlackPerson,
        workspace_name: Option<String>,
    ) -> Result<Self> {
        Ok(Self {
            first_role: person.first_role(services.slack()?.first_user_role),
            person,
            workspace_name,
            join_policy: services.default_join_policy,
        })
    }

    fn user(&self, unit: &mut UnitOfWork<'_, '_>) -> User {
        let email = self.person.email.as_deref();
        let email = email.and_then(|email| Email::parse(email).ok());
        let name = self.person.name.as_deref();
        let name = name
            .and_then(PersonName::from_elsewhere)
            .or_else(|| PersonName::from_elsewhere(email.as_ref()?.local_part()))
            .unwrap_or_else(|| PersonName::from_stored("Somebody from Slack".to_owned()));
        User::new(unit.now, unit.random(), email, name)
    }

    /// The workspace's organization, and the role of somebody who comes to it now. It is made if there is none; then
    /// the action says so.
    fn organization(
        &self,
        unit: &mut UnitOfWork<'_, '_>,
    ) -> Result<(OrganizationId, Role, Action)> {
        let team_id = &self.person.account.team_id;
        if let Some(id) = workspaces::find(unit.tx, team_id)? {
            return Ok((id, Role::Employee, Action::Registered));
        }
        let name = self
            .workspace_name
            .as_deref()
            .and_then(OrganizationName::from_elsewhere)
            .unwrap_or_else(|| OrganizationName::from_stored("Slack workspace".to_owned()));
        let id = insert_organization(unit, name, self.join_policy)?.id;
        workspaces::insert(unit.tx, team_id, id, unit.now).map_err(lost)?;
        Ok((id, self.first_role, Action::OrganizationFounded))
    }
}

/// Unique constraints decide which of several sign-ins makes a thing; the others find it when they look again.
fn lost(error: StoreError) -> Error {
    match error {
        StoreError::Taken(_) => Error::Conflict,
        other => other.into(),
    }
}

async fn until_settled<T: Send + 'static>(
    services: &Services,
    context: &RequestContext,
    work: impl Fn(&mut UnitOfWork<'_, '_>) -> Result<Finished<T>> + Clone + Send + 'static,
) -> Result<T> {
    for _ in 0..ATTEMPTS {
        match services.write(context, work.clone()).await {
            Err(Error::Conflict) => {}
            settled => return settled,
        }
    }
    Err(Error::Busy("sign-ins from one workspace"))
}

/// Finds or makes organization, user, identity and membership, and begins the session, in one transaction.
///
/// # Errors
/// `NotAllowed` for disabled accounts and for people who were removed from the organization, `AccountExists` when
/// the address belongs to an account that is not linked.
pub(in crate::service) async fn sign_in(
    services: &Services,
    context: &RequestContext,
    slack: SlackSignIn,
) -> Result<Entry> {
    until_settled(services, context, move |unit| {
        let entry = match provision(unit, &slack)? {
            Provisioned::Known(subject) => enter(unit, Proof::Slack(subject), Carrier::Jwt)?,
            Provisioned::New(subject) => enter(unit, Proof::Registration(subject), Carrier::Jwt)?,
        };
        unit.recorded_if_changed(entry)
    })
    .await
}

/// As [`sign_in`], for somebody whose session begins when they redeem a code.
///
/// # Errors
/// As [`sign_in`].
pub(in crate::service) async fn find_or_create(
    services: &Services,
    context: &RequestContext,
    slack: SlackSignIn,
) -> Result<Subject> {
    until_settled(services, context, move |unit| {
        let (Provisioned::Known(subject) | Provisioned::New(subject)) = provision(unit, &slack)?;
        unit.recorded_if_changed(subject)
    })
    .await
}

enum Provisioned {
    Known(Subject),
    /// Made now, and recorded.
    New(Subject),
}

fn provision(unit: &mut UnitOfWork<'_, '_>, slack: &SlackSignIn) -> Result<Provisioned> {
    match identities::find(unit.tx, &slack.person.account)? {
        Some(user_id) => known(unit, slack, user_id).map(Provisioned::Known),
        None => create(unit, slack).map(Provisioned::New),
    }
}

/// Somebody whose identity is linked.
fn known(unit: &mut UnitOfWork<'_, '_>, slack: &SlackSignIn, user_id: UserId) -> Result<Subject> {
    let organization_id = workspaces::find(unit.tx, &slack.person.account.team_id)?
        .ok_or(SignInFailure::NotAllowed)?;
    member(unit, user_id, organization_id)
}

/// # Errors
/// `NotAllowed` for a disabled account, and for somebody who is not a member.
pub(in crate::service) fn member(
    unit: &mut UnitOfWork<'_, '_>,
    user_id: UserId,
    organization_id: OrganizationId,
) -> Result<Subject> {
    let user = users::lock_enabled_account(unit.tx, user_id)?
        .ok_or(SignInFailure::NotAllowed)?
        .user;
    let membership =
        memberships::find(unit.tx, user_id, organization_id)?.ok_or(SignInFailure::NotAllowed)?;
    Ok(Subject { user, membership })
}

/// Somebody who is new, perhaps from a workspace that is.
fn create(unit: &mut UnitOfWork<'_, '_>, slack: &SlackSignIn) -> Result<Subject> {
    let user = slack.user(unit);
    if let Some(email) = &user.email
        && users::find_account_by_email(unit.tx, email)?.is_some()
    {
        // Another sign-in of this person may have been committed since their identity was looked for.
        return match identities::find(unit.tx, &slack.person.account)? {
            Some(_) => Err(Error::Conflict),
            None => Err(SignInFailure::AccountExists.into()),
        };
    }
    let (organization_id, role, action) = slack.organization(unit)?;
    let membership = Membership {
        user_id: user.id,
        organization_id,
        role,
        manager_id: None,
    };
    users::insert(unit.tx, &user, None, None).map_err(lost)?;
    memberships::insert(unit.tx, &membership, unit.now).map_err(lost)?;
    identities::insert(unit.tx, &slack.person.account, user.id, unit.now).map_err(lost)?;
    let event = unit.event(action).own(user.id).within(organization_id);
    unit.record(event.by(Method::Slack))?;
    Ok(Subject { user, membership })
}

/// Links the identity to somebody who is signed in, and makes them a member of the
/// workspace's organization. The session goes on, and speaks for that organization from now on, unless that
/// requires a second factor and the person has none.
///
/// # Errors
/// `AccountExists` when the identity is another user's; `SignInExpired` when the session has ended;
/// `NotAllowed` for disabled accounts and for people who were removed from the organization.
pub(in crate::service) async fn link(
    services: &Services,
    context: &RequestContext,
    slack: SlackSignIn,
    user_id: UserId,
    session_id: SessionId,
) -> Result<OrganizationSwitch> {
    until_settled(services, context, move |unit| {
        let now = unit.now;
        let user = users::lock_enabled_account(unit.tx, user_id)?
            .ok_or(SignInFailure::NotAllowed)?
            .user;
        let session = sessions::lock_open(unit.tx, session_id)?
            .filter(|session| session.is_live(now))
            .ok_or(SignInFailure::SignInExpired)?;
        let owner = identities::find(unit.tx, &slack.person.account)?;
        if owner.is_some_and(|owner| owner != user_id) {
            return Err(SignInFailure::AccountExists.into());
        }
        let (organization_id, role, _) = slack.organization(unit)?;
        let place = memberships::find(unit.tx, user_id, organization_id)?;
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
                memberships::insert(unit.tx, &membership, now).map_err(lost)?;
                membership
            }
        };
        let switch = switch_session(unit, &session, &user, &membership)?;
        if owner.is_none() {
            identities::insert(unit.tx, &slack.person.account, user_id, now).map_err(lost)?;
        }
        unit.changed(Change::PersonChanged { user_id });
        let event = unit.event(Action::IdentityLinked).own(user_id);
        unit.finish(event.within(organization_id).by(Method::Slack), switch)
    })
    .await
}
