//! Accepts an invitation with the password of an account, without signing in.

use crate::domain::audit::{Action, Method};
use crate::service::accounts::verify_credentials::verify_credentials_with_link;
use crate::service::invitations::open_invitation::{OpenInvitation, accepted};
use crate::service::invitations::preview::preview;
use crate::service::{RequestContext, Result, Services};

/// No session begins: a second factor, if the account has one, is required at the next sign-in.
///
/// # Errors
/// `InvalidOrExpiredToken`, `OrganizationClosed`, `AlreadyMember`; `InvalidCredentials` when the invited address has no
/// account with this password.
pub async fn accept_with_password(
    services: &Services,
    context: &RequestContext,
    token: &str,
    password: &str,
) -> Result<()> {
    let invited = preview(services, context, token).await?;
    let verified = verify_credentials_with_link(services, context, invited.email, password).await?;
    let token = token.to_owned();
    services
        .write(context, move |unit| {
            let user = verified.lock(unit)?.user;
            let again = accepted(unit.tx, &token, unit.now)?;
            if again.is_some_and(|membership| membership.user_id == user.id) {
                return unit.recorded_if_changed(());
            }
            let opened = OpenInvitation::accept(unit, &token, user.id)?;
            let user = opened.verify_address(unit, user)?;
            opened.admit(unit, &user)?;
            let event = unit.event(Action::InvitationAccepted).own(user.id);
            let event = event.within(opened.organization.id);
            unit.finish(event.by(Method::Invitation), ())
        })
        .await
}
