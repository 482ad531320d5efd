//! Takes a run back: removes the people whom it created and who have not signed in yet.

use serde::Serialize;
use serde_json::json;

use super::run::{Held, find_import};
use crate::domain::audit::Action;
use crate::domain::import::{ImportRefusal, ImportRun, ImportState};
use crate::domain::{Change, ImportId, Membership, OrganizationId, Role, UserId};
use crate::service::organizations::delete::{delete_empty, must_be_empty};
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Error, RequestContext, Result, Services};
use crate::store::{
    Requester, external_ids, external_organizations, memberships, outbox, users, webhooks,
};

/// People of one transaction.
const BATCH: u32 = 200;

/// What remains of a run.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UndoneImport {
    pub removed: u64,
    pub removed_organizations: u64,
    /// People who are kept, each with the reason.
    pub kept: Vec<Kept>,
}

/// Somebody whom a run created, and who stays.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    pub id: UserId,
    pub external_id: String,
    pub why: WhyKept,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyKept {
    /// They have signed in, or set a password.
    SignedIn,
    /// They are the only admin of people who stay.
    OnlyAdmin,
}

/// Which people a pass is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// Those who administer nothing.
    Others,
    Admins,
}

/// Removes whoever a run has created and has not signed in yet, and the organizations that are empty then. Accounts that
/// were here before keep what they got.
///
/// # Errors
/// `Import(Undone)`; when the database fails. It can be repeated.
pub async fn undo_import(
    services: &Services,
    context: &RequestContext,
    held: Held,
) -> Result<UndoneImport> {
    let run = find_import(services, held.id).await?;
    let mut undone = UndoneImport::default();
    for pass in [Pass::Others, Pass::Admins] {
        let mut after = String::new();
        while let Some(last) =
            step(services, context, (&run, held), pass, after, &mut undone).await?
        {
            after = last;
        }
    }
    remove_organizations(services, context, &run, &mut undone).await?;
    held.end(services, context, ImportState::Undone).await?;
    Ok(undone)
}

/// One batch of a pass, after an external id; returns the last one of it.
async fn step(
    services: &Services,
    context: &RequestContext,
    (run, held): (&ImportRun, Held),
    pass: Pass,
    after: String,
    undone: &mut UndoneImport,
) -> Result<Option<String>> {
    let (id, source) = (run.id, run.source.clone());
    let people = services
        .store
        .read(Requester::OPERATOR, move |tx| {
            external_ids::list_created_by(tx, (id, &source), &after, BATCH)
        })
        .await?;
    let Some((last, _)) = people.last().cloned() else {
        return Ok(None);
    };
    let (removed, kept) = services
        .operate(context, move |unit| {
            let done = remove(unit, id, people, pass)?;
            if !held.is_held(unit)? {
                return Err(ImportRefusal::TakenOver { id }.into());
            }
            unit.recorded_if_changed(done)
        })
        .await?;
    undone.removed += removed;
    undone.kept.extend(kept);
    Ok(Some(last))
}

/// Removes those of these people who may go; returns how many, and who stays.
fn remove(
    unit: &mut UnitOfWork<'_, '_>,
    id: ImportId,
    people: Vec<(String, UserId)>,
    pass: Pass,
) -> Result<(u64, Vec<Kept>)> {
    let ids: Vec<UserId> = people.iter().map(|(_, id)| *id).collect();
    users::lock_accounts(unit.tx, &ids)?;
    let untouched = external_ids::list_untouched(unit.tx, &ids)?;
    let mut removed = Vec::new();
    let mut kept = Vec::new();
    for (external_id, user_id) in people {
        let why = if !untouched.contains(&user_id) {
            // Said once.
            (pass == Pass::Admins).then_some(WhyKept::SignedIn)
        } else {
            let theirs = memberships::list_of_user(unit.tx, user_id)?;
            let is_admin = theirs.iter().any(|it| it.role == Role::Admin);
            match pass {
                Pass::Others if is_admin => continue,
                Pass::Others => None,
                Pass::Admins => is_needed(unit, user_id, &theirs)?.then_some(WhyKept::OnlyAdmin),
            }
        };
        match why {
            Some(why) => kept.push(Kept {
                id: user_id,
                external_id,
                why,
            }),
            None if untouched.contains(&user_id) => {
                remove_one(unit, user_id)?;
                removed.push(user_id);
            }
            None => {}
        }
    }
    let detail = json!({"importId": id, "undone": true});
    let events = removed.iter().map(|user_id| {
        let event = unit.event(Action::UserDeleted).about(*user_id);
        event.detail(detail.clone())
    });
    let events: Vec<_> = events.collect();
    unit.record_all(events)?;
    Ok((removed.len() as u64, kept))
}

/// Whether somebody who stays would be left without an admin.
fn is_needed(
    unit: &mut UnitOfWork<'_, '_>,
    user_id: UserId,
    theirs: &[Membership],
) -> Result<bool> {
    for membership in theirs {
        if memberships::is_only_admin(unit.tx, membership)?
            && memberships::has_others(unit.tx, membership.organization_id, user_id)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn remove_one(unit: &mut UnitOfWork<'_, '_>, user_id: UserId) -> Result<()> {
    for membership in memberships::list_of_user(unit.tx, user_id)? {
        let id = membership.organization_id;
        let (reports, released) = memberships::release_reports(unit.tx, user_id, id, unit.now)?;
        if !reports.is_empty() {
            unit.announce(released);
        }
        for user_id in reports {
            unit.changed(Change::PersonChanged { user_id });
        }
        if webhooks::exist_in(unit.tx, &[id])? {
            let outdated = memberships::delete(unit.tx, user_id, id)?;
            unit.outdated(outdated);
        }
    }
    outbox::delete_about(unit.tx, user_id)?;
    let deleted = users::delete(unit.tx, user_id)?;
    unit.announce(deleted);
    Ok(())
}

/// Removes the organizations that the run has created and that have no member.
async fn remove_organizations(
    services: &Services,
    context: &RequestContext,
    run: &ImportRun,
    undone: &mut UndoneImport,
) -> Result<()> {
    let mut after = String::new();
    loop {
        let (id, source) = (run.id, run.source.clone());
        let found: Vec<(String, OrganizationId)> = services
            .store
            .read(Requester::OPERATOR, move |tx| {
                external_organizations::list_created_by(tx, (id, &source), &after, BATCH)
            })
            .await?;
        let Some((last, _)) = found.last().cloned() else {
            return Ok(());
        };
        after = last;
        for (_, organization_id) in found {
            let removed = services
                .operate(context, move |unit| {
                    if memberships::has_others(unit.tx, organization_id, UserId::NIL)? {
                        return unit.unrecorded(false);
                    }
                    must_be_empty(unit, organization_id, None)?;
                    delete_empty(unit, organization_id)?;
                    unit.recorded(true)
                })
                .await;
            match removed {
                Ok(removed) => undone.removed_organizations += u64::from(removed),
                // Somebody has joined it meanwhile.
                Err(Error::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
    }
}
