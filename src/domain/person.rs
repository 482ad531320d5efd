//! Users, organizations, what joins them, and their sessions, as the rest of the program sees them.

use std::net::IpAddr;

use chrono::{DateTime, Utc};

use super::{
    AllowedDomains, Email, JoinPolicy, OrganizationId, OrganizationName, PersonName, Role,
    SessionId, SessionKind, Slug, UserId,
};

/// A person with an account. The password hash is not part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    /// Missing for some who sign in with Slack.
    pub email: Option<Email>,
    pub name: PersonName,
    /// The credential version: tokens that carry a lower one are revoked.
    pub token_version: i32,
    pub disabled_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

/// An organization people belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    pub id: OrganizationId,
    pub name: OrganizationName,
    pub slug: Slug,
    pub join_policy: JoinPolicy,
    /// Whose people join uninvited where the policy is `domain`.
    pub allowed_domains: AllowedDomains,
    /// Whether members must have a second factor.
    pub require_mfa: bool,
    pub created_at: DateTime<Utc>,
}

/// A user's place in an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    pub user_id: UserId,
    pub organization_id: OrganizationId,
    pub role: Role,
    /// Whom the user reports to in this organization.
    pub manager_id: Option<UserId>,
}

impl Organization {
    /// Whether somebody may join uninvited, by an address that they have proved if they have.
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
    pub organization_id: OrganizationId,
    /// The `User-Agent` of the sign-in.
    pub device: Option<String>,
    pub address: Option<IpAddr>,
    pub created_at: DateTime<Utc>,
    pub last_used_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub revoked_at: Option<DateTime<Utc>>,
    /// When the person last proved who they are (`auth_time` of OpenID Connect Core §2).
    pub proven_at: Option<DateTime<Utc>>,
}

impl Session {
    /// Neither ended by anybody nor past its time.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}
