//! Changes that every instance must learn of within a second.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{OrganizationId, SessionId, UserId};

/// A change that invalidates an instance's cached data or issued tokens.
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
    /// Tokens of this user with a lower `pv` have outdated claims: role, membership, or the organization's rules.
    TokensOutdated { user_id: UserId, min_pv: i32 },
    /// The user's row or memberships have changed.
    PersonChanged { user_id: UserId },
    /// The organization's rules have changed for all members.
    OrganizationChanged { organization_id: OrganizationId },
}

impl Change {
    /// The user or the organization that it is about.
    pub fn subject(self) -> Uuid {
        match self {
            Self::SessionEnded { user_id, .. }
            | Self::TokensRevoked { user_id, .. }
            | Self::TokensOutdated { user_id, .. }
            | Self::PersonChanged { user_id } => user_id.0,
            Self::OrganizationChanged { organization_id } => organization_id.0,
        }
    }
}

/// A change as stored in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedChange {
    /// Identifies the row. On PostgreSQL a lower number may be committed later.
    pub seq: i64,
    /// The id of the transaction that wrote it; on SQLite, where one ends before the next begins, `seq`.
    pub transaction: i64,
    pub change: Change,
    /// All tokens revoked by the change have expired by then.
    pub expires_at: DateTime<Utc>,
}
