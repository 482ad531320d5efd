//! The invitation e-mail and its link.

use serde::{Deserialize, Serialize};

use crate::crypto::opaque::Opaque;
use crate::domain::{EmailMessage, Invitation, InvitationId, OrganizationName, PersonName};
use crate::service::mail::gate::{self, Cause};
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Result, one_time};
use crate::store::invitations;
use crate::store::one_time_tokens::Purpose;

/// The stored form of a link.
#[derive(Serialize, Deserialize)]
pub(in crate::service) struct InvitationLink {
    pub invitation_id: InvitationId,
    /// Which of the invitation's e-mails it was in.
    #[serde(rename = "letter")]
    pub email_number: i32,
}

/// Queues the e-mail in the transaction that inserted or renewed the invitation. Its link replaces earlier ones; if the
/// organization has reached its limit for the address, the last link stays valid and the result is `false`.
pub(in crate::service) fn send_invitation(
    unit: &mut UnitOfWork<'_, '_>,
    invitation: &Invitation,
    organization: &OrganizationName,
    inviter: Option<&PersonName>,
) -> Result<bool> {
    let secret = unit.secret();
    let (message, cause) = compose(invitation, organization, inviter, &secret);
    if !gate::send(unit, None, invitation.email.clone(), &message, &cause)? {
        return Ok(false);
    }
    store_link(unit, invitation, &secret)?;
    Ok(true)
}

/// The same work as [`send_invitation`], with the insertion of the invitation, for one that is not sent: its link and the
/// invitation that there may be stay as they are.
pub(in crate::service) fn send_decoy(
    unit: &mut UnitOfWork<'_, '_>,
    invitation: &Invitation,
    organization: &OrganizationName,
) -> Result<()> {
    invitations::renew(unit.tx, invitation)?;
    let secret = unit.secret();
    let (message, cause) = compose(invitation, organization, None, &secret);
    gate::send_decoy(unit, invitation.email.clone(), &message, &cause)?;
    invitations::renew(unit.tx, invitation)?;
    let link = InvitationLink {
        invitation_id: InvitationId::NIL,
        email_number: invitation.email_number,
    };
    let now = unit.now;
    one_time::issue(unit.tx, &secret, Purpose::Invitation, None, &link, now)
}

fn compose(
    invitation: &Invitation,
    organization: &OrganizationName,
    inviter: Option<&PersonName>,
    secret: &Opaque,
) -> (EmailMessage, Cause<'static>) {
    let message = EmailMessage::Invitation {
        organization: organization.to_string(),
        inviter: inviter.map(ToString::to_string),
        role: invitation.role,
        token: secret.expose().to_owned(),
    };
    let organization_id = invitation.organization_id;
    let cause = if invitation.is_by_policy() {
        Cause::JoinPolicy(organization_id)
    } else {
        Cause::Invitation(organization_id)
    };
    (message, cause)
}

/// Makes `secret` the only valid link of the invitation.
pub(in crate::service) fn store_link(
    unit: &mut UnitOfWork<'_, '_>,
    invitation: &Invitation,
    secret: &Opaque,
) -> Result<()> {
    let link = InvitationLink {
        invitation_id: invitation.id,
        email_number: invitations::count_email(unit.tx, invitation.id)?,
    };
    let until = invitation.expires_at;
    one_time::issue(unit.tx, secret, Purpose::Invitation, None, &link, until)
}
