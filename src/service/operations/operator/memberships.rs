//! Memberships, changed by the operator.

use super::change_account;
use crate::domain::audit::Action;
use crate::domain::{Membership, OrganizationId, Role, UserId, Violation};
use crate::service::organizations::switch::{admit, admit_instead};
use crate::service::people::remove_member::remove_from;
use crate::service::people::update::change_role;
use crate::service::{Error, RequestContext, Result, Services};
use crate::store::{Tx, former_identities, memberships};

/// Gives a member another role.
///
/// # Errors
/// `Invalid` for a user who is not a member; `LastAdmin` for a demotion that would leave none.
pub async fn set_role(
    services: &Services,
    context: &RequestContext,
    user_id: UserId,
    organization_id: OrganizationId,
    role: Role,
) -> Result<Membership> {
    change_account(
        services,
        context,
        user_id,
        &[organization_id],
        move |unit, _| {
            unit.within(organization_id);
            let membership = member(unit.tx, user_id, organization_id)?;
            if membership.role != role {
                change_role(unit, &membership, role)?;
            }
            unit.recorded_if_changed(Membership { role, ..membership })
        },
    )
    .await
}

/// Makes a user a member, whatever the join policy. Like an accepted invitation, it undoes an earlier removal.
///
/// # Errors
/// `AlreadyMember`, `TooManyOrganizations`, `UserNotFound`, `OrganizationNotFound`.
pub async fn join(
    services: &Services,
    context: &RequestContext,
    user_id: UserId,
    organization_id: OrganizationId,
    role: Role,
) -> Result<Membership> {
    change_account(
        services,
        context,
        user_id,
        &[organization_id],
        move |unit, _| {
            let membership = admit(unit, user_id, organization_id, role)?;
            former_identities::forget_removal(unit.tx, user_id, organization_id)?;
            let event = unit.event(Action::MemberJoined).about(user_id);
            unit.finish(event.within(organization_id), membership)
        },
    )
    .await
}

/// Moves a member to another organization, with the same role if none is given, and without a manager. Their sessions
/// in the first one end, and they do not come back to it through Slack, as when an admin removes them.
///
/// # Errors
/// `Invalid` for a user who is not a member of the first; `LastAdmin` of the first; `AlreadyMember` of the second;
/// `UserNotFound`, `OrganizationNotFound`.
pub async fn move_member(
    services: &Services,
    context: &RequestContext,
    user_id: UserId,
    (from, to): (OrganizationId, OrganizationId),
    role: Option<Role>,
) -> Result<Membership> {
    change_account(services, context, user_id, &[from, to], move |unit, _| {
        let was = member(unit.tx, user_id, from)?;
        let membership = admit_instead(unit, user_id, to, role.unwrap_or(was.role))?;
        former_identities::forget_removal(unit.tx, user_id, to)?;
        remove_from(unit, user_id, from, Action::MemberRemoved)?;
        let joined = unit.event(Action::MemberJoined).about(user_id);
        unit.finish(joined.within(to), membership)
    })
    .await
}

fn member(tx: &mut Tx<'_>, user_id: UserId, organization_id: OrganizationId) -> Result<Membership> {
    memberships::find(tx, user_id, organization_id)?.ok_or_else(|| {
        let why = "The user is not a member of the organization.";
        Error::from(Violation::new("user", "not_a_member", why))
    })
}
