//! A member leaves an organization, or is removed from it.

use crate::domain::audit::{Action, AuditEntry};
use crate::domain::{Change, OrganizationId, Role, UserId, lifetimes};
use crate::service::organizations::last_admin::keep_an_admin;
use crate::service::{Caller, Error, RequestContext, Result, Services, record_changes};
use crate::store::{audit, memberships, sessions};

/// Everybody may leave; an admin may remove others. The account and its other memberships stay; sessions that
/// speak for the organization end. Whoever reported to the member reports to nobody from then on.
///
/// # Errors
/// `OrganizationNotFound` for every organization but the caller's; `Forbidden` for others than oneself below `admin`,
/// and for a service that would leave; `UserNotFound` for who is no member; `LastAdmin`.
pub async fn remove_member(
    services: &Services,
    context: &RequestContext,
    caller: &Caller,
    organization_id: OrganizationId,
    user_id: UserId,
) -> Result<()> {
    caller.must_speak_for(organization_id)?;
    let action = if user_id == caller.profile.id {
        caller.session_id()?;
        Action::MemberLeft
    } else {
        caller.must_be(Role::Admin)?;
        Action::MemberRemoved
    };
    let now = services.now();
    let entry = AuditEntry {
        subject_id: Some(user_id),
        ..services.audit_own(context, now, action, caller)
    };
    let changes = services
        .store
        .write(move |tx| {
            keep_an_admin(tx, organization_id, user_id)?;
            memberships::find(tx, user_id, organization_id)?.ok_or(Error::UserNotFound)?;
            let reports = memberships::release_reports(tx, user_id, organization_id, now)?;
            memberships::delete(tx, user_id, organization_id)?;
            let ended = sessions::revoke_in_organization(tx, user_id, organization_id, now)?;
            let mut changes = vec![Change::PersonChanged { user_id }];
            changes.extend(ended.into_iter().map(|session_id| Change::SessionEnded {
                user_id,
                session_id,
            }));
            let changed = |user_id| Change::PersonChanged { user_id };
            changes.extend(reports.into_iter().map(changed));
            audit::insert(tx, &entry)?;
            record_changes(tx, &changes, now)?;
            Ok::<_, Error>(changes)
        })
        .await?;
    services
        .revocations
        .apply(&changes, now + lifetimes::ACCESS_TOKEN);
    Ok(())
}
