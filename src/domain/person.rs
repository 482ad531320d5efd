//! Users, organizations, memberships and sessions.

use std::net::IpAddr;

use chrono::{DateTime, Utc};

use super::{
    AllowedDomains, Email, JoinPolicy, LifetimeRule, OrganizationId, OrganizationName, PersonName,
    Role, SessionId, SessionKind, Slug, UserId, lifetimes,
};

/// A user account, without its password hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    /// `None` for some users who sign in with Slack.
    pub email: Option<Email>,
    pub name: PersonName,
    /// The credential version: tokens with a lower one are revoked.
    pub token_version: i32,
    /// Rises when a role, a membership or an organization's rules change what the user's tokens say: tokens with a lower
    /// one are outdated.
    pub permissions_version: i32,
    pub disabled_at: Option<DateTime<Utc>>,
    /// Until then the database is asked about the session of each access token: more sessions have ended than changes
    /// were written.
    pub sessions_checked_until: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

/// The versions that a token of a user carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenVersions {
    /// `ver`: the credential version.
    pub token: i32,
    /// `pv`: the version of what the token says.
    pub permissions: i32,
}

impl From<&User> for TokenVersions {
    fn from(user: &User) -> Self {
        Self {
            token: user.token_version,
            permissions: user.permissions_version,
        }
    }
}

/// A user as a browser remembers them: until their tokens are revoked, as by a reset of the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceOwner {
    pub user_id: UserId,
    pub token_version: i32,
}

impl From<&User> for DeviceOwner {
    fn from(user: &User) -> Self {
        Self {
            user_id: user.id,
            token_version: user.token_version,
        }
    }
}

impl DeviceOwner {
    /// Stands in for the owner of an address without an account.
    pub const NONE: Self = Self {
        user_id: UserId::NIL,
        token_version: 0,
    };
}

impl User {
    /// A user who registers now.
    pub fn new(
        now: DateTime<Utc>,
        random: [u8; 10],
        email: Option<Email>,
        name: PersonName,
    ) -> Self {
        Self {
            id: UserId::new(now, random),
            email,
            name,
            token_version: 0,
            permissions_version: 0,
            disabled_at: None,
            sessions_checked_until: None,
            created_at: now,
        }
    }
}

/// An organization that users belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    pub id: OrganizationId,
    pub name: OrganizationName,
    pub slug: Slug,
    pub join_policy: JoinPolicy,
    /// The domains whose users can join without an invitation if the policy is `domain`.
    pub allowed_domains: AllowedDomains,
    /// Whether members must have a second factor.
    pub require_mfa: bool,
    /// How long sessions last that speak for it, where that is shorter than on the instance.
    pub lifetimes: LifetimeRule,
    pub created_at: DateTime<Utc>,
}

/// An organization by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationSummary {
    pub id: OrganizationId,
    pub name: OrganizationName,
}

impl From<Organization> for OrganizationSummary {
    fn from(organization: Organization) -> Self {
        Self {
            id: organization.id,
            name: organization.name,
        }
    }
}

/// An organization as one of its members lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MyOrganization {
    pub id: OrganizationId,
    pub name: OrganizationName,
    pub slug: Slug,
    /// The member's role there.
    pub role: Role,
}

/// The rules of an organization that each request asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OrganizationRules {
    pub requires_mfa: bool,
    pub lifetimes: LifetimeRule,
}

/// A user's membership in an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    pub user_id: UserId,
    pub organization_id: OrganizationId,
    pub role: Role,
    /// The user's manager in this organization.
    pub manager_id: Option<UserId>,
}

/// The organization that a session or a request acts in, and the user's role there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActiveOrganization {
    pub id: OrganizationId,
    pub role: Role,
}

impl From<&Membership> for ActiveOrganization {
    fn from(membership: &Membership) -> Self {
        Self {
            id: membership.organization_id,
            role: membership.role,
        }
    }
}

/// A member as the other members see them.
pub struct Member {
    pub id: UserId,
    pub name: PersonName,
    pub email: Option<Email>,
    pub role: Role,
    pub joined_at: DateTime<Utc>,
}

impl Organization {
    /// Whether a user may join without an invitation. `proved` is their address if it is verified.
    pub fn lets_in(&self, proved: Option<&Email>) -> bool {
        self.join_policy.lets_in(&self.allowed_domains, proved)
    }
}

/// One sign-in on one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub kind: SessionKind,
    pub user_id: UserId,
    /// `None` if the user had no organization when it began. A refresh sets it once they have one.
    pub organization_id: Option<OrganizationId>,
    /// What it is called: "Chrome on Windows".
    pub device: Option<String>,
    pub address: Option<IpAddr>,
    pub created_at: DateTime<Utc>,
    pub last_used_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// Whether it was ended, by itself or with all sessions of the user.
    pub is_revoked: bool,
    /// When the user last authenticated (`auth_time` of OpenID Connect Core §2).
    pub proven_at: Option<DateTime<Utc>>,
    /// When it ends at the latest, whatever the lifetimes; missing for sessions that began with a sign-in here.
    pub must_end_at: Option<DateTime<Utc>>,
}

/// The highest `SESSIONS_PER_USER`, and how many sessions end one by one. More of them, which only versions without that
/// setting allowed, end with one row.
pub const MOST_SESSIONS: u32 = 1000;

/// How many organizations a user may belong to, so that lists of them need no pages.
pub const MOST_ORGANIZATIONS: i64 = 100;

/// The place of a session in a list by the time it began.
#[derive(Debug, Clone, Copy)]
pub struct SessionKey {
    pub created_at: DateTime<Utc>,
    pub id: SessionId,
}

/// Why a session is not live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionEnd {
    Revoked,
    Expired,
}

impl Session {
    /// # Errors
    /// Why it is not live. One that has expired counts as expired, whatever happened before.
    pub fn must_be_live(&self, now: DateTime<Utc>) -> Result<(), SessionEnd> {
        if self.expires_at <= now {
            Err(SessionEnd::Expired)
        } else if self.is_revoked {
            Err(SessionEnd::Revoked)
        } else {
            Ok(())
        }
    }

    /// Whether the user authenticated within [`lifetimes::FRESH`]. A time ahead of `now` comes from another clock, and
    /// counts no longer than that either.
    pub fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        self.proven_at
            .is_some_and(|at| (now - at).abs() < lifetimes::FRESH)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn a_proof_counts_for_fifteen_minutes_whatever_the_clock_said() {
        let now = DateTime::UNIX_EPOCH;
        let session = |proven_at| Session {
            id: SessionId::NIL,
            kind: SessionKind::Jwt,
            user_id: UserId::NIL,
            organization_id: None,
            device: None,
            address: None,
            created_at: now,
            last_used_at: now,
            expires_at: now,
            is_revoked: false,
            proven_at,
            must_end_at: None,
        };
        let at = |seconds| session(Some(now + TimeDelta::seconds(seconds)));
        for seconds in [-899, 0, 899] {
            assert!(at(seconds).is_fresh(now), "{seconds}");
        }
        for seconds in [-100_000, -900, 900, 100_000] {
            assert!(!at(seconds).is_fresh(now), "{seconds}");
        }
        assert!(!session(None).is_fresh(now));
    }
}
