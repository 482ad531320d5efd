//! Adds a membership and switches a session to its organization.

use crate::domain::audit::Action;
use crate::domain::person::MOST_ORGANIZATIONS;
use crate::domain::{Change, Lifetimes, Membership, OrganizationId, Role, Session, User, UserId};
use crate::service::sessions::lifetimes::{acting_in, lifetimes_in};
use crate::service::sign_in::answer::MfaChallenge;
use crate::service::sign_in::challenge::{Missing, PendingSignIn, challenge};
use crate::service::sign_in::issuer::UserFacts;
use crate::service::unit_of_work::{Actor, Event, Finished, UnitOfWork};
use crate::service::{Error, Profile, Result, Services, SignIn};
use crate::store::{
    StoreError, Tx, Unique, active_organizations, memberships, organizations, sessions,
};

/// The result of switching a session.
pub(in crate::service) enum OrganizationSwitch {
    /// The session now belongs to the organization.
    Switched {
        session: Box<Session>,
        lifetimes: Lifetimes,
        facts: UserFacts,
        profile: Profile,
    },
    /// The user must first enrol the second factor that the organization requires.
    Challenge(MfaChallenge),
}

/// Makes the actor a member, switches their session and records `event`.
///
/// # Errors
/// `AlreadyMember`, `TooManyOrganizations`; `Forbidden` for a service; `SessionTooOld` and `ReauthenticationRequired`
/// as [`switch_session`].
pub(in crate::service) fn join_and_switch(
    unit: &mut UnitOfWork<'_, '_>,
    actor: &Actor,
    user: &User,
    (organization_id, role): (OrganizationId, Role),
    event: Event,
) -> Result<Finished<OrganizationSwitch>> {
    let membership = admit(unit, user.id, organization_id, role)?;
    let switch = switch_session(unit, actor.session()?, user, &membership)?;
    unit.finish(event.within(organization_id), switch)
}

/// Switches the session of a member who joins again, and records that if it is a change.
///
/// # Errors
/// As [`switch_session`]; `Forbidden` for a service.
pub(in crate::service) fn return_to(
    unit: &mut UnitOfWork<'_, '_>,
    actor: &Actor,
    user: &User,
    membership: &Membership,
) -> Result<Finished<OrganizationSwitch>> {
    let session = actor.session()?;
    let is_there = session.organization_id == Some(membership.organization_id);
    let switch = switch_session(unit, session, user, membership)?;
    if is_there || matches!(switch, OrganizationSwitch::Challenge(_)) {
        return unit.unrecorded(switch);
    }
    let event = unit.event(Action::OrganizationSwitched);
    unit.finish(event.within(membership.organization_id), switch)
}

/// Switches a session to another organization of its user, unless that requires a second factor first.
///
/// # Errors
/// `TokenExpired` or `TokenRevoked` if the session has ended by now; `SessionTooOld` if it is older than the
/// organization allows; `ReauthenticationRequired` if it was idle for longer, or if a second factor would have to be
/// enrolled first.
pub(in crate::service) fn switch_session(
    unit: &mut UnitOfWork<'_, '_>,
    session: &Session,
    user: &User,
    to: &Membership,
) -> Result<OrganizationSwitch> {
    let pending = PendingSignIn::from(to);
    if let Some(missing) = Missing::of_session(unit.tx, pending)? {
        // The challenge lets its holder enrol an authenticator, as after a sign-in.
        if !session.is_fresh(unit.now) {
            return Err(Error::ReauthenticationRequired);
        }
        return challenge(unit, pending, missing).map(OrganizationSwitch::Challenge);
    }
    let own = lifetimes_in(unit.tx, unit.lifetimes, session.organization_id)?;
    let id = Some(to.organization_id);
    let there = lifetimes_in(unit.tx, unit.lifetimes, id)?;
    let (session, lifetimes) = acting_in(session, own, (id, there), unit.now)?;
    if !sessions::touch(unit.tx, &session)? {
        return Err(Error::TokenRevoked);
    }
    active_organizations::remember(unit.tx, user.id, to.organization_id)?;
    Ok(OrganizationSwitch::Switched {
        session: Box::new(session),
        lifetimes,
        facts: UserFacts::of(unit.tx, user, unit.external_ids)?,
        profile: Profile::of(user, Some(to)),
    })
}

impl OrganizationSwitch {
    pub(crate) fn issue(self, services: &Services) -> SignIn {
        match self {
            Self::Switched {
                session,
                lifetimes,
                facts,
                profile,
            } => {
                let now = session.last_used_at;
                let session = (&*session, lifetimes);
                SignIn::Complete(services.tokens.issue(now, session, facts, profile))
            }
            Self::Challenge(challenge) => SignIn::Challenge(challenge),
        }
    }
}

/// Inserts a membership without a manager.
///
/// # Errors
/// `OrganizationNotFound` if it was deleted meanwhile, `AlreadyMember`, `TooManyOrganizations`.
pub(in crate::service) fn admit(
    unit: &mut UnitOfWork<'_, '_>,
    user_id: UserId,
    organization_id: OrganizationId,
    role: Role,
) -> Result<Membership> {
    let membership = admit_instead(unit, user_id, organization_id, role)?;
    must_not_exceed_limit(unit.tx, user_id)?;
    Ok(membership)
}

/// As [`admit`], for somebody who leaves another organization at once, whatever the number.
///
/// # Errors
/// `OrganizationNotFound`, `AlreadyMember`.
pub(in crate::service) fn admit_instead(
    unit: &mut UnitOfWork<'_, '_>,
    user_id: UserId,
    organization_id: OrganizationId,
    role: Role,
) -> Result<Membership> {
    if !organizations::hold(unit.tx, organization_id)? {
        return Err(Error::OrganizationNotFound);
    }
    let membership = Membership {
        user_id,
        organization_id,
        role,
        manager_id: None,
    };
    let added =
        memberships::insert(unit.tx, &membership, unit.now).map_err(|error| match error {
            StoreError::Taken(Unique::Membership) => Error::AlreadyMember,
            other => other.into(),
        })?;
    unit.announce(added);
    unit.changed(Change::PersonChanged { user_id });
    Ok(membership)
}

/// Call it after inserting a membership of the user, whose account is locked.
///
/// # Errors
/// `TooManyOrganizations`.
pub(super) fn must_not_exceed_limit(tx: &mut Tx<'_>, user_id: UserId) -> Result<()> {
    if memberships::count_of_user(tx, user_id)? > MOST_ORGANIZATIONS {
        Err(Error::TooManyOrganizations)
    } else {
        Ok(())
    }
}
