//! Somebody who has an account joins an organization that lets them in uninvited.

use crate::domain::audit::Action;
use crate::domain::{OrganizationId, Role};
use crate::service::organizations::switch::OrganizationSwitch;
use crate::service::{Caller, Error, RequestContext, Result, Services, SignIn};
use crate::store::{organizations, users};

/// As an employee. The session speaks for that organization from now on, or once its owner has the second factor that
/// it wants.
///
/// # Errors
/// `OrganizationNotFound`, `AlreadyMember`; `InvitationRequired` unless the organization is open to anybody, or to the
/// domain of the address that the caller has proved; `Forbidden` for a service.
pub async fn join_organization(
    services: &Services,
    context: &RequestContext,
    caller: &Caller,
    organization_id: OrganizationId,
) -> Result<SignIn> {
    let now = services.now();
    let entrance = OrganizationSwitch::of(services, context, caller, now, Action::MemberJoined)?;
    let way = entrance.clone();
    let entered = services
        .store
        .write(move |tx| {
            let organization =
                organizations::find(tx, organization_id)?.ok_or(Error::OrganizationNotFound)?;
            let user = way.lock_user(tx)?;
            let proved = users::find_proved_email(tx, user.id)?;
            if !organization.lets_in(proved.as_ref()) {
                return Err(Error::InvitationRequired);
            }
            way.enter(tx, &user, organization_id, Role::Employee)
        })
        .await?;
    Ok(entrance.conclude(services, entered))
}
