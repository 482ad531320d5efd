//! Whether what a member gave to others, such as an invitation, still counts.

use crate::domain::{OrganizationId, Role, UserId};
use crate::store::{StoreError, Tx, memberships, users};

/// Whether the user is enabled, and a member with at least this role.
pub(in crate::service) fn still_has_role(
    tx: &mut Tx<'_>,
    user_id: UserId,
    organization_id: OrganizationId,
    role: Role,
) -> Result<bool, StoreError> {
    let is_enabled = users::find(tx, user_id)?.is_some_and(|user| user.disabled_at.is_none());
    let membership = memberships::find(tx, user_id, organization_id)?;
    Ok(is_enabled && membership.is_some_and(|membership| membership.role >= role))
}
