//! Join links, without their tokens.

use chrono::{DateTime, Utc};

use super::{JoinLinkId, OrganizationId, Role, UserId};

/// How many join links an organization may have.
pub const MAX_JOIN_LINKS: i64 = 50;

/// How many people one link may be limited to.
pub const MOST_USES: i32 = 10_000;

/// A link by which anyone who has an account joins an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinLink {
    pub id: JoinLinkId,
    pub organization_id: OrganizationId,
    /// The admin who made it.
    pub maker_id: UserId,
    /// The role of who joins by it.
    pub role: Role,
    /// How many people may join by it; `None` for any number.
    pub uses: Option<i32>,
    /// How many have.
    pub used: i32,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

impl JoinLink {
    pub fn is_used_up(&self) -> bool {
        self.uses.is_some_and(|uses| self.used >= uses)
    }
}
