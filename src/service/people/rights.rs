//! What a caller may do in the organization they speak for.

use crate::domain::{OrganizationId, Role};
use crate::service::{Caller, Error, Result};

impl Caller {
    /// A token speaks for one organization: every other one is not there, whoever asks.
    ///
    /// # Errors
    /// `OrganizationNotFound`.
    pub(in crate::service) fn must_speak_for(&self, id: OrganizationId) -> Result<()> {
        if self.profile.organization_id == id {
            Ok(())
        } else {
            Err(Error::OrganizationNotFound)
        }
    }

    /// The role, or one above it.
    ///
    /// # Errors
    /// `Forbidden`.
    pub(in crate::service) fn must_be(&self, role: Role) -> Result<()> {
        if self.profile.role >= role {
            Ok(())
        } else {
            Err(Error::Forbidden)
        }
    }
}
