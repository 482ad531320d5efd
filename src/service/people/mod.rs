//! The people of the caller's organization: who sees whom, and who changes what.

mod find;
mod list;
mod remove;
mod update;

pub use find::find_person;
pub use list::list_people;
pub use remove::remove_person;
pub use update::{UpdatePerson, update_person};

use super::{Caller, Credential, Error, Result};
use crate::domain::{Deed, Membership, Role, Standing, User, UserId};
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
fn standing(tx: &mut Tx<'_>, caller: &Caller, user_id: UserId) -> Result<Standing, StoreError> {
    let profile = &caller.profile;
    Ok(match (profile.role, caller.credential) {
        (Role::Admin, _) => Standing::Admin,
        (_, Credential::Session(_)) if user_id == profile.id => Standing::Oneself,
        (_, Credential::ApiToken(_)) if user_id == profile.id => Standing::TheirService,
        (Role::Manager, _)
            if people::is_below(tx, profile.organization_id, profile.id, user_id)? =>
        {
            Standing::Superior
        }
        (Role::Manager | Role::Employee, _) => Standing::Outsider,
    })
}

/// Reads somebody to whom the caller may do all of `deeds`.
///
/// # Errors
/// `UserNotFound` for who is no member of the caller's organization, `Forbidden` for who is out of reach.
fn reach(tx: &mut Tx<'_>, caller: &Caller, user_id: UserId, deeds: &[Deed]) -> Result<Person> {
    let person = people::find(tx, caller.profile.organization_id, user_id)?
        .ok_or(Error::UserNotFound)?
        .into();
    let standing = standing(tx, caller, user_id)?;
    if deeds.iter().all(|deed| standing.may(*deed)) {
        Ok(person)
    } else {
        Err(Error::Forbidden)
    }
}
