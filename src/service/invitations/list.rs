//! Lists open invitations.

use crate::domain::{Invitation, OrganizationId, Role};
use crate::service::{Caller, Error, Result, Services};
use crate::store::invitations;

/// Enough in practice, and few enough for one answer.
const MOST: i64 = 500;

/// The invitations that can be accepted, at most 500, newest first.
///
/// # Errors
/// `OrganizationNotFound` for every organization but the caller's; `Forbidden` below `manager`.
pub async fn list(
    services: &Services,
    caller: &Caller,
    organization_id: OrganizationId,
) -> Result<Vec<Invitation>> {
    caller.must_speak_for(organization_id)?;
    caller.must_be(Role::Manager)?;
    let now = services.now();
    services
        .store
        .search(caller, move |tx| {
            invitations::list_open(tx, organization_id, now, MOST).map_err(Error::from)
        })
        .await
}
