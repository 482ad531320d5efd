//! Invitations to organizations.

use chrono::{DateTime, Utc};

use super::ids::InvitationId;
use super::{Email, OrganizationId, Role, UserId};

/// An invitation that the owner of an e-mail address can accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    pub id: InvitationId,
    pub organization_id: OrganizationId,
    pub email: Email,
    /// The role of the new member.
    pub role: Role,
    /// `None` when the operator or the organization's rules created the invitation instead of a member.
    pub invited_by: Option<UserId>,
    /// Whether the operator created it: then it depends on no member's role and no join policy.
    pub by_operator: bool,
    /// The number of the e-mail whose link is valid: 1, 2, …; 0 before the first is sent.
    pub email_number: i32,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

impl Invitation {
    /// Whether a join policy sent it at the request of any client, or the account of the member who sent it is gone.
    pub fn is_by_policy(&self) -> bool {
        self.invited_by.is_none() && !self.by_operator
    }
}
