//! Joins an organization without an invitation.

use crate::domain::audit::Action;
use crate::domain::{Organization, OrganizationId, Role, Slug};
use crate::service::organizations::switch::{OrganizationSwitch, join_and_switch};
use crate::service::unit_of_work::{Actor, Finished, UnitOfWork};
use crate::service::{Caller, Error, Result, Services, SignIn};
use crate::store::{organizations, users};

/// Joins as an employee. The session switches to the organization, or does so once the user has the second factor that
/// it requires.
///
/// # Errors
/// `OrganizationNotFound`, `AlreadyMember`, `TooManyOrganizations`; `InvitationRequired` unless the organization is
/// open to everyone, or to the domain of the caller's verified address; `Forbidden` for a service;
/// `ReauthenticationRequired` where a second factor must be enrolled; `SessionTooOld`.
pub async fn join_organization(
    services: &Services,
    caller: &Caller,
    organization_id: OrganizationId,
) -> Result<SignIn> {
    caller.session_id()?;
    let switch = services
        .write_as(caller, move |unit, actor| {
            let organization = organizations::find(unit.tx, organization_id)?;
            join_by_policy(unit, actor, organization)
        })
        .await?;
    Ok(switch.issue(services))
}

/// As [`join_organization`], by slug or former slug.
///
/// # Errors
/// As [`join_organization`].
pub async fn join_organization_by_slug(
    services: &Services,
    caller: &Caller,
    slug: &str,
) -> Result<SignIn> {
    caller.session_id()?;
    let slug = Slug::typed(slug);
    let switch = services
        .write_as(caller, move |unit, actor| {
            let organization = organizations::find_by_slug(unit.tx, &slug)?;
            join_by_policy(unit, actor, organization)
        })
        .await?;
    Ok(switch.issue(services))
}

fn join_by_policy(
    unit: &mut UnitOfWork<'_, '_>,
    actor: &Actor,
    organization: Option<Organization>,
) -> Result<Finished<OrganizationSwitch>> {
    let organization = organization.ok_or(Error::OrganizationNotFound)?;
    let verified = users::find_verified_email(unit.tx, actor.id())?;
    if !organization.lets_in(verified.as_ref()) {
        return Err(Error::InvitationRequired);
    }
    let place = (organization.id, Role::Employee);
    let event = unit.event(Action::MemberJoined);
    join_and_switch(unit, actor, actor.user(), place, event)
}
