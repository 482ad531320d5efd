//! Just-in-time provisioning: finds or creates the user and the organization of a Slack identity.
//!
//! An organization belongs to a workspace, a user to an account in it. E-mail addresses link nothing: at Slack they may
//! be missing, can change, and are controlled by the admins of a workspace.

use std::sync::Arc;

use crate::domain::audit::{Action, Method};
use crate::domain::{
    AllowedDomains, Change, Email, IdentityId, JoinPolicy, Membership, OrganizationId,
    OrganizationName, PersonName, Role, SelfService, SessionId, SignInFailure, SlackPerson, User,
    UserId,
};
use crate::service::invitations::is_invited;
use crate::service::organizations::register::insert_organization;
use crate::service::organizations::switch::{OrganizationSwitch, admit, switch_session};
use crate::service::sessions::lifetimes::lifetimes_in;
use crate::service::sign_in::entry::{Carrier, Entry, Proof, enter, questions};
use crate::service::sign_in::subject::{Subject, Wanted};
use crate::service::slack::unlink::notify_of_link;
use crate::service::unit_of_work::{Finished, UnitOfWork};
use crate::service::{Error, RequestContext, Result, Services};
use crate::store::users::Account;
use crate::store::{
    StoreError, Tx, former_identities, identities, memberships, organizations, sessions, users,
    workspaces,
};

/// How often to retry after a conflict with a concurrent sign-in. Each conflict means that another one succeeded, and
/// there are few things to insert.
const ATTEMPTS: usize = 8;

/// A user from Slack and the rules for creating their account.
#[derive(Clone)]
pub(in crate::service) struct SlackSignIn {
    pub person: SlackPerson,
    pub workspace_name: Option<String>,
    /// The slug of the organization to sign in to; without it, the workspace names one.
    pub tenant: Option<String>,
    first_role: Role,
    join_policy: JoinPolicy,
    /// Whether a password signs in only with a verified address.
    must_be_verified: bool,
    rules: Arc<SelfService>,
}

impl SlackSignIn {
    pub(super) fn new(
        services: &Services,
        person: SlackPerson,
        workspace_name: Option<String>,
    ) -> Result<Self> {
        Ok(Self {
            first_role: person.first_role(services.slack()?.first_user_role),
            person,
            workspace_name,
            tenant: None,
            join_policy: services.default_join_policy,
            must_be_verified: services.require_verified_email,
            rules: Arc::clone(&services.self_service),
        })
    }

    /// The confirmed address at Slack.
    fn email(&self) -> Option<Email> {
        Email::parse(self.person.email.as_deref()?).ok()
    }

    fn user(&self, unit: &mut UnitOfWork<'_, '_>) -> User {
        let email = self.email();
        let name = self.person.name.as_deref();
        let name = name
            .and_then(PersonName::from_elsewhere)
            .or_else(|| PersonName::from_elsewhere(email.as_ref()?.local_part()))
            .unwrap_or_else(|| PersonName::from_stored("Somebody from Slack".to_owned()));
        User::new(unit.now, unit.random(), email, name)
    }

    /// Refuses a newcomer to the workspace's organization, which may not exist yet, unless all rules let them in:
    /// `registration` if they get an account, and the organization's join policy or the setting for new ones. An
    /// invitation counts for the address, `verified` says whether the address also counts for domains.
    ///
    /// # Errors
    /// `NotAllowed`.
    fn must_be_let_in(
        &self,
        unit: &mut UnitOfWork<'_, '_>,
        registration: JoinPolicy,
        email: Option<&Email>,
        verified: Option<&Email>,
    ) -> Result<()> {
        let organization = match workspaces::find(unit.tx, &self.person.account.team_id)? {
            Some(id) => organizations::find(unit.tx, id)?,
            None => None,
        };
        let domains = &self.rules.domains;
        let second = match &organization {
            Some(there) => (there.join_policy, &there.allowed_domains),
            None => (self.rules.slack_organization_creation, domains),
        };
        let policies = [(registration, domains), second];
        let lets_in =
            |(policy, domains): (JoinPolicy, &AllowedDomains)| policy.lets_in(domains, verified);
        if policies.into_iter().all(lets_in) {
            return Ok(());
        }
        let is_closed = policies
            .iter()
            .any(|(policy, _)| *policy == JoinPolicy::Closed);
        match (&organization, email) {
            (Some(organization), Some(email))
                if !is_closed && is_invited(unit.tx, organization, email, unit.now)? =>
            {
                Ok(())
            }
            _ => Err(SignInFailure::NotAllowed.into()),
        }
    }

    /// The workspace's organization, which is created if there is none, and the role of a new member. The action tells
    /// whether it was created.
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
        workspaces::insert(unit.tx, team_id, id, unit.now).map_err(conflict)?;
        Ok((id, self.first_role, Action::OrganizationFounded))
    }
}

/// Unique constraints decide which of concurrent sign-ins inserts a row; the others find it when they retry.
fn conflict(error: StoreError) -> Error {
    match error {
        StoreError::Taken(_) => Error::Conflict,
        other => other.into(),
    }
}

async fn retry_conflicts<T: Send + 'static>(
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

/// Finds or creates organization, user, identity and membership, and begins the session, in one transaction.
///
/// # Errors
/// `NotAllowed` for disabled accounts and for users who were removed from the organization, whatever has become of
/// their accounts, and for those who do not belong to the tenant; `AccountExists` if the address belongs to an account that is not linked.
pub(in crate::service) async fn sign_in(
    services: &Services,
    context: &RequestContext,
    slack: SlackSignIn,
) -> Result<Entry> {
    retry_conflicts(services, context, move |unit| {
        let entry = match provision(unit, &slack)? {
            Provisioned::Known(subject) => enter(unit, Proof::Slack(subject), Carrier::Jwt)?,
            Provisioned::New(subject) => enter(unit, Proof::Registration(subject), Carrier::Jwt)?,
        };
        unit.recorded_if_changed(entry)
    })
    .await
}

/// As [`sign_in`], if the session begins only when a code is redeemed.
///
/// # Errors
/// As [`sign_in`].
pub(in crate::service) async fn find_or_create(
    services: &Services,
    context: &RequestContext,
    slack: SlackSignIn,
) -> Result<Subject> {
    retry_conflicts(services, context, move |unit| {
        let (Provisioned::Known(subject) | Provisioned::New(subject)) = provision(unit, &slack)?;
        unit.recorded_if_changed(subject)
    })
    .await
}

enum Provisioned {
    Known(Subject),
    /// Just created and recorded.
    New(Subject),
}

fn provision(unit: &mut UnitOfWork<'_, '_>, slack: &SlackSignIn) -> Result<Provisioned> {
    let account = &slack.person.account;
    unit.tx.ahead(|tx| {
        let workspace = workspaces::find(tx, &account.team_id);
        (identities::find(tx, account), workspace)
    });
    match identities::find(unit.tx, account)? {
        Some(user_id) => {
            let subject = known(unit, slack, user_id)?;
            at_tenant(unit, slack, subject).map(Provisioned::Known)
        }
        // Refused newcomers leave nothing behind: the transaction is rolled back.
        None => {
            let subject = create(unit, slack)?;
            at_tenant(unit, slack, subject).map(Provisioned::New)
        }
    }
}

/// The user in the tenant's organization, if the sign-in is for one. The workspace shows who they are, and names an
/// organization only otherwise.
fn at_tenant(
    unit: &mut UnitOfWork<'_, '_>,
    slack: &SlackSignIn,
    subject: Subject,
) -> Result<Subject> {
    let Some(slug) = &slack.tenant else {
        return Ok(subject);
    };
    let wanted = Wanted::Slug(slug.clone());
    Subject::signing_in(unit.tx, subject.user, &wanted).map_err(|error| match error {
        Error::OrganizationNotFound | Error::Forbidden => SignInFailure::NotAllowed.into(),
        other => other,
    })
}

/// A user whose identity is linked.
fn known(unit: &mut UnitOfWork<'_, '_>, slack: &SlackSignIn, user_id: UserId) -> Result<Subject> {
    let organization_id = workspaces::find(unit.tx, &slack.person.account.team_id)?;
    identities::update_workspace_admin(unit.tx, &slack.person)?;
    let entry = questions(unit, user_id, organization_id);
    unit.tx.ahead(|tx| {
        let place = |tx: &mut Tx<'_>| organization_id.map(|id| memberships::find(tx, user_id, id));
        // Whether they belong to it, and as what.
        (
            users::lock_account(tx, user_id),
            place(tx),
            place(tx),
            entry(tx),
        )
    });
    let account =
        users::lock_enabled_account(unit.tx, user_id)?.ok_or(SignInFailure::NotAllowed)?;
    let is_member = match organization_id {
        Some(id) => memberships::find(unit.tx, user_id, id)?.is_some(),
        None => false,
    };
    if !is_member && former_identities::is_removed(unit.tx, &slack.person.account)? {
        let has_another_way_in = account.signs_in_by_password(slack.must_be_verified)
            || identities::another_leads_in(unit.tx, user_id, None)?;
        if has_another_way_in {
            return Err(SignInFailure::NotAllowed.into());
        }
    }
    // People who belong to the workspace's organization no longer may still delete their account, or join another one.
    let wanted = organization_id.filter(|_| is_member);
    let subject = Subject::in_organization(unit.tx, account.user, wanted)?;
    fill_in_email(unit, slack, subject)
}

/// Gives an account without an address the one that Slack has confirmed, unless another account has it. It is not
/// verified here, links nobody, and never replaces another address.
fn fill_in_email(
    unit: &mut UnitOfWork<'_, '_>,
    slack: &SlackSignIn,
    mut subject: Subject,
) -> Result<Subject> {
    let Some(email) = slack.email().filter(|_| subject.user.email.is_none()) else {
        return Ok(subject);
    };
    if users::find_account_by_email(unit.tx, &email)?.is_some() {
        return Ok(subject);
    }
    let user_id = subject.user.id;
    let changed = users::set_email(unit.tx, user_id, &email, None, unit.now).map_err(conflict)?;
    unit.announce(changed);
    subject.user.email = Some(email);
    unit.changed(Change::PersonChanged { user_id });
    let event = subject.own(unit.event(Action::EmailChanged));
    unit.record(event.by(Method::Slack))?;
    Ok(subject)
}

/// The user of a code.
///
/// # Errors
/// `NotAllowed` for a disabled account, and for users who are not members of the organization, if there is one.
pub(in crate::service) fn subject(
    unit: &mut UnitOfWork<'_, '_>,
    user_id: UserId,
    organization_id: Option<OrganizationId>,
) -> Result<Subject> {
    let user = users::lock_enabled_account(unit.tx, user_id)?
        .ok_or(SignInFailure::NotAllowed)?
        .user;
    Subject::in_organization(unit.tx, user, organization_id).map_err(|error| match error {
        Error::OrganizationNotFound => SignInFailure::NotAllowed.into(),
        other => other,
    })
}

/// Refuses those who were removed from the workspace's organization, unless the account of their address is a member:
/// they have joined again with it, and are told to link Slack to it.
fn must_not_be_removed(
    unit: &mut UnitOfWork<'_, '_>,
    slack: &SlackSignIn,
    registered: Option<&Account>,
) -> Result<()> {
    let account = &slack.person.account;
    let enabled = registered.filter(|account| account.user.disabled_at.is_none());
    let is_member = match (enabled, workspaces::find(unit.tx, &account.team_id)?) {
        (Some(account), Some(id)) => memberships::find(unit.tx, account.user.id, id)?.is_some(),
        (None, _) | (_, None) => false,
    };
    if !is_member && former_identities::is_removed(unit.tx, account)? {
        return Err(SignInFailure::NotAllowed.into());
    }
    Ok(())
}

/// Creates a user, and the organization if the workspace is new too.
fn create(unit: &mut UnitOfWork<'_, '_>, slack: &SlackSignIn) -> Result<Subject> {
    let user = slack.user(unit);
    let email = user.email.as_ref();
    let verified = slack.rules.verified_by_slack(email);
    // First, so that nothing tells whether the address has an account.
    slack.must_be_let_in(unit, slack.rules.slack_registration, email, verified)?;
    let registered = match &user.email {
        Some(email) => users::find_account_by_email(unit.tx, email)?,
        None => None,
    };
    must_not_be_removed(unit, slack, registered.as_ref())?;
    if registered.is_some() {
        // A concurrent sign-in of this user may have been committed since the identity was looked up.
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
    must_exist(unit, organization_id)?;
    let created = users::insert(unit.tx, &user, None, None).map_err(conflict)?;
    unit.announce(created);
    let added = memberships::insert(unit.tx, &membership, unit.now).map_err(conflict)?;
    unit.announce(added);
    insert_identity(unit, slack, user.id)?;
    let event = unit.event(action).own(user.id).within(organization_id);
    unit.record(event.by(Method::Slack))?;
    Ok(Subject {
        user,
        membership: Some(membership),
    })
}

/// # Errors
/// `Conflict` if the organization was deleted meanwhile.
fn must_exist(unit: &mut UnitOfWork<'_, '_>, id: OrganizationId) -> Result<()> {
    if organizations::hold(unit.tx, id)? {
        Ok(())
    } else {
        Err(Error::Conflict)
    }
}

fn insert_identity(
    unit: &mut UnitOfWork<'_, '_>,
    slack: &SlackSignIn,
    user_id: UserId,
) -> Result<()> {
    let id = IdentityId::new(unit.now, unit.random());
    identities::insert(unit.tx, id, &slack.person, user_id, unit.now).map_err(conflict)
}

/// Links the identity to a signed-in user, and makes them a member of the workspace's organization. The session
/// switches to that organization, unless it requires a second factor and the user has none.
///
/// # Errors
/// `AccountExists` if the identity is another user's; `SignInExpired` if the session has ended; `NotAllowed` for
/// disabled accounts, for users who were removed from the organization, and for those who belong to too many.
pub(in crate::service) async fn link(
    services: &Services,
    context: &RequestContext,
    slack: SlackSignIn,
    user_id: UserId,
    session_id: SessionId,
) -> Result<OrganizationSwitch> {
    retry_conflicts(services, context, move |unit| {
        let now = unit.now;
        let account =
            users::lock_enabled_account(unit.tx, user_id)?.ok_or(SignInFailure::NotAllowed)?;
        let user = account.user.clone();
        let expired = || Error::from(SignInFailure::SignInExpired);
        let session = sessions::lock_open(unit.tx, session_id)?.ok_or_else(expired)?;
        lifetimes_in(unit.tx, unit.lifetimes, session.organization_id)?
            .must_be_live(&session, now)
            .map_err(|_| expired())?;
        let owner = identities::find(unit.tx, &slack.person.account)?;
        if owner.is_some_and(|owner| owner != user_id) {
            return Err(SignInFailure::AccountExists.into());
        }
        let place = match workspaces::find(unit.tx, &slack.person.account.team_id)? {
            Some(id) => memberships::find(unit.tx, user_id, id)?,
            None => None,
        };
        if place.is_none() {
            let verified = users::find_verified_email(unit.tx, user_id)?;
            let verified = verified.as_ref();
            // They have an account already.
            slack.must_be_let_in(unit, JoinPolicy::Open, verified, verified)?;
        }
        let (organization_id, role, action) = slack.organization(unit)?;
        let is_new = action == Action::OrganizationFounded;
        let membership = match (place, owner) {
            (Some(membership), _) => membership,
            (None, Some(_)) if !is_new => return Err(SignInFailure::NotAllowed.into()),
            // Also an identity that outlived the workspace's organization.
            (None, _) => {
                must_not_be_removed(unit, &slack, None)?;
                let membership =
                    admit(unit, user_id, organization_id, role).map_err(|error| match error {
                        // It has joined, or the organization was deleted, since it was looked up.
                        Error::AlreadyMember | Error::OrganizationNotFound => Error::Conflict,
                        Error::TooManyOrganizations => SignInFailure::NotAllowed.into(),
                        other => other,
                    })?;
                let joined = match action {
                    Action::OrganizationFounded => action,
                    _ => Action::MemberJoined,
                };
                let event = unit.event(joined).own(user_id);
                unit.record(event.within(organization_id).by(Method::Slack))?;
                membership
            }
        };
        let switch =
            switch_session(unit, &session, &user, &membership).map_err(|error| match error {
                // The organization allows no session as old as this one.
                Error::SessionTooOld | Error::TokenExpired => expired(),
                other => other,
            })?;
        if owner.is_none() {
            insert_identity(unit, &slack, user_id)?;
            notify_of_link(unit, &account, true)?;
        } else {
            identities::update_workspace_admin(unit.tx, &slack.person)?;
        }
        unit.changed(Change::PersonChanged { user_id });
        let event = unit.event(Action::IdentityLinked).own(user_id);
        unit.finish(event.within(organization_id).by(Method::Slack), switch)
    })
    .await
}
