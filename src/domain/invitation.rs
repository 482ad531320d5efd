//! Invitations, as the rest of the program sees them.

use chrono::{DateTime, Utc};

use super::ids::InvitationId;
use super::{Email, OrganizationId, Role, UserId};

/// A place in an organization that waits for whoever proves a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    pub id: InvitationId,
    pub organization_id: OrganizationId,
    pub email: Email,
    /// What the invited will be.
    pub role: Role,
    /// Missing when the organization's rules invited, and nobody in person.
    pub invited_by: Option<UserId>,
    /// Which letter holds the link that is good: the first, the second, …; 0 before there is one.
    pub letter: i32,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}
