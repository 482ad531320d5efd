//! What a caller may do in the organization they speak for.

use super::{Caller, Error, Result};
use crate::domain::{OrganizationId, Role};

impl Caller {
    /// A token speaks for one organization: every other one is not there, whoever asks.
    ///
    /// # Errors
    /// `OrganizationNotFound`.
    pub(super) fn must_speak_for(&self, id: OrganizationId) -> Result<()> {
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
    pub(super) fn must_be(&self, role: Role) -> Result<()> {
        if self.profile.role >= role {
            Ok(())
        } else {
            Err(Error::Forbidden)
        }
    }
}
