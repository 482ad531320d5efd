//! All organizations of an account, locked before the account itself.

use super::UnitOfWork;
use crate::domain::{OrganizationId, UserId};
use crate::service::{Error, Result};
use crate::store::{memberships, organizations};

/// Organizations are locked before accounts, in the order of their ids.
pub struct LockedOrganizations(Vec<OrganizationId>);

impl LockedOrganizations {
    /// # Errors
    /// When the database fails.
    pub fn of(unit: &mut UnitOfWork<'_, '_>, user_id: UserId) -> Result<Self> {
        let mut ids: Vec<_> = memberships::list_of_user(unit.tx, user_id)?
            .into_iter()
            .map(|membership| membership.organization_id)
            .collect();
        ids.sort_unstable();
        for id in &ids {
            organizations::lock(unit.tx, *id)?;
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
