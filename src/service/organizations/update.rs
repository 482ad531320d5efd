//! Changes an organization's name and rules.

use std::fmt::Display;

use serde_json::json;

use crate::domain::audit::Action;
use crate::domain::{
    AllowedDomains, Change, JoinPolicy, LifetimeRule, Lifetimes, Organization, OrganizationId,
    OrganizationName, Role, SessionIdle, SessionLifetime, Slug, TokenLifetime, Violation,
};
use crate::service::organizations::change_slug::change_slug;
use crate::service::sessions::end_many::close_ended_in;
use crate::service::unit_of_work::{Finished, UnitOfWork};
use crate::service::{Error, MemberCaller, Result, Services};
use crate::store::outdated::Concerned;
use crate::store::{organizations, totp};

/// How many sessions are marked as ended at once, so that other writers wait for no more than that.
const BATCH: u32 = 500;

/// What to change; missing fields stay as they are.
#[derive(Debug, Clone, Default)]
pub struct UpdateOrganization {
    pub name: Option<OrganizationName>,
    pub slug: Option<Slug>,
    pub join_policy: Option<JoinPolicy>,
    pub allowed_domains: Option<AllowedDomains>,
    pub require_mfa: Option<bool>,
    pub lifetimes: UpdateLifetimes,
}

/// Which lifetimes to change; `Some(None)` removes a rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UpdateLifetimes {
    pub token: Option<Option<TokenLifetime>>,
    pub session: Option<Option<SessionLifetime>>,
    pub idle: Option<Option<SessionIdle>>,
}

impl UpdateLifetimes {
    /// # Errors
    /// `Invalid` for a life above the instance's setting.
    fn apply(self, was: LifetimeRule, instance: Lifetimes) -> Result<LifetimeRule> {
        let faults = [
            above(self.token, Some(instance.token), "tokenLifetime"),
            above(self.session, Some(instance.session), "sessionLifetime"),
            above(self.idle, instance.idle, "sessionIdle"),
        ];
        let faults: Vec<Violation> = faults.into_iter().flatten().collect();
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        Ok(LifetimeRule {
            token: self.token.unwrap_or(was.token),
            session: self.session.unwrap_or(was.session),
            idle: self.idle.unwrap_or(was.idle),
        })
    }
}

fn above<T: Ord + Display>(
    given: Option<Option<T>>,
    most: Option<T>,
    field: &'static str,
) -> Option<Violation> {
    let (given, most) = (given??, most?);
    let why = format!("This instance allows at most {most}.");
    (given > most).then(|| Violation::new(field, "too_long", why))
}

impl UpdateOrganization {
    /// Whether it changes who gets in, or for how long.
    fn changes_rules(&self) -> bool {
        self.join_policy.is_some()
            || self.allowed_domains.is_some()
            || self.require_mfa.is_some()
            || self.lifetimes != UpdateLifetimes::default()
    }
}

/// A new name leaves the slug as it is, because clients use it in URLs; a former slug stays an alias.
///
/// # Errors
/// `OrganizationNotFound` for every organization but the caller's; `Forbidden` below `admin`; `MfaNotEnrolled` when
/// an admin without a second factor requires one; `Invalid` for a reserved slug and for lifetimes above the instance's;
/// `SlugTaken`, `TooManySlugs`; for all but name and slug, `ReauthenticationRequired`, and `Forbidden` for a service.
pub async fn update_organization(
    services: &Services,
    caller: &MemberCaller,
    id: OrganizationId,
    update: UpdateOrganization,
) -> Result<Organization> {
    caller.must_act_in(id)?;
    caller.must_be(Role::Admin)?;
    loop {
        let update = update.clone();
        let updated = services
            .administer(caller, None, move |unit, actor| {
                actor.must_be(Role::Admin)?;
                let was = organizations::find(unit.tx, id)?.ok_or(Error::OrganizationNotFound)?;
                // Otherwise the rule would lock out the admin.
                if update.require_mfa == Some(true) && !totp::is_enrolled(unit.tx, actor.id())? {
                    return Err(Error::MfaNotEnrolled);
                }
                if update.changes_rules() {
                    actor.must_be_fresh(unit.now)?;
                }
                change_organization(unit, &was, update)
            })
            .await?;
        if let Some(updated) = updated {
            return Ok(updated);
        }
    }
}

/// Changes the organization, which is locked, and records it, unless it is so already. Longer lifetimes revive no
/// session: those that have ended are marked first, in batches; the result is `None` if there may be more.
///
/// # Errors
/// `Invalid` for lifetimes above the instance's.
pub(in crate::service) fn change_organization(
    unit: &mut UnitOfWork<'_, '_>,
    was: &Organization,
    update: UpdateOrganization,
) -> Result<Finished<Option<Organization>>> {
    let updated = Organization {
        name: update.name.unwrap_or_else(|| was.name.clone()),
        slug: update.slug.unwrap_or_else(|| was.slug.clone()),
        join_policy: update.join_policy.unwrap_or(was.join_policy),
        allowed_domains: update
            .allowed_domains
            .unwrap_or_else(|| was.allowed_domains.clone()),
        require_mfa: update.require_mfa.unwrap_or(was.require_mfa),
        lifetimes: update.lifetimes.apply(was.lifetimes, unit.lifetimes)?,
        ..was.clone()
    };
    if updated == *was {
        return unit.unrecorded(Some(updated));
    }
    let [old, new] = [was, &updated].map(|rules| unit.lifetimes.under(rules.lifetimes));
    if new.are_longer_than(&old) && close_ended_in(unit, was.id, old, BATCH)? {
        return unit.recorded_if_changed(None);
    }
    if updated.slug != was.slug {
        change_slug(unit, was, &updated.slug)?;
    }
    let concerned = if old.are_longer_than(&new) {
        Concerned::Everybody
    } else if updated.require_mfa && !was.require_mfa {
        Concerned::WithoutSecondFactor
    } else {
        Concerned::Nobody
    };
    organizations::update(unit.tx, &updated, concerned, unit.now)?;
    unit.changed(Change::OrganizationChanged {
        organization_id: was.id,
    });
    let event = unit.event(Action::OrganizationUpdated).about(None);
    let event = event.detail(json!({
        "name": [was.name.as_str(), updated.name.as_str()],
        "slug": [was.slug.as_str(), updated.slug.as_str()],
        "allowedDomains": [was.allowed_domains.to_stored(), updated.allowed_domains.to_stored()],
        "joinPolicy": [was.join_policy.as_str(), updated.join_policy.as_str()],
        "requireMfa": [was.require_mfa, updated.require_mfa],
        "tokenLifetime": [was.lifetimes.token, updated.lifetimes.token],
        "sessionLifetime": [was.lifetimes.session, updated.lifetimes.session],
        "sessionIdle": [was.lifetimes.idle, updated.lifetimes.idle],
    }));
    unit.finish(event, Some(updated))
}
