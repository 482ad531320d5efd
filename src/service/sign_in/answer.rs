//! What somebody gets who has proved who they are: a session and a token.

use chrono::{DateTime, Utc};

use crate::domain::{
    Email, Membership, OrganizationId, PersonName, Role, Session, SessionId, SessionKind, User,
    UserId, lifetimes,
};
use crate::service::mfa::SecondFactor;
use crate::service::{RequestContext, Services};

/// A user as one organization sees them: the `user` of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    pub id: UserId,
    pub email: Option<Email>,
    pub name: PersonName,
    pub role: Role,
    pub organization_id: OrganizationId,
}

impl Profile {
    pub(in crate::service) fn of(user: &User, membership: &Membership) -> Self {
        Self {
            id: user.id,
            email: user.email.clone(),
            name: user.name.clone(),
            role: membership.role,
            organization_id: membership.organization_id,
        }
    }
}

/// A fresh access token and whom it speaks for.
#[derive(Clone)]
pub struct SignedIn {
    /// A JWT (RFC 7519), HS256.
    pub access_token: String,
    /// Seconds.
    pub expires_in: i64,
    pub profile: Profile,
}

/// Where a proof of who one is leads to.
pub enum SignIn {
    Complete(SignedIn),
    /// The person has a second factor, which is still to be shown.
    SecondFactor(SecondFactor),
}

impl Services {
    /// A session that begins `now`; the caller's transaction inserts it.
    pub(in crate::service) fn new_session(
        &self,
        context: &RequestContext,
        now: DateTime<Utc>,
        user_id: UserId,
        organization_id: OrganizationId,
    ) -> Session {
        Session {
            id: SessionId::new(now, self.random()),
            kind: SessionKind::Jwt,
            user_id,
            organization_id,
            device: context.device.clone(),
            address: context.address,
            created_at: now,
            last_used_at: now,
            expires_at: now + lifetimes::SESSION,
            revoked_at: None,
        }
    }
}
