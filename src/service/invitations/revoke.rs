//! Revoking an invitation.

use crate::domain::audit::Action;
use crate::domain::{InvitationId, OrganizationId, Role};
use crate::service::{Error, MemberCaller, Result, Services};
use crate::store::invitations;

/// # Errors
/// `OrganizationNotFound` for every organization but the caller's; `Forbidden` below `manager` and for an invitation to
/// a role above the caller's; `InvitationNotFound` for one that is not open.
pub async fn revoke(
    services: &Services,
    caller: &MemberCaller,
    organization_id: OrganizationId,
    id: InvitationId,
) -> Result<()> {
    caller.must_act_in(organization_id)?;
    services
        .write_as(caller, move |unit, actor| {
            actor.must_be(Role::Manager)?;
            let invitation = invitations::find_open(unit.tx, id, unit.now)?
                .filter(|invitation| invitation.organization_id == organization_id)
                .ok_or(Error::InvitationNotFound)?;
            actor.must_be(invitation.role)?;
            // It may have been accepted since it was read.
            if !invitations::revoke(unit.tx, id, unit.now)? {
                return Err(Error::InvitationNotFound);
            }
            let event = unit.event(Action::InvitationRevoked).about(None);
            unit.finish(event, ())
        })
        .await
}
