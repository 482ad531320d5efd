//! The end of an account: its owner deletes it.

use crate::domain::audit::Action;
use crate::domain::person::MOST_SESSIONS;
use crate::domain::{OrganizationSummary, User, UserId};
use crate::service::organizations::delete::delete_empty;
use crate::service::people::end_membership::end_membership;
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Caller, Error, Result, Services, limits};
use crate::store::{
    audit, identities, invitations, memberships, one_time_tokens, organizations, outbox, sessions,
    users,
};

/// How many rows of the audit log lose their origin at once; housekeeping does the rest.
const BATCH: u32 = 500;

/// Deletes the caller's account, and the organizations that have no other member.
///
/// # Errors
/// `LastAdminOf` the organizations that have other members but no other admin; `ReauthenticationRequired`; `Forbidden`
/// for a service; `Conflict` if the caller has joined an organization meanwhile.
pub async fn delete_account(services: &Services, caller: &Caller) -> Result<()> {
    caller.session_id()?;
    services
        .write_as_everywhere(caller, move |unit, actor| {
            actor.must_be_fresh(unit.now)?;
            leave_all(unit, actor.id())?;
            erase(unit, actor.user())?;
            let event = unit.event(Action::UserDeleted).within(None);
            unit.finish(event.without_origin(), ())
        })
        .await
}

/// Ends all memberships of an account that is about to be deleted. Its organizations are locked.
///
/// # Errors
/// `LastAdminOf` the organizations that would be left with members and without an admin; nothing may be committed then.
pub(in crate::service) fn leave_all(unit: &mut UnitOfWork<'_, '_>, user_id: UserId) -> Result<()> {
    let mut left_without_admin = Vec::new();
    for membership in memberships::list_of_user(unit.tx, user_id)? {
        let id = membership.organization_id;
        if !memberships::has_others(unit.tx, id, user_id)? {
            delete_empty(unit, id)?;
        } else if memberships::is_only_admin(unit.tx, &membership)? {
            left_without_admin.extend(organizations::find(unit.tx, id)?);
        } else {
            end_membership(unit, user_id, id)?;
            let event = unit.event(Action::MemberLeft).about(user_id).within(id);
            unit.record(event.without_origin())?;
        }
    }
    if left_without_admin.is_empty() {
        return Ok(());
    }
    let summaries = left_without_admin
        .into_iter()
        .map(OrganizationSummary::from);
    Err(Error::LastAdminOf(summaries.collect()))
}

/// Deletes an account without memberships, and what is kept of its address elsewhere. The audit log keeps its id, and
/// `removed_identities` the accounts at Slack of a person who was removed.
pub(in crate::service) fn erase(unit: &mut UnitOfWork<'_, '_>, user: &User) -> Result<()> {
    // Before the account, which holds the version to raise.
    unit.revoke_tokens(user.id)?;
    limits::unlock_account(unit, user)?;
    outbox::delete_of_user(unit.tx, user)?;
    if let Some(email) = &user.email {
        invitations::delete_to(unit.tx, email)?;
    }
    identities::delete_of_user(unit.tx, user.id)?;
    one_time_tokens::delete_all_of_user(unit.tx, user.id)?;
    let has_many_rows = audit::remove_origins(unit.tx, user.id, BATCH)? == BATCH as usize;
    if has_many_rows || sessions::has_more_than(unit.tx, user.id, MOST_SESSIONS)? {
        users::hide(unit.tx, user.id, unit.now)?;
    } else {
        users::delete(unit.tx, user.id)?;
    }
    Ok(())
}
