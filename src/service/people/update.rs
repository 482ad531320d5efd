//! What is changed of a person: name, role, manager, whether they may sign in.

use chrono::{DateTime, Utc};

use crate::domain::audit::{Action, AuditEntry};
use crate::domain::{Change, Fault, Permission, PersonName, Role, UserId, lifetimes};
use crate::service::organizations::last_admin::keep_an_admin;
use crate::service::people::{Person, reach};
use crate::service::{Caller, Error, RequestContext, Result, Services, record_changes};
use crate::store::{Tx, api_tokens, audit, memberships, organizations, people, sessions, users};

/// What is to become different; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct UpdatePerson {
    pub name: Option<PersonName>,
    pub role: Option<Role>,
    /// `Some(None)`: reports to nobody.
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

/// All of it or nothing. Each thing that became different leaves an audit row of its own; what was so already
/// leaves none.
///
/// # Errors
/// `UserNotFound`; `Forbidden` for what the caller may not do to this person (only admins give roles, and none is above
/// theirs); `Invalid` for a manager who is no member or reports to the person; `LastAdmin` for a demotion or
/// deactivation that would leave none; `MemberElsewhere` for deactivating who belongs to another organization too.
pub async fn update_person(
    services: &Services,
    context: &RequestContext,
    caller: &Caller,
    user_id: UserId,
    update: UpdatePerson,
) -> Result<Person> {
    let now = services.now();
    let entries = Entries {
        renamed: entry(
            services,
            context,
            caller,
            user_id,
            now,
            Action::ProfileUpdated,
        ),
        promoted: entry(services, context, caller, user_id, now, Action::RoleChanged),
        moved: entry(
            services,
            context,
            caller,
            user_id,
            now,
            Action::ManagerChanged,
        ),
        disabled: entry(
            services,
            context,
            caller,
            user_id,
            now,
            Action::UserDisabled,
        ),
        enabled: entry(services, context, caller, user_id, now, Action::UserEnabled),
    };
    let caller = caller.clone();
    let (person, changes) = services
        .store
        .write(move |tx| {
            let organization_id = caller.profile.organization_id;
            // One change of an organization's people after the other: no two make a circle together.
            organizations::lock(tx, organization_id)?.ok_or(Error::UserNotFound)?;
            let before = reach(tx, &caller, user_id, &update.permissions())?;
            let mut changes = Vec::new();
            if let Some(name) = update.name.filter(|name| *name != before.user.name) {
                users::set_name(tx, user_id, &name, now)?;
                audit::insert(tx, &entries.renamed)?;
                changes.push(Change::PersonChanged { user_id });
            }
            if let Some(role) = update.role.filter(|role| *role != before.membership.role) {
                change_role(tx, &before, role, now)?;
                audit::insert(tx, &entries.promoted)?;
                changes.push(Change::PersonChanged { user_id });
            }
            let manager_id = update.manager_id;
            if let Some(manager_id) = manager_id.filter(|it| *it != before.membership.manager_id) {
                change_manager(tx, &before, manager_id, now)?;
                audit::insert(tx, &entries.moved)?;
                changes.push(Change::PersonChanged { user_id });
            }
            match (update.disabled, before.user.disabled_at) {
                (Some(true), None) => {
                    changes.push(disable(tx, &before, now)?);
                    audit::insert(tx, &entries.disabled)?;
                }
                (Some(false), Some(_)) => {
                    users::enable(tx, user_id, now)?;
                    audit::insert(tx, &entries.enabled)?;
                    changes.push(Change::PersonChanged { user_id });
                }
                (None, _) | (Some(true), Some(_)) | (Some(false), None) => {}
            }
            let after = people::find(tx, organization_id, user_id)?.ok_or(Error::UserNotFound)?;
            record_changes(tx, &changes, now)?;
            Ok::<_, Error>((Person::from(after), changes))
        })
        .await?;
    services
        .revocations
        .apply(&changes, now + lifetimes::ACCESS_TOKEN);
    Ok(person)
}

struct Entries {
    renamed: AuditEntry,
    promoted: AuditEntry,
    moved: AuditEntry,
    disabled: AuditEntry,
    enabled: AuditEntry,
}

fn entry(
    services: &Services,
    context: &RequestContext,
    caller: &Caller,
    subject_id: UserId,
    now: DateTime<Utc>,
    action: Action,
) -> AuditEntry {
    AuditEntry {
        subject_id: Some(subject_id),
        ..services.audit_own(context, now, action, caller)
    }
}

fn change_role(tx: &mut Tx<'_>, person: &Person, role: Role, now: DateTime<Utc>) -> Result<()> {
    let membership = &person.membership;
    if role < membership.role {
        keep_an_admin(tx, membership.organization_id, membership.user_id)?;
    }
    let (user_id, organization_id) = (membership.user_id, membership.organization_id);
    memberships::set_role(tx, user_id, organization_id, role, now)?;
    Ok(())
}

fn change_manager(
    tx: &mut Tx<'_>,
    person: &Person,
    manager_id: Option<UserId>,
    now: DateTime<Utc>,
) -> Result<()> {
    let (user_id, organization_id) = (person.user.id, person.membership.organization_id);
    if let Some(manager_id) = manager_id {
        if memberships::find(tx, manager_id, organization_id)?.is_none() {
            let why = "Please choose a member of the organization.";
            return Err(Fault::new("managerId", "unknown_user", why).into());
        }
        if people::is_below(tx, organization_id, user_id, manager_id)? {
            let why = "Please choose somebody who does not report to this person.";
            return Err(Fault::new("managerId", "circular", why).into());
        }
    }
    memberships::set_manager(tx, user_id, organization_id, manager_id, now)?;
    Ok(())
}

/// An account is disabled as a whole, so only where it belongs to nobody else.
fn disable(tx: &mut Tx<'_>, person: &Person, now: DateTime<Utc>) -> Result<Change> {
    let (user_id, organization_id) = (person.user.id, person.membership.organization_id);
    keep_an_admin(tx, organization_id, user_id)?;
    users::lock_account_exclusively(tx, user_id)?.ok_or(Error::UserNotFound)?;
    if memberships::list_of_user(tx, user_id)?.len() > 1 {
        return Err(Error::MemberElsewhere);
    }
    users::disable(tx, user_id, now)?;
    let min_token_version = users::raise_token_version(tx, user_id, now)?;
    sessions::revoke_all(tx, user_id, None, now)?;
    api_tokens::revoke_all_of(tx, user_id, now)?;
    Ok(Change::TokensRevoked {
        user_id,
        min_token_version,
    })
}
