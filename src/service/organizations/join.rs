//! Joins an organization without an invitation.

use crate::domain::audit::Action;
use crate::domain::{OrganizationId, Role};
use crate::service::organizations::switch::join_and_switch;
use crate::service::{Caller, Error, Result, Services, SignIn};
use crate::store::{organizations, users};

/// Joins as an employee. The session switches to the organization, or does so once the user has the second factor that
/// it requires.
///
/// # Errors
/// `OrganizationNotFound`, `AlreadyMember`; `InvitationRequired` unless the organization is open to everyone, or to the
/// domain of the caller's verified address; `Forbidden` for a service.
pub async fn join_organization(
    services: &Services,
    caller: &Caller,
    organization_id: OrganizationId,
) -> Result<SignIn> {
    caller.session_id()?;
    let switch = services
        .write_as(caller, move |unit, actor| {
            let organization = organizations::find(unit.tx, organization_id)?
                .ok_or(Error::OrganizationNotFound)?;
            let verified = users::find_verified_email(unit.tx, actor.id())?;
            if !organization.lets_in(verified.as_ref()) {
                return Err(Error::InvitationRequired);
            }
            let place = (organization_id, Role::Employee);
            join_and_switch(unit, actor, actor.user(), place, Action::MemberJoined)
        })
        .await?;
    Ok(switch.issue(services))
}
