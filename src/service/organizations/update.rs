//! Changes an organization's name and rules.

use serde_json::json;

use crate::domain::audit::Action;
use crate::domain::{
    AllowedDomains, Change, JoinPolicy, Organization, OrganizationId, OrganizationName, Role,
};
use crate::service::unit_of_work::{Finished, UnitOfWork};
use crate::service::{Error, MemberCaller, Result, Services};
use crate::store::{organizations, totp};

/// What to change; missing fields stay as they are.
#[derive(Debug, Default)]
pub struct UpdateOrganization {
    pub name: Option<OrganizationName>,
    pub join_policy: Option<JoinPolicy>,
    pub allowed_domains: Option<AllowedDomains>,
    pub require_mfa: Option<bool>,
}

impl UpdateOrganization {
    fn decides_who_gets_in(&self) -> bool {
        self.join_policy.is_some() || self.allowed_domains.is_some() || self.require_mfa.is_some()
    }
}

/// The slug stays, because clients use it in URLs.
///
/// # Errors
/// `OrganizationNotFound` for every organization but the caller's; `Forbidden` below `admin`; `MfaNotEnrolled` when
/// an admin without a second factor requires one; for all but the name, `ReauthenticationRequired`, and `Forbidden` for
/// a service.
pub async fn update_organization(
    services: &Services,
    caller: &MemberCaller,
    id: OrganizationId,
    update: UpdateOrganization,
) -> Result<Organization> {
    caller.must_act_in(id)?;
    caller.must_be(Role::Admin)?;
    services
        .administer(caller, None, move |unit, actor| {
            actor.must_be(Role::Admin)?;
            let was = organizations::find(unit.tx, id)?.ok_or(Error::OrganizationNotFound)?;
            // Otherwise the rule would lock out the admin.
            if update.require_mfa == Some(true) && !totp::is_enrolled(unit.tx, actor.id())? {
                return Err(Error::MfaNotEnrolled);
            }
            if update.decides_who_gets_in() {
                actor.must_be_fresh(unit.now)?;
            }
            change_organization(unit, &was, update)
        })
        .await
}

/// Changes the organization, which is locked, and records it, unless it is so already.
pub(in crate::service) fn change_organization(
    unit: &mut UnitOfWork<'_, '_>,
    was: &Organization,
    update: UpdateOrganization,
) -> Result<Finished<Organization>> {
    let updated = Organization {
        name: update.name.unwrap_or_else(|| was.name.clone()),
        join_policy: update.join_policy.unwrap_or(was.join_policy),
        allowed_domains: update
            .allowed_domains
            .unwrap_or_else(|| was.allowed_domains.clone()),
        require_mfa: update.require_mfa.unwrap_or(was.require_mfa),
        ..was.clone()
    };
    if updated == *was {
        return unit.unrecorded(updated);
    }
    organizations::update(unit.tx, &updated, unit.now)?;
    unit.changed(Change::OrganizationChanged {
        organization_id: was.id,
    });
    let event = unit.event(Action::OrganizationUpdated).about(None);
    let event = event.detail(json!({
        "name": [was.name.as_str(), updated.name.as_str()],
        "allowedDomains": [was.allowed_domains.to_stored(), updated.allowed_domains.to_stored()],
        "joinPolicy": [was.join_policy.as_str(), updated.join_policy.as_str()],
        "requireMfa": [was.require_mfa, updated.require_mfa],
    }));
    unit.finish(event, updated)
}
