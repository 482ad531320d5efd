//! The `active_organizations` table: the organization that each user acted in last.

use diesel::prelude::*;

use super::schema::active_organizations;
use super::{StoreError, Tx, later, on};
use crate::domain::{OrganizationId, UserId};

/// `None` for users who have acted in none, or whose last one was deleted. They may have left it.
pub fn find(tx: &mut Tx<'_>, user_id: UserId) -> Result<Option<OrganizationId>, StoreError> {
    Ok(on!(tx, |conn| active_organizations::table
        .find(user_id)
        .select(active_organizations::organization_id)
        .get_result(conn)
        .optional())?)
}

/// Replaces the one remembered before. Writes only if it differs.
pub fn remember(
    tx: &mut Tx<'_>,
    user_id: UserId,
    organization_id: OrganizationId,
) -> Result<(), StoreError> {
    if find(tx, user_id)? == Some(organization_id) {
        return Ok(());
    }
    later!(
        tx,
        diesel::insert_into(active_organizations::table)
            .values((
                active_organizations::user_id.eq(user_id),
                active_organizations::organization_id.eq(organization_id),
            ))
            .on_conflict(active_organizations::user_id)
            .do_update()
            .set(active_organizations::organization_id.eq(organization_id))
    )?;
    Ok(())
}
