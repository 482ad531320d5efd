//! The answer to a sign-in: a token, or a challenge.

use crate::crypto::opaque::Opaque;
use crate::domain::{Email, Membership, OrganizationId, PersonName, Role, User, UserId};

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

/// What a sign-in leads to.
pub enum SignIn {
    Complete(SignedIn),
    /// The second factor is still missing.
    Challenge(MfaChallenge),
}

/// A sign-in that lacks its second factor: what the API calls `mfaRequired`.
pub struct MfaChallenge {
    /// Good for the second step of this sign-in and nothing else.
    pub token: Opaque,
    /// Seconds.
    pub expires_in: i64,
    /// The person has no authenticator yet; the second step is to enrol one.
    pub enrolment_required: bool,
}
