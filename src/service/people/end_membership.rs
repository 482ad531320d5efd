//! Ends a membership, in the transaction of the verb that does so.

use crate::domain::{Change, OrganizationId, UserId};
use crate::service::Result;
use crate::service::unit_of_work::UnitOfWork;
use crate::store::memberships;

/// Deletes the membership. The member's reports then have no manager.
pub(in crate::service) fn end_membership(
    unit: &mut UnitOfWork<'_, '_>,
    user_id: UserId,
    organization_id: OrganizationId,
) -> Result<()> {
    let (reports, released) =
        memberships::release_reports(unit.tx, user_id, organization_id, unit.now)?;
    unit.announce(released);
    let outdated = memberships::delete(unit.tx, user_id, organization_id)?;
    unit.outdated(outdated);
    for user_id in reports {
        unit.changed(Change::PersonChanged { user_id });
    }
    Ok(())
}
