//! Shows an invitation before it is accepted.

use std::sync::Arc;

use crate::domain::{Email, OrganizationName, PersonName, Role};
use crate::service::invitations::open_invitation::{OpenInvitation, accepted};
use crate::service::{Error, RequestContext, Result, Services};
use crate::store::{organizations, users};

/// What the invited user sees.
#[derive(Clone)]
pub struct Invited {
    pub organization: OrganizationName,
    /// Missing if the join policy led to the invitation.
    pub inviter: Option<PersonName>,
    pub email: Email,
    pub role: Role,
    /// Whether the invited address has an account. The holder of the link may know.
    pub has_account: bool,
}

/// The organization to which somebody belongs who accepted the invitation of this link.
pub async fn accepted_at(
    services: &Services,
    context: &RequestContext,
    token: &str,
) -> Result<Option<OrganizationName>> {
    let now = services.now();
    let token = token.to_owned();
    services
        .store
        .read(context, move |tx| {
            let Some(membership) = accepted(tx, &token, now)? else {
                return Ok::<_, Error>(None);
            };
            let organization = organizations::find(tx, membership.organization_id)?;
            Ok(organization.map(|organization| organization.name))
        })
        .await
}

/// The link stays valid.
///
/// # Errors
/// `InvalidOrExpiredToken`, `OrganizationClosed`; `RegistrationClosed` if the address has no account and gets none.
pub async fn preview(
    services: &Services,
    context: &RequestContext,
    token: &str,
) -> Result<Invited> {
    let now = services.now();
    let token = token.to_owned();
    let rules = Arc::clone(&services.self_service);
    services
        .store
        .read(context, move |tx| {
            let OpenInvitation {
                invitation,
                organization,
            } = OpenInvitation::preview(tx, &token, now)?;
            let inviter = match invitation.invited_by {
                Some(id) => users::find(tx, id)?.map(|user| user.name),
                None => None,
            };
            let account = users::find_account_by_email(tx, &invitation.email)?;
            if account.is_none() && !rules.lets_register_invited(&invitation) {
                return Err(Error::RegistrationClosed);
            }
            Ok::<_, Error>(Invited {
                organization: organization.name,
                inviter,
                email: invitation.email,
                role: invitation.role,
                has_account: account.is_some(),
            })
        })
        .await
}
