//! Accepts an invitation as a signed-in user.

use crate::domain::audit::Action;
use crate::service::invitations::open_invitation::{OpenInvitation, accepted};
use crate::service::organizations::switch::{join_and_switch, return_to};
use crate::service::{Caller, Result, Services, SignIn};

/// The session switches to the organization, or does so once the user has the second factor that it requires. Who
/// accepts again, and is still a member, only switches.
///
/// # Errors
/// `InvalidOrExpiredToken`, `OrganizationClosed`; `InvitationNotYours` when the caller's account has another address,
/// or none while the invited one has an account; `AlreadyMember`; `ReauthenticationRequired` for an account without an
/// address, and where a second factor must be enrolled; `SessionTooOld`; `TooManyOrganizations`; `Forbidden` for a
/// service. The link then stays valid.
pub async fn accept(services: &Services, caller: &Caller, token: &str) -> Result<SignIn> {
    caller.session_id()?;
    let token = token.to_owned();
    let switch = services
        .write_as(caller, move |unit, actor| {
            // The account is locked, so of two requests at once the second finds what the first did.
            let again = accepted(unit.tx, &token, unit.now)?;
            if let Some(membership) = again.filter(|it| it.user_id == actor.id()) {
                return return_to(unit, actor, actor.user(), &membership);
            }
            let opened = OpenInvitation::accept(unit, &token, actor.id())?;
            if actor.user().email.is_none() {
                // Whoever has the address can reset the password.
                actor.must_be_fresh(unit.now)?;
            }
            let user = opened.verify_address(unit, actor.user().clone())?;
            opened.readmit(unit, &user)?;
            let place = (opened.invitation.organization_id, opened.invitation.role);
            let event = unit.event(Action::InvitationAccepted);
            join_and_switch(unit, actor, &user, place, event)
        })
        .await?;
    Ok(switch.issue(services))
}
