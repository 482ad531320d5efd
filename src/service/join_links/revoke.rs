//! Revokes a join link.

use serde_json::json;

use crate::domain::audit::Action;
use crate::domain::{JoinLinkId, OrganizationId, Role};
use crate::service::{Error, MemberCaller, Result, Services};
use crate::store::join_links;

/// Nobody joins by it any more; who has joined stays.
///
/// # Errors
/// `OrganizationNotFound` for every organization but the caller's; `Forbidden` below `admin`; `JoinLinkNotFound`.
pub async fn revoke(
    services: &Services,
    caller: &MemberCaller,
    organization_id: OrganizationId,
    id: JoinLinkId,
) -> Result<()> {
    caller.must_act_in(organization_id)?;
    services
        .write_as(caller, move |unit, actor| {
            actor.must_be(Role::Admin)?;
            if !join_links::delete(unit.tx, id, organization_id, unit.now)? {
                return Err(Error::JoinLinkNotFound);
            }
            let event = unit.event(Action::JoinLinkRevoked).about(None);
            unit.finish(event.detail(json!({"id": id})), ())
        })
        .await
}
