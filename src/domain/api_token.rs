//! API tokens, without their secrets.

use chrono::{DateTime, TimeDelta, Utc};

use super::names::ApiTokenName;
use super::{ApiTokenId, Membership, OrganizationId, Role, UserId};

/// How many valid tokens one user may have in an organization.
pub const MAX_API_TOKENS: i64 = 100;

/// How precise `last_used_at` is, so that not every request costs a write.
pub const LAST_USED_PRECISION: TimeDelta = TimeDelta::minutes(5);

/// An API token without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    pub id: ApiTokenId,
    pub name: ApiTokenName,
    /// The first characters of the secret, so that users can recognize it.
    pub prefix: String,
    /// The user on whose behalf the token acts, in one organization.
    pub creator_id: UserId,
    pub organization_id: OrganizationId,
    /// The highest role the token may ever have.
    pub role: Role,
    pub created_at: DateTime<Utc>,
    /// `None` for a token that is valid until it is revoked.
    pub expires_at: Option<DateTime<Utc>>,
    pub last_used_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
}

impl ApiToken {
    pub fn is_expired(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// The current role: the token's own, but never higher than its creator's current one.
    pub fn role_under(&self, creator: &Membership) -> Role {
        self.role.min(creator.role)
    }
}
