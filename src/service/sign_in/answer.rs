//! The results of a sign-in: a token, or a challenge.

use crate::crypto::opaque::Opaque;
use crate::domain::{ActiveOrganization, Email, Membership, PersonName, User, UserId};

/// A user, and the organization they act in: the `user` of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    pub id: UserId,
    pub email: Option<Email>,
    pub name: PersonName,
    /// `None` for users who act in no organization.
    pub organization: Option<ActiveOrganization>,
}

impl Profile {
    pub(in crate::service) fn of(user: &User, membership: Option<&Membership>) -> Self {
        Self {
            id: user.id,
            email: user.email.clone(),
            name: user.name.clone(),
            organization: membership.map(ActiveOrganization::from),
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
