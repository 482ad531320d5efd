//! Makes a join link.

use chrono::{DateTime, SubsecRound as _, Utc};
use serde_json::json;

use crate::crypto::opaque::Opaque;
use crate::domain::audit::Action;
use crate::domain::join_link::MAX_JOIN_LINKS;
use crate::domain::{JoinLink, JoinLinkId, JoinPolicy, OrganizationId, Role, Violation, lifetimes};
use crate::service::{Error, MemberCaller, Result, Services};
use crate::store::{join_links, organizations};

pub struct CreateJoinLink {
    pub role: Role,
    /// In seven days if missing.
    pub expires_at: Option<DateTime<Utc>>,
    /// How many people may join by it; any number if missing.
    pub uses: Option<i32>,
}

/// A link and its token, which is not shown again.
pub struct CreatedJoinLink {
    pub link: JoinLink,
    token: Opaque,
}

impl CreatedJoinLink {
    pub fn expose_token(&self) -> &str {
        self.token.expose()
    }
}

/// # Errors
/// `OrganizationNotFound` for every organization but the caller's; `Forbidden` below `admin`; for a link that makes
/// admins, `ReauthenticationRequired`, and `Forbidden` for a service; `OrganizationClosed`; `Invalid` for an expiry in
/// the past or more than a year ahead; `TooManyJoinLinks`.
pub async fn create(
    services: &Services,
    caller: &MemberCaller,
    organization_id: OrganizationId,
    create: CreateJoinLink,
) -> Result<CreatedJoinLink> {
    caller.must_act_in(organization_id)?;
    services
        .administer(caller, None, move |unit, actor| {
            actor.must_be(Role::Admin)?;
            let now = unit.now;
            if create.role == Role::Admin {
                actor.must_be_fresh(now)?;
            }
            let organization = organizations::find(unit.tx, organization_id)?
                .ok_or(Error::OrganizationNotFound)?;
            if organization.join_policy == JoinPolicy::Closed {
                return Err(Error::OrganizationClosed);
            }
            let expires_at = expiry(create.expires_at, now)?;
            // The organization is locked, so concurrent requests cannot exceed the limit.
            if join_links::count(unit.tx, organization_id, now)? >= MAX_JOIN_LINKS {
                return Err(Error::TooManyJoinLinks);
            }
            let token = unit.secret();
            let link = JoinLink {
                id: JoinLinkId::new(now, unit.random()),
                organization_id,
                maker_id: actor.id(),
                role: create.role,
                uses: create.uses,
                used: 0,
                created_at: now,
                expires_at,
            };
            join_links::insert(unit.tx, &link, token.hash().as_str())?;
            let event = unit.event(Action::JoinLinkCreated).about(None);
            let event = event.detail(json!({
                "id": link.id,
                "role": link.role.as_str(),
                "uses": link.uses,
                "expiresAt": link.expires_at,
            }));
            unit.finish(event, CreatedJoinLink { link, token })
        })
        .await
}

fn expiry(chosen: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<DateTime<Utc>> {
    let expires_at = match chosen {
        None => now + lifetimes::JOIN_LINK,
        Some(chosen) => chosen.trunc_subsecs(6),
    };
    if expires_at <= now {
        let why = "Please choose a time to come, or leave this field out.";
        return Err(Violation::new("expiresAt", "in_the_past", why).into());
    }
    if expires_at > now + lifetimes::LONGEST_JOIN_LINK {
        let why = "Please choose a time within a year.";
        return Err(Violation::new("expiresAt", "too_far_ahead", why).into());
    }
    Ok(expires_at)
}
