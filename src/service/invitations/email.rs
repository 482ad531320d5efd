//! The e-mail that invites, and the link in it.

use serde::{Deserialize, Serialize};

use crate::domain::{EmailMessage, Invitation, InvitationId, OrganizationName, PersonName};
use crate::service::mail::rate_limit;
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Result, one_time};
use crate::store::invitations;
use crate::store::one_time_tokens::Purpose;

/// A link as it is stored.
#[derive(Serialize, Deserialize)]
pub(in crate::service) struct InvitationLink {
    pub invitation_id: InvitationId,
    /// Which of the invitation's e-mails it was in.
    pub letter: i32,
}

/// Sends it, in the transaction that made or renewed the invitation. Its link replaces those of earlier e-mails; where
/// the address has had its share of e-mails, the last one's link stays good.
pub(in crate::service) fn send_invitation(
    unit: &mut UnitOfWork<'_, '_>,
    invitation: &Invitation,
    organization: &OrganizationName,
    inviter: Option<&PersonName>,
) -> Result<()> {
    let secret = unit.secret();
    let message = EmailMessage::Invitation {
        organization: organization.to_string(),
        inviter: inviter.map(ToString::to_string),
        role: invitation.role,
        token: secret.expose().to_owned(),
    };
    let draft = unit.draft(invitation.email.clone(), &message);
    if !rate_limit::may_send(unit, &draft)? {
        return Ok(());
    }
    let link = InvitationLink {
        invitation_id: invitation.id,
        letter: invitations::count_letter(unit.tx, invitation.id)?,
    };
    let until = invitation.expires_at;
    one_time::issue(unit.tx, &secret, Purpose::Invitation, None, &link, until)?;
    unit.queue(&draft)?;
    Ok(())
}
