//! Takes a join link over, so that it does not end with its maker's role.

use serde_json::json;

use crate::domain::audit::Action;
use crate::domain::{JoinLink, JoinLinkId, OrganizationId, Role};
use crate::service::{Error, MemberCaller, Result, Services};
use crate::store::join_links;

/// Makes the caller its maker.
///
/// # Errors
/// `OrganizationNotFound` for every organization but the caller's; `Forbidden` below `admin` and for a service;
/// `ReauthenticationRequired`; `JoinLinkNotFound`.
pub async fn take_over(
    services: &Services,
    caller: &MemberCaller,
    organization_id: OrganizationId,
    id: JoinLinkId,
) -> Result<JoinLink> {
    caller.must_act_in(organization_id)?;
    services
        .administer(caller, None, move |unit, actor| {
            actor.must_be(Role::Admin)?;
            actor.must_be_fresh(unit.now)?;
            let before = join_links::find(unit.tx, id, organization_id, unit.now)?;
            let before = before.ok_or(Error::JoinLinkNotFound)?;
            if before.maker_id == actor.id() {
                return unit.unrecorded(before);
            }
            join_links::set_maker(unit.tx, id, actor.id())?;
            let event = unit.event(Action::JoinLinkTakenOver).about(before.maker_id);
            let link = JoinLink {
                maker_id: actor.id(),
                ..before
            };
            unit.finish(event.detail(json!({"id": id})), link)
        })
        .await
}
