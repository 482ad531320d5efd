//! A person is taken out of the organization.

use crate::domain::audit::Action;
use crate::domain::{Permission, UserId};
use crate::service::organizations::last_admin::keep_an_admin;
use crate::service::people::reach;
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Caller, Error, Result, Services};
use crate::store::{identities, memberships, sessions, users};

/// The membership ends, and the account with it when it has no other. An account to which an identity at a provider
/// leads stays, without an organization: if it were deleted, its owner would be a stranger at the next sign-in there, and
/// come in again.
///
/// # Errors
/// `UserNotFound`; `Forbidden` below `admin`; `LastAdmin`.
pub async fn remove_person(services: &Services, caller: &Caller, user_id: UserId) -> Result<()> {
    services
        .administer(caller, move |unit, actor| {
            let organization_id = actor.organization_id();
            reach(unit.tx, actor, user_id, &[Permission::Administer])?;
            keep_an_admin(unit.tx, organization_id, user_id)?;
            users::lock_account_exclusively(unit.tx, user_id)?.ok_or(Error::UserNotFound)?;
            let now = unit.now;
            memberships::release_reports(unit.tx, user_id, organization_id, now)?;
            memberships::delete(unit.tx, user_id, organization_id)?;
            let action = if is_left_without_anything(unit, user_id)? {
                // The tokens are revoked before nothing is left to compare them with.
                unit.revoke_tokens(user_id)?;
                users::delete(unit.tx, user_id)?;
                Action::UserDeleted
            } else {
                unit.outdated(user_id)?;
                // Sessions that speak for other organizations go on.
                let ended =
                    sessions::revoke_in_organization(unit.tx, user_id, organization_id, now)?;
                unit.sessions_ended(user_id, ended);
                Action::MemberRemoved
            };
            let event = unit.event(action).about(user_id);
            unit.finish(event, ())
        })
        .await
}

/// No other organization, and no identity that would lead back.
fn is_left_without_anything(unit: &mut UnitOfWork<'_, '_>, user_id: UserId) -> Result<bool> {
    Ok(memberships::list_of_user(unit.tx, user_id)?.is_empty()
        && !identities::exists_for(unit.tx, user_id)?)
}
