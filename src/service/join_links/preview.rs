//! Shows a join link before it is used.

use crate::domain::{OrganizationName, Role};
use crate::service::join_links::open_link::OpenLink;
use crate::service::{Caller, Error, RequestContext, Result, Services};
use crate::store::memberships;

/// What the holder of a link sees.
pub struct Preview {
    pub organization: OrganizationName,
    pub role: Role,
    /// Whether the caller, if there is one, belongs to the organization already.
    pub is_member: bool,
}

/// Uses nothing up.
///
/// # Errors
/// `InvalidOrExpiredToken`, also for a link that is used up, except for a member; `OrganizationClosed`.
pub async fn preview(
    services: &Services,
    context: &RequestContext,
    caller: Option<&Caller>,
    token: &str,
) -> Result<Preview> {
    let now = services.now();
    let user_id = caller.map(|caller| caller.profile.id);
    let token = token.to_owned();
    services
        .store
        .read(context, move |tx| {
            let OpenLink { link, organization } = OpenLink::find(tx, &token, now)?;
            let is_member = match user_id {
                Some(user_id) => memberships::find(tx, user_id, organization.id)?.is_some(),
                None => false,
            };
            if link.is_used_up() && !is_member {
                return Err(Error::InvalidOrExpiredToken);
            }
            Ok(Preview {
                organization: organization.name,
                role: link.role,
                is_member,
            })
        })
        .await
}
