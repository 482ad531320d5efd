//! How long sessions last now, by the rules of their organizations.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::domain::{Lifetimes, OrganizationId, Session, UserId};
use crate::service::{Error, Result};
use crate::store::{StoreError, Tx, memberships, organizations};

/// The lifetimes of sessions in the organization: the `instance`'s, or shorter ones.
pub(in crate::service) fn lifetimes_in(
    tx: &mut Tx<'_>,
    instance: Lifetimes,
    organization_id: Option<OrganizationId>,
) -> Result<Lifetimes, StoreError> {
    Ok(match organization_id {
        None => instance,
        Some(id) => instance.under(organizations::rules(tx, id)?.lifetimes),
    })
}

/// A session that acts in an organization, or in none, from now on, as it is to be stored, with the lifetimes there.
/// `own` are those where it has acted so far.
///
/// # Errors
/// `TokenExpired` or `TokenRevoked` if the session has ended. If it acted in another one, `SessionTooOld` if it began
/// longer ago than this one allows, `ReauthenticationRequired` if it was neither used nor reauthenticated for longer.
pub(in crate::service) fn acting_in(
    session: &Session,
    own: Lifetimes,
    (organization_id, lifetimes): (Option<OrganizationId>, Lifetimes),
    now: DateTime<Utc>,
) -> Result<(Session, Lifetimes)> {
    own.must_be_live(session, now)?;
    let is_switch = session.organization_id != organization_id;
    let renewed = Session {
        organization_id,
        ..lifetimes.renew(session.clone(), now)
    };
    if is_switch && lifetimes.end_of(&renewed) <= now {
        return Err(Error::SessionTooOld);
    }
    if is_switch && lifetimes.is_idle(session, now) {
        return Err(Error::ReauthenticationRequired);
    }
    Ok((renewed, lifetimes))
}

/// Those of a user's sessions that have not ended, with the ends that they have now.
pub(in crate::service) fn still_live(
    tx: &mut Tx<'_>,
    instance: Lifetimes,
    user_id: UserId,
    sessions: Vec<Session>,
    now: DateTime<Utc>,
) -> Result<Vec<Session>> {
    let memberships = memberships::list_of_user_with_rules(tx, user_id)?.into_iter();
    let rules: HashMap<OrganizationId, Lifetimes> = memberships
        .map(|(membership, rules)| (membership.organization_id, instance.under(rules.lifetimes)))
        .collect();
    let live = sessions.into_iter().filter_map(|session| {
        let lifetimes = session
            .organization_id
            .and_then(|id| rules.get(&id))
            .unwrap_or(&instance);
        lifetimes.must_be_live(&session, now).ok()?;
        Some(Session {
            expires_at: lifetimes.end_of(&session),
            ..session
        })
    });
    Ok(live.collect())
}
