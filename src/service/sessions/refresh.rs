//! Issues a new token for a valid one, for the same or another organization.

use crate::domain::audit::Action;
use crate::domain::{OrganizationId, OrganizationRules};
use crate::service::sessions::lifetimes::acting_in;
use crate::service::sign_in::challenge::{Missing, PendingSignIn};
use crate::service::sign_in::issuer::UserFacts;
use crate::service::sign_in::subject::Subject;
use crate::service::{Caller, Error, Result, Services, SignedIn};
use crate::store::{
    StoreError, Tx, active_organizations, memberships, organizations, sessions, totp,
};

/// The old token stays valid until it expires, so that parallel tabs and lost answers do no harm. A caller who has had
/// no organization acts in their usual one as soon as they belong to one that allows the session.
///
/// # Errors
/// `TokenExpired` for a session that is older, or was idle for longer, than the organization allows; `TokenRevoked` for
/// one that was ended; `SessionTooOld` if it is older than another organization allows to which it would switch, and
/// `ReauthenticationRequired` if it was idle for longer;
/// `OrganizationNotFound` if the caller is not a member of the requested organization;
/// `MfaEnrolmentRequired` when that requires a second factor and the caller has none.
pub async fn refresh(
    services: &Services,
    caller: &Caller,
    switch_to: Option<OrganizationId>,
) -> Result<SignedIn> {
    let now = services.now();
    let (user_id, session_id) = (caller.profile.id, caller.session_id()?);
    let active = caller.profile.organization;
    let wanted = switch_to.or(active.map(|organization| organization.id));
    let (instance, claim) = (services.lifetimes, services.tokens.external_ids());
    let (mut session, renewed, lifetimes, facts, subject) = services
        .store
        .look_up(caller, move |tx| {
            let found = sessions::find_with_user(tx, session_id, wanted)?;
            let found = found.ok_or(Error::InvalidToken)?;
            let session = found.session;
            session.must_be_live(now)?;
            let user = found
                .user
                .filter(|user| user.disabled_at.is_none())
                .ok_or(Error::TokenRevoked)?;
            let facts = UserFacts::of(tx, &user, claim)?;
            let (membership, rules) = if wanted.is_some() {
                let membership = found.membership.ok_or(Error::OrganizationNotFound)?;
                (Some(membership), found.rules)
            } else {
                let membership = memberships::usual(tx, user_id)?;
                let id = membership.as_ref().map(|it| it.organization_id);
                (membership, rules_of(tx, id)?)
            };
            let mut subject = Subject { user, membership };
            if rules.requires_mfa && !totp::is_enrolled(tx, user_id)? {
                return Err(Error::MfaEnrolmentRequired);
            }
            let there = (subject.organization_id(), instance.under(rules.lifetimes));
            let own = if session.organization_id == there.0 {
                there.1
            } else {
                instance.under(rules_of(tx, session.organization_id)?.lifetimes)
            };
            let (renewed, lifetimes) = match acting_in(&session, own, there, now) {
                // They did not ask for their usual one, so they stay without.
                Err(Error::SessionTooOld | Error::ReauthenticationRequired) if wanted.is_none() => {
                    subject.membership = None;
                    acting_in(&session, own, (None, instance), now)?
                }
                acting => acting?,
            };
            Ok::<_, Error>((session, renewed, lifetimes, facts, subject))
        })
        .await?;

    let to = subject.organization_id();
    let switches = session.organization_id != to;
    if switches || lifetimes.is_use_outdated(&session, now) {
        session = renewed.clone();
        services
            .write_as(caller, move |unit, _| {
                if let Some(id) = to {
                    let membership = memberships::lock(unit.tx, user_id, id)?
                        .ok_or(Error::OrganizationNotFound)?;
                    let pending = PendingSignIn::from(&membership);
                    if Missing::of_session(unit.tx, pending)?.is_some() {
                        return Err(Error::MfaEnrolmentRequired);
                    }
                }
                if !sessions::touch(unit.tx, &renewed)? {
                    return Err(Error::TokenRevoked);
                }
                if !switches {
                    return unit.unrecorded(());
                }
                if let Some(id) = to {
                    active_organizations::remember(unit.tx, user_id, id)?;
                }
                let event = unit.event(Action::OrganizationSwitched).within(to);
                unit.finish(event, ())
            })
            .await?;
    }
    let session = (&session, lifetimes);
    Ok(services
        .tokens
        .issue(now, session, facts, subject.profile()))
}

/// The rules of an organization, or of none.
fn rules_of(
    tx: &mut Tx<'_>,
    id: Option<OrganizationId>,
) -> std::result::Result<OrganizationRules, StoreError> {
    match id {
        Some(id) => organizations::rules(tx, id),
        None => Ok(OrganizationRules::default()),
    }
}
