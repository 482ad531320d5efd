//! The user who signs in, and their organization, if they have one.

use crate::domain::{Membership, OrganizationId, Session, User, UserId};
use crate::service::unit_of_work::Event;
use crate::service::{Error, Profile, Result};
use crate::store::{StoreError, Tx, active_organizations, memberships};

/// A user and their membership in the organization of the sign-in; `None` for users who belong to none.
#[derive(Debug, Clone)]
pub(in crate::service) struct Subject {
    pub user: User,
    pub membership: Option<Membership>,
}

impl Subject {
    /// A user in the organization they asked for, or otherwise in [the usual one](usual_membership).
    ///
    /// # Errors
    /// `OrganizationNotFound` if they are not a member of the one they asked for.
    pub(crate) fn in_organization(
        tx: &mut Tx<'_>,
        user: User,
        wanted: Option<OrganizationId>,
    ) -> Result<Self> {
        let membership = match wanted {
            None => usual_membership(tx, user.id)?,
            Some(id) => {
                let found = memberships::find(tx, user.id, id)?;
                Some(found.ok_or(Error::OrganizationNotFound)?)
            }
        };
        Ok(Self { user, membership })
    }

    /// The user of a session, in its organization.
    ///
    /// # Errors
    /// `TokenRevoked` if they are not a member of it.
    pub(crate) fn of_session(tx: &mut Tx<'_>, user: User, session: &Session) -> Result<Self> {
        let membership = match session.organization_id {
            None => None,
            Some(id) => Some(memberships::find(tx, user.id, id)?.ok_or(Error::TokenRevoked)?),
        };
        Ok(Self { user, membership })
    }

    pub(crate) fn profile(&self) -> Profile {
        Profile::of(&self.user, self.membership.as_ref())
    }

    pub(crate) fn organization_id(&self) -> Option<OrganizationId> {
        let membership = self.membership.as_ref()?;
        Some(membership.organization_id)
    }

    /// An event about themselves in this organization.
    pub(crate) fn own(&self, event: Event) -> Event {
        event.own(self.user.id).within(self.organization_id())
    }
}

/// The membership in the organization that a user acted in last, or joined first.
pub(in crate::service) fn usual_membership(
    tx: &mut Tx<'_>,
    user_id: UserId,
) -> Result<Option<Membership>, StoreError> {
    if let Some(id) = active_organizations::find(tx, user_id)?
        && let Some(membership) = memberships::find(tx, user_id, id)?
    {
        return Ok(Some(membership));
    }
    Ok(memberships::list_of_user(tx, user_id)?.into_iter().next())
}
