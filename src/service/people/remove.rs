//! Removes a user from the organization.

use crate::domain::audit::Action;
use crate::domain::{Permission, Role, UserId};
use crate::service::accounts::delete_account::erase;
use crate::service::organizations::last_admin::keep_an_admin;
use crate::service::people::end_membership::end_membership;
use crate::service::people::reach;
use crate::service::sessions::end_many::end_sessions_in;
use crate::service::unit_of_work::{MemberActor, UnitOfWork};
use crate::service::{Error, MemberCaller, Result, Services};
use crate::store::{former_identities, memberships, people, users};

/// Deletes the membership, and the account if it has no other. Of a person from Slack, the ids of their workspace and
/// their account there stay, which keep them out of the workspace's organization from now on, also those of a former
/// member.
///
/// # Errors
/// `UserNotFound`; `Forbidden` below `admin`; `LastAdmin`.
pub async fn remove_person(
    services: &Services,
    caller: &MemberCaller,
    user_id: UserId,
) -> Result<()> {
    services
        .administer(caller, Some(user_id), move |unit, actor| {
            let organization_id = actor.organization_id();
            if is_former_member(unit, actor, user_id)? {
                former_identities::remember_removal(unit.tx, user_id, organization_id, unit.now)?;
                let event = unit.event(Action::MemberRemoved).about(user_id);
                return unit.finish(event, ());
            }
            reach(unit.tx, actor, user_id, &[Permission::Administer])?;
            keep_an_admin(unit.tx, organization_id, user_id)?;
            let account =
                users::lock_account_exclusively(unit.tx, user_id)?.ok_or(Error::UserNotFound)?;
            let now = unit.now;
            former_identities::remember_removal(unit.tx, user_id, organization_id, now)?;
            end_membership(unit, user_id, organization_id)?;
            let action = if memberships::first_of_user(unit.tx, user_id)?.is_none() {
                erase(unit, &account)?;
                Action::UserDeleted
            } else {
                end_sessions_in(unit, user_id, organization_id)?;
                Action::MemberRemoved
            };
            let event = unit.event(action).about(user_id);
            unit.finish(event, ())
        })
        .await
}

/// Someone who left, or whose membership a reset ended, and who could come back from the organization's workspace. To
/// everyone but its admins they do not exist.
fn is_former_member(
    unit: &mut UnitOfWork<'_, '_>,
    actor: &MemberActor,
    user_id: UserId,
) -> Result<bool> {
    let organization_id = actor.organization_id();
    Ok(actor.role() == Role::Admin
        && people::find(unit.tx, organization_id, user_id)?.is_none()
        && former_identities::exist_for(unit.tx, user_id, organization_id)?)
}
