//! The results of a sign-in: a token, or a challenge.

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

/// A new access token and its user.
#[derive(Clone)]
pub struct SignedIn {
    /// A JWT (RFC 7519), HS256.
    pub access_token: String,
    /// Seconds.
    pub expires_in: i64,
    pub profile: Profile,
}

/// The result of a sign-in.
pub enum SignIn {
    Complete(SignedIn),
    /// The second factor is missing.
    Challenge(MfaChallenge),
}

/// A challenge for the second factor: what the API calls `mfaRequired`.
pub struct MfaChallenge {
    /// Valid only for the second step of this sign-in.
    pub token: Opaque,
    /// Seconds.
    pub expires_in: i64,
    /// The user has no authenticator yet; the second step is to enrol one.
    pub enrolment_required: bool,
}
