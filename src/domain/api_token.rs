//! Tokens that services hold, as the rest of the program sees them.

use chrono::{DateTime, TimeDelta, Utc};

use super::names::ApiTokenName;
use super::{ApiTokenId, Membership, OrganizationId, Role, UserId};

/// How many live tokens one person may have in an organization.
pub const MAX_API_TOKENS: i64 = 100;

/// How exact `last_used_at` is: writing it at every request would make each cost a write.
pub const LAST_USED_PRECISION: TimeDelta = TimeDelta::minutes(5);

/// A token without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    pub id: ApiTokenId,
    pub name: ApiTokenName,
    /// How the secret begins, so that people know it again.
    pub prefix: String,
    /// The token acts in their place, in one organization.
    pub creator_id: UserId,
    pub organization_id: OrganizationId,
    /// The most it may ever do.
    pub role: Role,
    pub created_at: DateTime<Utc>,
    /// Missing for a token that lasts until it is revoked.
    pub expires_at: Option<DateTime<Utc>>,
    pub last_used_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
}

impl ApiToken {
    pub fn is_expired(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// What it may do now: its own role, but no more than its creator's present one.
    pub fn role_under(&self, creator: &Membership) -> Role {
        self.role.min(creator.role)
    }
}
