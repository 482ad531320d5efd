//! An invitation is taken back.

use crate::domain::audit::{Action, AuditEntry};
use crate::domain::{InvitationId, OrganizationId, Role};
use crate::service::{Caller, Error, RequestContext, Result, Services};
use crate::store::{audit, invitations};

/// # Errors
/// `OrganizationNotFound` for every organization but the caller's; `Forbidden` below `manager` and for an invitation to
/// a role above the caller's; `InvitationNotFound` for one that is not open.
pub async fn revoke(
    services: &Services,
    context: &RequestContext,
    caller: &Caller,
    organization_id: OrganizationId,
    id: InvitationId,
) -> Result<()> {
    caller.must_speak_for(organization_id)?;
    caller.must_be(Role::Manager)?;
    let now = services.now();
    let highest_role = caller.profile.role;
    let entry = AuditEntry {
        subject_id: None,
        ..services.audit_own(context, now, Action::InvitationRevoked, caller)
    };
    services
        .store
        .write(move |tx| {
            let invitation = invitations::find_open(tx, id, now)?
                .filter(|invitation| invitation.organization_id == organization_id)
                .ok_or(Error::InvitationNotFound)?;
            if invitation.role > highest_role {
                return Err(Error::Forbidden);
            }
            // Somebody may have accepted it since it was read.
            if !invitations::revoke(tx, id, now)? {
                return Err(Error::InvitationNotFound);
            }
            audit::insert(tx, &entry)?;
            Ok(())
        })
        .await
}
