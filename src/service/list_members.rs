//! Who belongs to an organization.

use super::{Caller, Error, Result, Services};
use crate::domain::{OrganizationId, Role, UserId};
use crate::store::memberships;

pub use crate::store::memberships::Member;

/// At most `limit` members whose ids come after `after`, in the order of their ids, and whether there are more.
///
/// # Errors
/// `OrganizationNotFound` for every organization but the caller's; `Forbidden` below `manager`.
pub async fn list_members(
    services: &Services,
    caller: &Caller,
    organization_id: OrganizationId,
    after: UserId,
    limit: usize,
) -> Result<(Vec<Member>, bool)> {
    caller.must_speak_for(organization_id)?;
    caller.must_be(Role::Manager)?;
    let one_more = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let mut members = services
        .store
        .read(move |tx| {
            memberships::list_members(tx, organization_id, after, one_more).map_err(Error::from)
        })
        .await?;
    let has_more = members.len() > limit;
    members.truncate(limit);
    Ok((members, has_more))
}
