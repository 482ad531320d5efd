//! The users of the caller's organization: who may see and change whom.

pub mod end_membership;
mod find;
mod list;
pub mod list_members;
mod remove;
pub mod remove_member;
mod unlock;
pub mod update;

pub use find::find_person;
pub use list::list_people;
pub use remove::remove_person;
pub use unlock::unlock_person;
pub use update::{UpdatePerson, update_person};

use chrono::{DateTime, Utc};

use crate::domain::{Membership, OrganizationId, Permission, Relationship, Role, User, UserId};
use crate::service::limits::Locks;
use crate::service::unit_of_work::MemberActor;
use crate::service::{Credential, Error, MemberCaller, Result};
use crate::store::{StoreError, Tx, external_ids, people};

/// A user and their membership in the caller's organization.
#[derive(Debug, Clone)]
pub struct Person {
    pub user: User,
    pub membership: Membership,
    /// The id that they had in the system they were imported from last.
    pub external_id: Option<String>,
    /// Until when wrong passwords have locked the account, if they have; `None` for those who may not see it.
    pub locked_until: Option<Option<DateTime<Utc>>>,
}

impl From<(User, Membership)> for Person {
    fn from((user, membership): (User, Membership)) -> Self {
        Self {
            user,
            membership,
            external_id: None,
            locked_until: None,
        }
    }
}

/// Who reads or changes users of their organization.
#[derive(Debug, Clone, Copy)]
pub(in crate::service) struct Viewer {
    id: UserId,
    organization_id: OrganizationId,
    role: Role,
    is_service: bool,
}

impl From<&MemberCaller> for Viewer {
    fn from(caller: &MemberCaller) -> Self {
        Self {
            id: caller.profile.id,
            organization_id: caller.organization.id,
            role: caller.organization.role,
            is_service: matches!(caller.credential, Credential::ApiToken(_)),
        }
    }
}

impl From<&MemberActor> for Viewer {
    fn from(actor: &MemberActor) -> Self {
        Self {
            id: actor.id(),
            organization_id: actor.organization_id(),
            role: actor.role(),
            is_service: actor.is_service(),
        }
    }
}

impl Viewer {
    /// Their relationship to a user of their organization.
    fn relationship(self, tx: &mut Tx<'_>, user_id: UserId) -> Result<Relationship, StoreError> {
        Ok(match self.role {
            _ if user_id == self.id && self.is_service => Relationship::TheirService,
            Role::Admin => Relationship::Admin,
            _ if user_id == self.id => Relationship::Oneself,
            Role::Manager if people::is_below(tx, self.organization_id, self.id, user_id)? => {
                Relationship::Superior
            }
            Role::Manager | Role::Employee => Relationship::Outsider,
        })
    }
}

/// Adds the ids that the users had elsewhere, and what only admins see.
fn complete(
    tx: &mut Tx<'_>,
    viewer: impl Into<Viewer>,
    people: &mut [Person],
    locks: &Locks,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let ids: Vec<UserId> = people.iter().map(|person| person.user.id).collect();
    // The latest come first.
    for (user_id, external) in external_ids::list_of_users(tx, &ids)? {
        let theirs = people.iter_mut().find(|person| person.user.id == user_id);
        if let Some(person) = theirs {
            person.external_id.get_or_insert(external.id);
        }
    }
    if viewer.into().role == Role::Admin {
        let users: Vec<&User> = people.iter().map(|person| &person.user).collect();
        let locked = locks.of(tx, &users, now)?;
        for (person, until) in people.iter_mut().zip(locked) {
            person.locked_until = Some(until);
        }
    }
    Ok(())
}

/// Reads a user for whom the viewer has all of `permissions`.
///
/// # Errors
/// `UserNotFound` for users who are not members of the viewer's organization, `Forbidden` without the permissions.
fn reach(
    tx: &mut Tx<'_>,
    viewer: impl Into<Viewer>,
    user_id: UserId,
    permissions: &[Permission],
) -> Result<Person> {
    let viewer = viewer.into();
    let person = people::find(tx, viewer.organization_id, user_id)?
        .ok_or(Error::UserNotFound)?
        .into();
    let relationship = viewer.relationship(tx, user_id)?;
    if permissions
        .iter()
        .all(|permission| relationship.may(*permission))
    {
        Ok(person)
    } else {
        Err(Error::Forbidden)
    }
}
