//! Removes a user from the organization.

use crate::domain::audit::Action;
use crate::domain::person::MOST_SESSIONS;
use crate::domain::{Permission, Role, UserId};
use crate::service::organizations::last_admin::keep_an_admin;
use crate::service::people::end_membership::end_membership;
use crate::service::people::reach;
use crate::service::sessions::end_many::end_sessions_in;
use crate::service::unit_of_work::{Actor, UnitOfWork};
use crate::service::{Caller, Error, Result, Services};
use crate::store::{former_identities, identities, memberships, people, sessions, users};

/// Deletes the membership, and the account if it has no other. An account that is linked to an identity at a provider
/// stays without an organization: if it were deleted, the next sign-in there would create it again. The account at
/// Slack is kept out of the workspace's organization from now on, also that of a former member.
///
/// # Errors
/// `UserNotFound`; `Forbidden` below `admin`; `LastAdmin`.
pub async fn remove_person(services: &Services, caller: &Caller, user_id: UserId) -> Result<()> {
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
            users::lock_account_exclusively(unit.tx, user_id)?.ok_or(Error::UserNotFound)?;
            let now = unit.now;
            former_identities::remember_removal(unit.tx, user_id, organization_id, now)?;
            end_membership(unit, user_id, organization_id)?;
            let action = if is_left_without_anything(unit, user_id)? {
                // Before the account, which holds the version to raise.
                unit.revoke_tokens(user_id)?;
                if sessions::has_more_than(unit.tx, user_id, MOST_SESSIONS)? {
                    users::hide(unit.tx, user_id, now)?;
                } else {
                    users::delete(unit.tx, user_id)?;
                }
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
fn is_former_member(unit: &mut UnitOfWork<'_, '_>, actor: &Actor, user_id: UserId) -> Result<bool> {
    let organization_id = actor.organization_id();
    Ok(actor.role == Role::Admin
        && people::find(unit.tx, organization_id, user_id)?.is_none()
        && former_identities::exist_for(unit.tx, user_id, organization_id)?)
}

/// No other organization, and no identity that leads to the account.
fn is_left_without_anything(unit: &mut UnitOfWork<'_, '_>, user_id: UserId) -> Result<bool> {
    Ok(memberships::list_of_user(unit.tx, user_id)?.is_empty()
        && !identities::exists_for(unit.tx, user_id)?)
}
