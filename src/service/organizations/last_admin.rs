//! The rule that an organization keeps an admin.

use crate::domain::{OrganizationId, UserId};
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
    match memberships::find(tx, losing, organization_id)? {
        Some(membership) if memberships::is_only_admin(tx, &membership)? => Err(Error::LastAdmin),
        Some(_) | None => Ok(()),
    }
}
