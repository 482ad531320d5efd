//! An admin changes the organization's name and rules.

use crate::domain::audit::{Action, AuditEntry};
use crate::domain::{
    AllowedDomains, Change, JoinPolicy, Organization, OrganizationId, OrganizationName, Role,
    lifetimes,
};
use crate::service::{Caller, Error, RequestContext, Result, Services, record_changes};
use crate::store::{audit, organizations, totp};

/// What is to change; the rest stays.
pub struct UpdateOrganization {
    pub name: Option<OrganizationName>,
    pub join_policy: Option<JoinPolicy>,
    pub allowed_domains: Option<AllowedDomains>,
    pub require_mfa: Option<bool>,
}

/// The slug stays: it is part of others' addresses.
///
/// # Errors
/// `OrganizationNotFound` for every organization but the caller's; `Forbidden` below `admin`; `MfaNotEnrolled` when
/// an admin without a second factor asks everybody for one.
pub async fn update_organization(
    services: &Services,
    context: &RequestContext,
    caller: &Caller,
    id: OrganizationId,
    update: UpdateOrganization,
) -> Result<Organization> {
    caller.must_speak_for(id)?;
    caller.must_be(Role::Admin)?;
    let now = services.now();
    let user_id = caller.profile.id;
    let entry = AuditEntry {
        subject_id: None,
        ..services.audit_own(context, now, Action::OrganizationUpdated, caller)
    };
    let changes = [Change::OrganizationChanged {
        organization_id: id,
    }];
    let updated = services
        .store
        .write(move |tx| {
            let was = organizations::lock(tx, id)?.ok_or(Error::OrganizationNotFound)?;
            // Otherwise the admin would be the first whom the rule keeps out.
            if update.require_mfa == Some(true) && !totp::is_enrolled(tx, user_id)? {
                return Err(Error::MfaNotEnrolled);
            }
            let updated = Organization {
                name: update.name.unwrap_or(was.name),
                join_policy: update.join_policy.unwrap_or(was.join_policy),
                allowed_domains: update.allowed_domains.unwrap_or(was.allowed_domains),
                require_mfa: update.require_mfa.unwrap_or(was.require_mfa),
                ..was
            };
            organizations::update(tx, &updated, now)?;
            audit::insert(tx, &entry)?;
            record_changes(tx, &changes, now)?;
            Ok(updated)
        })
        .await?;
    services
        .revocations
        .apply(&changes, now + lifetimes::ACCESS_TOKEN);
    Ok(updated)
}
