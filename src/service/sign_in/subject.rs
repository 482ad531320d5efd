//! The user who signs in, and their organization, if they have one.

use crate::domain::audit::{Action, Method};
use crate::domain::{Membership, OrganizationId, Session, Slug, User};
use crate::service::accounts::verify_credentials::VerifiedCredentials;
use crate::service::unit_of_work::{Event, UnitOfWork};
use crate::service::{Error, Profile, Result};
use crate::store::{Tx, memberships, organizations};

/// Which organization a sign-in is to speak for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Wanted {
    Id(OrganizationId),
    /// By its slug: named in the request, or else by its host.
    Slug(String),
    /// The one that the user acted in last, or joined first; none for users who belong to none.
    #[default]
    Usual,
}

/// A user and their membership in the organization of the sign-in; `None` for users who belong to none.
#[derive(Debug, Clone)]
pub(in crate::service) struct Subject {
    pub user: User,
    pub membership: Option<Membership>,
}

impl Subject {
    /// A user who signs in, in the organization that they want.
    ///
    /// # Errors
    /// `OrganizationNotFound` if there is none; `Forbidden` if they are not a member of it.
    pub(crate) fn signing_in(tx: &mut Tx<'_>, user: User, wanted: &Wanted) -> Result<Self> {
        let organization = match wanted {
            Wanted::Usual => return Self::in_organization(tx, user, None),
            Wanted::Id(id) => organizations::find(tx, *id)?,
            Wanted::Slug(slug) => organizations::find_by_slug(tx, &Slug::typed(slug))?,
        };
        let organization = organization.ok_or(Error::OrganizationNotFound)?;
        let membership = memberships::find(tx, user.id, organization.id)?;
        Ok(Self {
            user,
            membership: Some(membership.ok_or(Error::Forbidden)?),
        })
    }

    /// As [`signing_in`](Self::signing_in), after a right password, with the account locked. A refusal is recorded in
    /// the organization that the user joined first; the caller ends with it.
    ///
    /// # Errors
    /// As [`VerifiedCredentials::lock`].
    pub(crate) fn after_password(
        unit: &mut UnitOfWork<'_, '_>,
        verified: &VerifiedCredentials,
        wanted: &Wanted,
    ) -> Result<Result<Self>> {
        let user = verified.lock(unit)?.user;
        let user_id = user.id;
        let (reason, refusal) = match Self::signing_in(unit.tx, user, wanted) {
            Err(error @ Error::OrganizationNotFound) => ("unknown_organization", error),
            Err(error @ Error::Forbidden) => ("not_a_member", error),
            settled => return settled.map(Ok),
        };
        let first = memberships::first_of_user(unit.tx, user_id)?;
        let event = unit.event(Action::Login).about(user_id).within(first);
        unit.record(event.by(Method::Password).refused(reason))?;
        Ok(Err(refusal))
    }

    /// A user in the organization they asked for, or otherwise in [the usual one](memberships::usual).
    ///
    /// # Errors
    /// `OrganizationNotFound` if they are not a member of the one they asked for.
    pub(crate) fn in_organization(
        tx: &mut Tx<'_>,
        user: User,
        wanted: Option<OrganizationId>,
    ) -> Result<Self> {
        let membership = match wanted {
            None => memberships::usual(tx, user.id)?,
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
