//! Somebody who is signed in accepts an invitation.

use crate::domain::audit::Action;
use crate::service::invitations::opened::Opened;
use crate::service::organizations::switch::OrganizationSwitch;
use crate::service::{Caller, RequestContext, Result, Services, SignIn};

/// The session speaks for the organization from now on, or once its owner has the second factor that the organization
/// wants.
///
/// # Errors
/// `InvalidOrExpiredToken`, `OrganizationClosed`; `InvitationNotYours` when the caller's account has another address, or
/// none while the invited one has an account; `AlreadyMember`; `Forbidden` for a service. The link stays good then.
pub async fn accept(
    services: &Services,
    context: &RequestContext,
    caller: &Caller,
    token: &str,
) -> Result<SignIn> {
    let now = services.now();
    let entrance =
        OrganizationSwitch::of(services, context, caller, now, Action::InvitationAccepted)?;
    let way = entrance.clone();
    let token = token.to_owned();
    let entered = services
        .store
        .write(move |tx| {
            let opened = Opened::accept(tx, &token, now)?;
            let user = way.lock_user(tx)?;
            let user = opened.prove_address(tx, user, now)?;
            let invitation = &opened.invitation;
            way.enter(tx, &user, invitation.organization_id, invitation.role)
        })
        .await?;
    Ok(entrance.conclude(services, entered))
}
