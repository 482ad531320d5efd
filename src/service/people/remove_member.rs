//! Ends a membership: a member leaves, or an admin removes them.

use crate::domain::audit::Action;
use crate::domain::{OrganizationId, Role, UserId};
use crate::service::organizations::last_admin::keep_an_admin;
use crate::service::people::end_membership::end_membership;
use crate::service::sessions::end_many::end_sessions_in;
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Error, MemberCaller, Result, Services};
use crate::store::{former_identities, memberships};

/// Everyone may leave; an admin may remove others. The account and its other memberships stay; its sessions in the
/// organization end. The member's reports then have no manager. A removed member does not come back through Slack.
///
/// # Errors
/// `OrganizationNotFound` for every organization but the caller's; `Forbidden` for other members below `admin`,
/// and for a service that would leave; `UserNotFound` for users who are not members; `LastAdmin`.
pub async fn remove_member(
    services: &Services,
    caller: &MemberCaller,
    organization_id: OrganizationId,
    user_id: UserId,
) -> Result<()> {
    caller.must_act_in(organization_id)?;
    services
        .administer(caller, Some(user_id), move |unit, actor| {
            let action = if user_id == actor.id() {
                actor.session()?;
                Action::MemberLeft
            } else {
                actor.must_be(Role::Admin)?;
                Action::MemberRemoved
            };
            remove_from(unit, user_id, organization_id, action)?;
            unit.recorded(())
        })
        .await
}

/// Ends the membership and its sessions, and records it as `action`. Who was removed, and did not leave, does not come
/// back through Slack. The organization and the account are locked.
///
/// # Errors
/// `UserNotFound` for users who are not members; `LastAdmin`.
pub(in crate::service) fn remove_from(
    unit: &mut UnitOfWork<'_, '_>,
    user_id: UserId,
    organization_id: OrganizationId,
    action: Action,
) -> Result<()> {
    keep_an_admin(unit.tx, organization_id, user_id)?;
    memberships::find(unit.tx, user_id, organization_id)?.ok_or(Error::UserNotFound)?;
    if action == Action::MemberRemoved {
        former_identities::remember_removal(unit.tx, user_id, organization_id, unit.now)?;
    }
    end_membership(unit, user_id, organization_id)?;
    end_sessions_in(unit, user_id, organization_id)?;
    let event = unit.event(action).about(user_id);
    unit.record(event.within(organization_id))?;
    Ok(())
}
