//! What every instance must hear of within a second.

use chrono::{DateTime, Utc};

use super::{OrganizationId, SessionId, UserId};

/// A fact that outdates what an instance holds in memory, or a token that somebody holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Tokens of this session are revoked.
    SessionEnded {
        user_id: UserId,
        session_id: SessionId,
    },
    /// Tokens of this user with a lower `token_version` are revoked.
    TokensRevoked {
        user_id: UserId,
        min_token_version: i32,
    },
    /// Tokens of this user with a lower `pv` say what is no longer so: role, membership, or the organization's rules.
    TokensOutdated { user_id: UserId, min_pv: i32 },
    /// The user's row or memberships are not what they were.
    PersonChanged { user_id: UserId },
    /// The organization's rules are not what they were, for everybody in it.
    OrganizationChanged { organization_id: OrganizationId },
}

/// A change as it was written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedChange {
    /// Grows in commit order.
    pub seq: i64,
    pub change: Change,
    /// No token that the change revokes lives longer.
    pub expires_at: DateTime<Utc>,
}
