//! The end of an organization: an admin deletes it.

use serde_json::json;

use crate::domain::audit::Action;
use crate::domain::{Change, OrganizationId, OrganizationName, Role, UserId, Violation};
use crate::service::sessions::end_many::end_sessions_in;
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Error, MemberCaller, Result, Services};
use crate::store::{invitations, join_links, memberships, organizations};

/// How many members lose their membership at once, so that other writers wait for no more than that.
pub(in crate::service) const BATCH: u32 = 500;

/// Deletes the caller's organization with all that belongs to it. Its members keep their accounts; their tokens for it
/// are revoked. Memberships end in batches, the caller's last, and nobody joins meanwhile: a deletion that is interrupted
/// can be repeated.
///
/// # Errors
/// `OrganizationNotFound` for every organization but the caller's; `Forbidden` below `admin`, and for a service;
/// `ReauthenticationRequired`; `Invalid` unless `name` is the name of the organization.
pub async fn delete_organization(
    services: &Services,
    caller: &MemberCaller,
    id: OrganizationId,
    name: OrganizationName,
) -> Result<()> {
    caller.must_act_in(id)?;
    loop {
        let name = name.clone();
        let members = services
            .read_as(caller, move |tx, actor| {
                Ok(memberships::list_some(tx, id, Some(actor.id()), BATCH)?)
            })
            .await?;
        let step = services
            .administer(caller, members.clone(), move |unit, actor| {
                actor.must_be(Role::Admin)?;
                actor.must_be_fresh(unit.now)?;
                must_be_named(unit, id, &name)?;
                let is_deleted = delete_step(unit, id, &members, Some(actor.id()))?;
                unit.recorded(is_deleted)
            })
            .await;
        match step {
            Ok(true) => return Ok(()),
            // Somebody joined before the organization was closed.
            Ok(false) | Err(Error::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
}

/// # Errors
/// `Invalid` unless this is the organization's name, as a confirmation; `OrganizationNotFound`.
pub(in crate::service) fn must_be_named(
    unit: &mut UnitOfWork<'_, '_>,
    id: OrganizationId,
    name: &OrganizationName,
) -> Result<()> {
    let organization = organizations::find(unit.tx, id)?.ok_or(Error::OrganizationNotFound)?;
    if organization.name == *name {
        return Ok(());
    }
    let why = "Please enter the name of the organization exactly as it is.";
    Err(Violation::new("name", "wrong_name", why).into())
}

/// Ends the memberships of these people, some of all but `last`, or deletes the organization if there are none; returns
/// whether it did. From the first step on nobody joins. The organization is locked, and then the accounts: whoever acts
/// holds their account and waits for their membership or the organization.
///
/// # Errors
/// `Conflict` if there are others after all.
pub(in crate::service) fn delete_step(
    unit: &mut UnitOfWork<'_, '_>,
    id: OrganizationId,
    members: &[UserId],
    last: Option<UserId>,
) -> Result<bool> {
    organizations::close(unit.tx, id, unit.now)?;
    if !members.is_empty() {
        let outdated = memberships::delete_some(unit.tx, id, members, unit.now)?;
        unit.outdated(outdated);
        for user_id in members {
            end_sessions_in(unit, *user_id, id)?;
        }
        let event = unit.event(Action::OrganizationUpdated).within(id);
        let detail = json!({"membersRemoved": members.len()});
        unit.record(event.about(None).detail(detail))?;
        return Ok(false);
    }
    if let Some(user_id) = last {
        let outdated = memberships::delete_some(unit.tx, id, &[user_id], unit.now)?;
        unit.outdated(outdated);
        end_sessions_in(unit, user_id, id)?;
    }
    must_be_empty(unit, id, last)?;
    delete_empty(unit, id)?;
    Ok(true)
}

/// Locks an organization so that nobody joins it any more.
///
/// # Errors
/// `Conflict` if somebody has joined since its members were read.
pub(in crate::service) fn must_be_empty(
    unit: &mut UnitOfWork<'_, '_>,
    id: OrganizationId,
    except: Option<UserId>,
) -> Result<()> {
    // Who uses one of these holds its row and waits for the organization.
    join_links::delete_all_of(unit.tx, id)?;
    invitations::delete_all_of(unit.tx, id)?;
    organizations::lock_exclusively(unit.tx, id)?;
    match memberships::list_some(unit.tx, id, except, 1)?.as_slice() {
        [] => Ok(()),
        _ => Err(Error::Conflict),
    }
}

/// Deletes an organization of which [`must_be_empty`] holds.
pub(in crate::service) fn delete_empty(
    unit: &mut UnitOfWork<'_, '_>,
    organization_id: OrganizationId,
) -> Result<()> {
    let event = unit.event(Action::OrganizationDeleted).about(None);
    unit.record(event.within(organization_id))?;
    organizations::delete(unit.tx, organization_id)?;
    unit.changed(Change::OrganizationChanged { organization_id });
    Ok(())
}
