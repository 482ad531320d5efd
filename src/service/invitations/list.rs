//! Lists open invitations.

use crate::domain::page::{Page, PageRequest};
use crate::domain::{Invitation, InvitationId, OrganizationId, Role};
use crate::service::{Error, MemberCaller, Result, Services};
use crate::store::invitations;

/// The invitations that can be accepted, newest first.
///
/// # Errors
/// `OrganizationNotFound` for every organization but the caller's; `Forbidden` below `manager`.
pub async fn list(
    services: &Services,
    caller: &MemberCaller,
    organization_id: OrganizationId,
    request: PageRequest<InvitationId>,
) -> Result<Page<Invitation, InvitationId>> {
    caller.must_act_in(organization_id)?;
    caller.must_be(Role::Manager)?;
    let now = services.now();
    let rows = services
        .store
        .search(caller, move |tx| {
            invitations::page(tx, organization_id, &request, now).map_err(Error::from)
        })
        .await?;
    Ok(Page::of(rows, &request, |invitation: &Invitation| {
        invitation.id
    }))
}
