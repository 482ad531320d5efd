//! Reads an organization.

use crate::domain::{Organization, OrganizationId};
use crate::service::{Error, MemberCaller, Result, Services};
use crate::store::organizations;

/// # Errors
/// `OrganizationNotFound` for every organization but the caller's.
pub async fn read_organization(
    services: &Services,
    caller: &MemberCaller,
    id: OrganizationId,
) -> Result<Organization> {
    caller.must_act_in(id)?;
    services
        .store
        .read(caller, move |tx| {
            organizations::find(tx, id)?.ok_or(Error::OrganizationNotFound)
        })
        .await
}
