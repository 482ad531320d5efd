//! The members of an organization.

use crate::domain::page::{Page, PageRequest};
use crate::domain::{Member, OrganizationId, Role, UserId};
use crate::service::{Error, MemberCaller, Result, Services};
use crate::store::memberships;

/// A page of the members, in the order of their ids.
///
/// # Errors
/// `OrganizationNotFound` for every organization but the caller's; `Forbidden` below `manager`.
pub async fn list_members(
    services: &Services,
    caller: &MemberCaller,
    organization_id: OrganizationId,
    request: PageRequest<UserId>,
) -> Result<Page<Member, UserId>> {
    caller.must_act_in(organization_id)?;
    caller.must_be(Role::Manager)?;
    let members = services
        .store
        .search(caller, move |tx| {
            memberships::list_members(tx, organization_id, &request).map_err(Error::from)
        })
        .await?;
    Ok(Page::of(members, &request, |member: &Member| member.id))
}
