//! Whose sign-in it is, and for which organization.

use crate::domain::{Membership, User};
use crate::service::unit_of_work::Event;

/// Somebody and the organization they want to speak for.
#[derive(Debug, Clone)]
pub(in crate::service) struct Subject {
    pub user: User,
    pub membership: Membership,
}

impl Subject {
    /// Something they did to themselves in their organization.
    pub fn own(&self, event: Event) -> Event {
        let organization_id = self.membership.organization_id;
        event.own(self.user.id).within(organization_id)
    }
}
