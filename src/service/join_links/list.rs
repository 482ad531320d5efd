//! Lists join links.

use crate::domain::{JoinLink, OrganizationId, Role};
use crate::service::{Error, MemberCaller, Result, Services};
use crate::store::join_links;

/// The organization's links that have not expired, oldest first, used up ones as well.
///
/// # Errors
/// `OrganizationNotFound` for every organization but the caller's; `Forbidden` below `admin`.
pub async fn list(
    services: &Services,
    caller: &MemberCaller,
    organization_id: OrganizationId,
) -> Result<Vec<JoinLink>> {
    caller.must_act_in(organization_id)?;
    caller.must_be(Role::Admin)?;
    let now = services.now();
    services
        .store
        .read(caller, move |tx| {
            join_links::list(tx, organization_id, now).map_err(Error::from)
        })
        .await
}
