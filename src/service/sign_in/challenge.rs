//! Challenges for the second factor of a sign-in.

use serde::{Deserialize, Serialize};

use crate::domain::{Membership, OrganizationId, UserId, lifetimes};
use crate::service::sign_in::answer::MfaChallenge;
use crate::service::sign_in::subject::Subject;
use crate::service::unit_of_work::UnitOfWork;
use crate::service::{Result, one_time};
use crate::store::one_time_tokens::Purpose;
use crate::store::{StoreError, Tx, organizations, totp};

/// The stored form of a sign-in that waits for its second step.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(in crate::service) struct PendingSignIn {
    pub user_id: UserId,
    /// `None` for a user without an organization.
    pub organization_id: Option<OrganizationId>,
}

impl From<&Membership> for PendingSignIn {
    fn from(membership: &Membership) -> Self {
        Self {
            user_id: membership.user_id,
            organization_id: Some(membership.organization_id),
        }
    }
}

impl From<&Subject> for PendingSignIn {
    fn from(subject: &Subject) -> Self {
        Self {
            user_id: subject.user.id,
            organization_id: subject.organization_id(),
        }
    }
}

impl PendingSignIn {
    fn requires_mfa(self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        match self.organization_id {
            Some(id) => organizations::requires_mfa(tx, id),
            None => Ok(false),
        }
    }
}

/// What a sign-in is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service) enum Missing {
    /// A code of the user's authenticator.
    Code,
    /// An authenticator, which the organization requires.
    Enrolment,
}

impl Missing {
    /// Call it in the transaction that would begin the session, with the account locked.
    pub(crate) fn of(tx: &mut Tx<'_>, pending: PendingSignIn) -> Result<Option<Self>, StoreError> {
        if totp::is_enrolled(tx, pending.user_id)? {
            return Ok(Some(Self::Code));
        }
        Ok(pending.requires_mfa(tx)?.then_some(Self::Enrolment))
    }

    /// As [`of`](Self::of), for a session that switches to another organization: its user has already verified the
    /// second factor they have.
    pub(crate) fn of_session(
        tx: &mut Tx<'_>,
        pending: PendingSignIn,
    ) -> Result<Option<Self>, StoreError> {
        // In this order, because few organizations require one, and each refresh asks.
        let is_missing = pending.requires_mfa(tx)? && !totp::is_enrolled(tx, pending.user_id)?;
        Ok(is_missing.then_some(Self::Enrolment))
    }

    fn purpose(self) -> Purpose {
        match self {
            Self::Code => Purpose::SecondFactor,
            Self::Enrolment => Purpose::MfaEnrolment,
        }
    }
}

/// Stores the sign-in under a new token until its second step.
pub(in crate::service) fn challenge(
    unit: &mut UnitOfWork<'_, '_>,
    pending: PendingSignIn,
    missing: Missing,
) -> Result<MfaChallenge> {
    let token = unit.secret();
    let expires_at = unit.now + lifetimes::SECOND_FACTOR;
    let (purpose, user_id) = (missing.purpose(), Some(pending.user_id));
    one_time::issue(unit.tx, &token, purpose, user_id, &pending, expires_at)?;
    Ok(MfaChallenge {
        token,
        expires_in: lifetimes::SECOND_FACTOR.num_seconds(),
        enrolment_required: missing == Missing::Enrolment,
    })
}
