//! The user who signs in, and the organization.

use crate::domain::{Membership, OrganizationId, User};
use crate::service::unit_of_work::Event;
use crate::service::{Error, Result};
use crate::store::{Tx, memberships};

/// A user and their membership in the organization of the sign-in.
#[derive(Debug, Clone)]
pub(in crate::service) struct Subject {
    pub user: User,
    pub membership: Membership,
}

impl Subject {
    /// A user in the organization they asked for, or otherwise in the one they joined first.
    ///
    /// # Errors
    /// `OrganizationNotFound` if they are not a member of it, `Forbidden` if they are a member of none.
    pub(crate) fn in_organization(
        tx: &mut Tx<'_>,
        user: User,
        wanted: Option<OrganizationId>,
    ) -> Result<Self> {
        let membership = match wanted {
            None => memberships::list_of_user(tx, user.id)?
                .into_iter()
                .next()
                .ok_or(Error::Forbidden)?,
            Some(id) => memberships::find(tx, user.id, id)?.ok_or(Error::OrganizationNotFound)?,
        };
        Ok(Self { user, membership })
    }

    /// An event about themselves in this organization.
    pub(crate) fn own(&self, event: Event) -> Event {
        let organization_id = self.membership.organization_id;
        event.own(self.user.id).within(organization_id)
    }
}
