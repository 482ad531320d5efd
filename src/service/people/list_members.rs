//! The members of an organization.

use chrono::{DateTime, Utc};

use crate::domain::page::{Page, PageRequest};
use crate::domain::{Email, OrganizationId, PersonName, Role, UserId};
use crate::service::{Caller, Error, Result, Services};
use crate::store::memberships;

/// A member as the other members see them.
pub struct Member {
    pub id: UserId,
    pub name: PersonName,
    pub email: Option<Email>,
    pub role: Role,
    pub joined_at: DateTime<Utc>,
}

impl From<memberships::Member> for Member {
    fn from(member: memberships::Member) -> Self {
        let memberships::Member {
            id,
            name,
            email,
            role,
            joined_at,
        } = member;
        Self {
            id,
            name,
            email,
            role,
            joined_at,
        }
    }
}

/// A page of the members, in the order of their ids.
///
/// # Errors
/// `OrganizationNotFound` for every organization but the caller's; `Forbidden` below `manager`.
pub async fn list_members(
    services: &Services,
    caller: &Caller,
    organization_id: OrganizationId,
    request: PageRequest<UserId>,
) -> Result<Page<Member, UserId>> {
    caller.must_speak_for(organization_id)?;
    caller.must_be(Role::Manager)?;
    let members = services
        .store
        .read(move |tx| {
            memberships::list_members(tx, organization_id, &request).map_err(Error::from)
        })
        .await?;
    let members = members.into_iter().map(Member::from).collect();
    Ok(Page::of(members, &request, |member: &Member| member.id))
}
