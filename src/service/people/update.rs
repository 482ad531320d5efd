//! Changes a user's name, role, manager, and whether they may sign in.

use std::slice;

use serde_json::json;

use crate::domain::audit::Action;
use crate::domain::{Change, Membership, Permission, PersonName, Role, UserId, Violation};
use crate::service::organizations::last_admin::keep_an_admin;
use crate::service::people::{Person, complete, reach};
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Error, MemberCaller, Result, Services};
use crate::store::{
    api_tokens, former_identities, join_links, memberships, people, users, webhooks,
};

/// What to change; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct UpdatePerson {
    pub name: Option<PersonName>,
    pub role: Option<Role>,
    /// `Some(None)` removes the manager.
    pub manager_id: Option<Option<UserId>>,
    pub disabled: Option<bool>,
}

impl UpdatePerson {
    fn permissions(&self) -> Vec<Permission> {
        let administers =
            self.role.is_some() || self.manager_id.is_some() || self.disabled.is_some();
        let mut permissions = vec![Permission::See];
        if self.name.is_some() {
            permissions.push(Permission::Rename);
        }
        if administers {
            permissions.push(Permission::Administer);
        }
        permissions
    }
}

/// Changes all or nothing. Each change is recorded separately; a value that stays the same is not.
///
/// # Errors
/// `UserNotFound`; `Forbidden` for what the caller may not do to this person (only admins give roles, and none is above
/// theirs; a service makes no admins, and does not make its owner a manager); `ReauthenticationRequired` for making an
/// admin; `Invalid` for a manager who is not a member or reports to the person; `LastAdmin` for a demotion or
/// deactivation that would leave none; `MemberElsewhere` for changing another user's name, or whether the account is
/// disabled, if it belongs to another organization too.
pub async fn update_person(
    services: &Services,
    caller: &MemberCaller,
    user_id: UserId,
    update: UpdatePerson,
) -> Result<Person> {
    let locks = services.locks();
    services
        .administer(caller, Some(user_id), move |unit, actor| {
            let organization_id = actor.organization_id();
            let before = reach(unit.tx, actor, user_id, &update.permissions())?;
            let was = &before.membership;
            if update.role == Some(Role::Admin) && was.role < Role::Admin {
                actor.must_be_fresh(unit.now)?;
            }
            if let Some(name) = update.name.filter(|name| *name != before.user.name) {
                if user_id != actor.id() {
                    must_belong_only_here(unit, user_id)?;
                }
                let renamed = users::set_name(unit.tx, user_id, &name, unit.now)?;
                unit.announce(renamed);
                unit.changed(Change::PersonChanged { user_id });
                unit.record(unit.event(Action::ProfileUpdated).about(user_id))?;
            }
            if let Some(role) = update.role.filter(|role| *role != was.role) {
                change_role(unit, was, role)?;
            }
            if let Some(manager_id) = update.manager_id.filter(|id| *id != was.manager_id) {
                if actor.is_service() && manager_id == Some(actor.id()) {
                    return Err(Error::Forbidden);
                }
                change_manager(unit, &before, manager_id)?;
            }
            match (update.disabled, before.user.disabled_at) {
                (Some(true), None) => disable(unit, &before)?,
                (Some(false), Some(_)) => {
                    if was.role == Role::Admin {
                        actor.must_be_fresh(unit.now)?;
                    }
                    must_belong_only_here(unit, user_id)?;
                    enable_account(unit, user_id)?;
                }
                (None, _) | (Some(true), Some(_)) | (Some(false), None) => {}
            }
            let after =
                people::find(unit.tx, organization_id, user_id)?.ok_or(Error::UserNotFound)?;
            let mut after = Person::from(after);
            complete(
                unit.tx,
                actor,
                slice::from_mut(&mut after),
                &locks,
                unit.now,
            )?;
            unit.recorded_if_changed(after)
        })
        .await
}

/// # Errors
/// `LastAdmin` for a demotion that would leave none.
pub(in crate::service) fn change_role(
    unit: &mut UnitOfWork<'_, '_>,
    membership: &Membership,
    role: Role,
) -> Result<()> {
    let (user_id, organization_id) = (membership.user_id, membership.organization_id);
    if role < membership.role {
        keep_an_admin(unit.tx, organization_id, user_id)?;
        join_links::delete_made_by(unit.tx, user_id, Some(organization_id))?;
        webhooks::delete_owned_by(unit.tx, user_id, Some(organization_id))?;
    }
    let outdated = memberships::set_role(unit.tx, user_id, organization_id, role, unit.now)?;
    unit.outdated(outdated);
    let event = unit.event(Action::RoleChanged).about(user_id);
    unit.record(event.detail(json!({"role": [membership.role.as_str(), role.as_str()]})))?;
    Ok(())
}

fn change_manager(
    unit: &mut UnitOfWork<'_, '_>,
    person: &Person,
    manager_id: Option<UserId>,
) -> Result<()> {
    let (user_id, organization_id) = (person.user.id, person.membership.organization_id);
    if let Some(manager_id) = manager_id {
        if memberships::find(unit.tx, manager_id, organization_id)?.is_none() {
            let why = "Please choose a member of the organization.";
            return Err(Violation::new("managerId", "unknown_user", why).into());
        }
        if people::is_below(unit.tx, organization_id, user_id, manager_id)? {
            let why = "Please choose somebody who does not report to this person.";
            return Err(Violation::new("managerId", "circular", why).into());
        }
    }
    let updated =
        memberships::set_manager(unit.tx, user_id, organization_id, manager_id, unit.now)?;
    unit.announce(updated);
    unit.changed(Change::PersonChanged { user_id });
    let event = unit.event(Action::ManagerChanged).about(user_id);
    let was = person.membership.manager_id;
    unit.record(event.detail(json!({"managerId": [was, manager_id]})))?;
    Ok(())
}

/// What concerns the account, and not the membership, is not for the admin of one organization to decide if the account
/// belongs to several. Joining another one takes the lock of the account, which is held.
pub(super) fn must_belong_only_here(unit: &mut UnitOfWork<'_, '_>, user_id: UserId) -> Result<()> {
    match memberships::list_of_user(unit.tx, user_id)?.len() {
        ..=1 => Ok(()),
        _ => Err(Error::MemberElsewhere),
    }
}

/// Disables the whole account, so only if it belongs to no other organization.
fn disable(unit: &mut UnitOfWork<'_, '_>, person: &Person) -> Result<()> {
    let (user_id, organization_id) = (person.user.id, person.membership.organization_id);
    keep_an_admin(unit.tx, organization_id, user_id)?;
    users::lock_account_exclusively(unit.tx, user_id)?.ok_or(Error::UserNotFound)?;
    must_belong_only_here(unit, user_id)?;
    disable_account(unit, user_id)?;
    unit.record(unit.event(Action::UserDisabled).about(user_id))?;
    Ok(())
}

/// Undoes [`disable_account`], except that sessions and tokens stay ended.
pub(in crate::service) fn enable_account(
    unit: &mut UnitOfWork<'_, '_>,
    user_id: UserId,
) -> Result<()> {
    let enabled = users::enable(unit.tx, user_id, unit.now)?;
    unit.announce(enabled);
    for membership in memberships::list_of_user(unit.tx, user_id)? {
        former_identities::forget_removal(unit.tx, user_id, membership.organization_id)?;
    }
    unit.changed(Change::PersonChanged { user_id });
    unit.record(unit.event(Action::UserEnabled).about(user_id))?;
    Ok(())
}

/// Ends all access, so that enabling the account again does not restore old sessions or tokens. Nor does the person
/// come back through Slack with another account.
pub(in crate::service) fn disable_account(
    unit: &mut UnitOfWork<'_, '_>,
    user_id: UserId,
) -> Result<()> {
    let disabled = users::disable(unit.tx, user_id, unit.now)?;
    unit.announce(disabled);
    for membership in memberships::list_of_user(unit.tx, user_id)? {
        let organization_id = membership.organization_id;
        former_identities::remember_removal(unit.tx, user_id, organization_id, unit.now)?;
    }
    unit.revoke_tokens(user_id)?;
    api_tokens::revoke_all_of(unit.tx, user_id, unit.now)?;
    join_links::delete_made_by(unit.tx, user_id, None)?;
    webhooks::delete_owned_by(unit.tx, user_id, None)?;
    Ok(())
}
