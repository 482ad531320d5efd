//! Reads an organization.

use crate::domain::{Organization, OrganizationId};
use crate::service::{Caller, Error, Result, Services};
use crate::store::organizations;

/// # Errors
/// `OrganizationNotFound` for every organization but the caller's.
pub async fn read_organization(
    services: &Services,
    caller: &Caller,
    id: OrganizationId,
) -> Result<Organization> {
    caller.must_speak_for(id)?;
    services
        .store
        .read(caller, move |tx| {
            organizations::find(tx, id)?.ok_or(Error::OrganizationNotFound)
        })
        .await
}
