//! All organizations of an account, locked before the account itself.

use super::UnitOfWork;
use crate::domain::{OrganizationId, UserId};
use crate::service::{Error, Result};
use crate::store::{memberships, organizations};

/// Organizations are locked before accounts, in the order of their ids.
pub struct LockedOrganizations(Vec<OrganizationId>);

impl LockedOrganizations {
    /// Those of the user, and `more`.
    ///
    /// # Errors
    /// `OrganizationNotFound` if one of `more` does not exist.
    pub fn of(
        unit: &mut UnitOfWork<'_, '_>,
        user_id: UserId,
        more: &[OrganizationId],
    ) -> Result<Self> {
        let mut ids: Vec<_> = memberships::list_of_user(unit.tx, user_id)?
            .into_iter()
            .map(|membership| membership.organization_id)
            .chain(more.iter().copied())
            .collect();
        ids.sort_unstable();
        ids.dedup();
        for id in &ids {
            let found = organizations::lock(unit.tx, *id)?;
            if found.is_none() && more.contains(id) {
                return Err(Error::OrganizationNotFound);
            }
        }
        Ok(Self(ids))
    }

    /// Call it once the account is locked too.
    ///
    /// # Errors
    /// `Conflict` if the account has joined an organization that is not locked.
    pub fn must_be_all_of(&self, unit: &mut UnitOfWork<'_, '_>, user_id: UserId) -> Result<()> {
        for membership in memberships::list_of_user(unit.tx, user_id)? {
            if !self.0.contains(&membership.organization_id) {
                return Err(Error::Conflict);
            }
        }
        Ok(())
    }
}
