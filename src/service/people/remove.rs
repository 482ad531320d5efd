//! Removes a user from the organization.

use crate::domain::audit::Action;
use crate::domain::person::MOST_SESSIONS;
use crate::domain::{Permission, UserId};
use crate::service::organizations::last_admin::keep_an_admin;
use crate::service::people::reach;
use crate::service::sessions::end_many::end_sessions_in;
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Caller, Error, Result, Services};
use crate::store::{identities, memberships, sessions, users};

/// Deletes the membership, and the account if it has no other. An account that is linked to an identity at a provider
/// stays without an organization: if it were deleted, the next sign-in there would create it again.
///
/// # Errors
/// `UserNotFound`; `Forbidden` below `admin`; `LastAdmin`.
pub async fn remove_person(services: &Services, caller: &Caller, user_id: UserId) -> Result<()> {
    services
        .administer(caller, Some(user_id), move |unit, actor| {
            let organization_id = actor.organization_id();
            reach(unit.tx, actor, user_id, &[Permission::Administer])?;
            keep_an_admin(unit.tx, organization_id, user_id)?;
            users::lock_account_exclusively(unit.tx, user_id)?.ok_or(Error::UserNotFound)?;
            let now = unit.now;
            memberships::release_reports(unit.tx, user_id, organization_id, now)?;
            memberships::delete(unit.tx, user_id, organization_id)?;
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

/// No other organization, and no identity that leads to the account.
fn is_left_without_anything(unit: &mut UnitOfWork<'_, '_>, user_id: UserId) -> Result<bool> {
    Ok(memberships::list_of_user(unit.tx, user_id)?.is_empty()
        && !identities::exists_for(unit.tx, user_id)?)
}
