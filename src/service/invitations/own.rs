//! The invitations of a user's own verified address: lists, accepts and declines them without their e-mail.

use chrono::{DateTime, Utc};

use crate::domain::audit::Action;
use crate::domain::{
    Email, Invitation, InvitationId, Organization, OrganizationId, OrganizationName, PersonName,
    Role,
};
use crate::service::invitations::open_invitation::{OpenInvitation, accepted_by_id};
use crate::service::organizations::switch::{join_and_switch, return_to};
use crate::service::unit_of_work::Actor;
use crate::service::{Caller, Error, Result, Services, SignIn};
use crate::store::{Tx, invitations, users};

/// How many invitations are shown at most.
const MOST_SHOWN: i64 = 50;

/// An invitation as the invited user sees it.
pub struct OwnInvitation {
    pub id: InvitationId,
    pub organization_id: OrganizationId,
    pub organization: OrganizationName,
    pub role: Role,
    /// Missing if the operator or the join policy led to the invitation.
    pub inviter: Option<PersonName>,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// The newest ones that the caller can accept, at most fifty.
///
/// # Errors
/// `Forbidden` for a service; `EmailNotVerified` without a verified address.
pub async fn list_own(services: &Services, caller: &Caller) -> Result<Vec<OwnInvitation>> {
    caller.session_id()?;
    let (user_id, now) = (caller.profile.id, services.now());
    services
        .store
        .read(caller, move |tx| {
            let email = users::find_verified_email(tx, user_id)?.ok_or(Error::EmailNotVerified)?;
            let mut own = Vec::new();
            for invitation in invitations::list_open_of(tx, &email, MOST_SHOWN, now)? {
                match OpenInvitation::judge(tx, invitation) {
                    Ok(open) => own.push(as_shown(tx, open)?),
                    Err(Error::InvalidOrExpiredToken | Error::OrganizationClosed) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(own)
        })
        .await
}

fn as_shown(tx: &mut Tx<'_>, open: OpenInvitation) -> Result<OwnInvitation> {
    let Organization { id, name, .. } = open.organization;
    let inviter = match open.invitation.invited_by {
        Some(id) => users::find(tx, id)?.map(|user| user.name),
        None => None,
    };
    Ok(OwnInvitation {
        id: open.invitation.id,
        organization_id: id,
        organization: name,
        role: open.invitation.role,
        inviter,
        created_at: open.invitation.created_at,
        expires_at: open.invitation.expires_at,
    })
}

/// As [`accept`](super::accept()), with the verified address as the proof of the mailbox.
///
/// # Errors
/// `Forbidden` for a service; `EmailNotVerified`; `InvitationNotFound` for one that is not open, or of another address;
/// `OrganizationClosed`, `AlreadyMember`, `TooManyOrganizations`; `ReauthenticationRequired` where a second factor must
/// be enrolled; `SessionTooOld`.
pub async fn accept_own(services: &Services, caller: &Caller, id: InvitationId) -> Result<SignIn> {
    caller.session_id()?;
    let switch =
        services
            .write_as(caller, move |unit, actor| {
                let email = verified_email(actor)?;
                if let Some((_, membership)) =
                    accepted_by_id(unit.tx, id)?.filter(|(_, it)| it.user_id == actor.id())
                {
                    return return_to(unit, actor, actor.user(), &membership);
                }
                let invitation = own(unit.tx, id, &email, unit.now)?;
                let number = invitation.email_number;
                let opened = OpenInvitation::accept_numbered(unit, id, number, actor.id())
                    .map_err(|error| match error {
                        Error::InvalidOrExpiredToken => Error::InvitationNotFound,
                        other => other,
                    })?;
                opened.readmit(unit, actor.user())?;
                let place = (invitation.organization_id, invitation.role);
                let event = unit.event(Action::InvitationAccepted);
                join_and_switch(unit, actor, actor.user(), place, event)
            })
            .await?;
    Ok(switch.issue(services))
}

/// Nobody can accept it any more, and the inviter no longer sees it.
///
/// # Errors
/// `Forbidden` for a service; `EmailNotVerified`; `InvitationNotFound` for one that is not open, or of another address.
pub async fn decline(services: &Services, caller: &Caller, id: InvitationId) -> Result<()> {
    caller.session_id()?;
    services
        .write_as(caller, move |unit, actor| {
            actor.session()?;
            let email = verified_email(actor)?;
            let invitation = own(unit.tx, id, &email, unit.now)?;
            // It may have been accepted or revoked since it was read.
            if !invitations::revoke(unit.tx, id, unit.now)? {
                return Err(Error::InvitationNotFound);
            }
            let event = unit.event(Action::InvitationDeclined);
            // Its members learn nothing about somebody who did not join.
            let event = event.within(invitation.organization_id).without_origin();
            unit.finish(event, ())
        })
        .await
}

fn verified_email(actor: &Actor) -> Result<Email> {
    let email = actor.user().email.clone();
    email
        .filter(|_| actor.account.email_verified_at.is_some())
        .ok_or(Error::EmailNotVerified)
}

/// An open invitation of this address.
fn own(tx: &mut Tx<'_>, id: InvitationId, email: &Email, now: DateTime<Utc>) -> Result<Invitation> {
    invitations::find_open(tx, id, now)?
        .filter(|invitation| invitation.email == *email)
        .ok_or(Error::InvitationNotFound)
}
