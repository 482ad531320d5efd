//! The rule that an organization keeps an admin.

use crate::domain::{OrganizationId, Role, UserId};
use crate::service::{Error, Result};
use crate::store::{Tx, memberships, organizations};

/// Call it in the transaction that takes the role, the membership or the account from `losing`. It locks the
/// organization until the end, so that of two admins who leave concurrently one stays.
///
/// # Errors
/// `LastAdmin` when `losing` is the only admin of the organization who can sign in; `OrganizationNotFound`.
pub(in crate::service) fn keep_an_admin(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    losing: UserId,
) -> Result<()> {
    organizations::lock(tx, organization_id)?.ok_or(Error::OrganizationNotFound)?;
    let is_admin = memberships::find(tx, losing, organization_id)?
        .is_some_and(|membership| membership.role == Role::Admin);
    if is_admin && !memberships::has_another_admin(tx, organization_id, losing)? {
        return Err(Error::LastAdmin);
    }
    Ok(())
}
