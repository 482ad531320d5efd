//! The end of an account: its owner deletes it.

use crate::domain::audit::Action;
use crate::domain::person::MOST_SESSIONS;
use crate::domain::{OrganizationSummary, UserId};
use crate::service::organizations::delete::{delete_empty, must_be_empty};
use crate::service::people::end_membership::end_membership;
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Caller, Error, Result, Services, limits};
use crate::store::users::Account;
use crate::store::{
    audit, identities, invitations, memberships, one_time_tokens, organizations, outbox, sessions,
    users, webhook_deliveries,
};

/// How often to try again when somebody joins an organization meanwhile.
const ATTEMPTS: usize = 8;

/// How many rows of the audit log lose their origin at once; housekeeping does the rest.
const BATCH: u32 = 500;

/// Deletes the caller's account, and the organizations that have no other member.
///
/// # Errors
/// `LastAdminOf` the organizations that have other members but no other admin; `ReauthenticationRequired`; `Forbidden`
/// for a service.
pub async fn delete_account(services: &Services, caller: &Caller) -> Result<()> {
    caller.session_id()?;
    for _ in 0..ATTEMPTS {
        let deleted = services
            .write_as_everywhere(caller, move |unit, actor| {
                actor.must_be_fresh(unit.now)?;
                leave_all(unit, actor.id())?;
                erase(unit, &actor.account)?;
                let event = unit.event(Action::UserDeleted).within(None);
                unit.finish(event.without_origin(), ())
            })
            .await;
        if !matches!(deleted, Err(Error::Conflict)) {
            return deleted;
        }
    }
    Err(Error::Busy("people who join while an account is deleted"))
}

/// Ends all memberships of an account that is about to be deleted. Its organizations are locked.
///
/// # Errors
/// `LastAdminOf` the organizations that would be left with members and without an admin; `Conflict` if somebody joins
/// one meanwhile. Nothing may be committed then.
pub(in crate::service) fn leave_all(unit: &mut UnitOfWork<'_, '_>, user_id: UserId) -> Result<()> {
    let mut left_without_admin = Vec::new();
    for membership in memberships::list_of_user(unit.tx, user_id)? {
        let id = membership.organization_id;
        if !memberships::has_others(unit.tx, id, user_id)? {
            must_be_empty(unit, id, Some(user_id))?;
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
///
/// An address that is not verified may be somebody else's, whose invitations must stay.
pub(in crate::service) fn erase(unit: &mut UnitOfWork<'_, '_>, account: &Account) -> Result<()> {
    let user = &account.user;
    // Before the account, which holds the version to raise.
    unit.revoke_tokens(user.id)?;
    limits::unlock_account(unit, user)?;
    outbox::delete_about(unit.tx, user.id)?;
    let earlier = invitations::list_accepted_addresses(unit.tx, user.id)?;
    let verified = account.email_verified_at.and(user.email.as_ref());
    for email in earlier.iter().chain(verified) {
        let owner = users::find_account_by_email(unit.tx, email)?;
        // Somebody else may have an earlier address by now.
        if owner.is_none_or(|owner| owner.user.id == user.id) {
            outbox::delete_to(unit.tx, email)?;
            invitations::delete_to(unit.tx, email)?;
        }
    }
    identities::delete_of_user(unit.tx, user.id)?;
    one_time_tokens::delete_all_of_user(unit.tx, user.id)?;
    let has_many_rows = audit::remove_origins(unit.tx, user.id, BATCH)? >= BATCH as usize;
    webhook_deliveries::delete_about(unit.tx, user.id)?;
    let is_large = has_many_rows || sessions::has_more_than(unit.tx, user.id, MOST_SESSIONS)?;
    let deleted = if is_large {
        users::hide(unit.tx, user.id, unit.now)?
    } else {
        users::delete(unit.tx, user.id)?
    };
    unit.announce(deleted);
    Ok(())
}
