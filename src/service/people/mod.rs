//! The people of the caller's organization: who sees whom, and who changes what.

mod find;
mod list;
pub mod list_members;
mod remove;
pub mod remove_member;
mod rights;
mod update;

pub use find::find_person;
pub use list::list_people;
pub use remove::remove_person;
pub use update::{UpdatePerson, update_person};

use crate::domain::{Membership, Permission, Relationship, Role, User, UserId};
use crate::service::{Caller, Credential, Error, Result};
use crate::store::{StoreError, Tx, people};

/// Somebody as a member of the caller's organization.
#[derive(Debug, Clone)]
pub struct Person {
    pub user: User,
    pub membership: Membership,
}

impl From<(User, Membership)> for Person {
    fn from((user, membership): (User, Membership)) -> Self {
        Self { user, membership }
    }
}

/// What the caller is to somebody in their organization.
fn relationship(
    tx: &mut Tx<'_>,
    caller: &Caller,
    user_id: UserId,
) -> Result<Relationship, StoreError> {
    let profile = &caller.profile;
    Ok(match (profile.role, caller.credential) {
        (Role::Admin, _) => Relationship::Admin,
        (_, Credential::Session(_)) if user_id == profile.id => Relationship::Oneself,
        (_, Credential::ApiToken(_)) if user_id == profile.id => Relationship::TheirService,
        (Role::Manager, _)
            if people::is_below(tx, profile.organization_id, profile.id, user_id)? =>
        {
            Relationship::Superior
        }
        (Role::Manager | Role::Employee, _) => Relationship::Outsider,
    })
}

/// Reads somebody to whom the caller may do all of `permissions`.
///
/// # Errors
/// `UserNotFound` for who is no member of the caller's organization, `Forbidden` for who is out of reach.
fn reach(
    tx: &mut Tx<'_>,
    caller: &Caller,
    user_id: UserId,
    permissions: &[Permission],
) -> Result<Person> {
    let person = people::find(tx, caller.profile.organization_id, user_id)?
        .ok_or(Error::UserNotFound)?
        .into();
    let relationship = relationship(tx, caller, user_id)?;
    if permissions
        .iter()
        .all(|permission| relationship.may(*permission))
    {
        Ok(person)
    } else {
        Err(Error::Forbidden)
    }
}
