//! The second factor (RFC 6238): who needs it, and what a sign-in without it is worth.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Result, one_time};
use crate::crypto::opaque::Opaque;
use crate::domain::{OrganizationId, UserId, lifetimes};
use crate::store::one_time_tokens::Purpose;
use crate::store::{StoreError, Tx, totp};

/// A sign-in that lacks its second factor: what the API calls `mfaRequired`.
pub struct SecondFactor {
    /// Good for the second step of this sign-in and nothing else.
    pub token: Opaque,
    /// Seconds.
    pub expires_in: i64,
}

/// What is kept of it.
#[derive(Serialize, Deserialize)]
pub(super) struct HalfSignedIn {
    pub user_id: UserId,
    pub organization_id: OrganizationId,
}

/// Whether the user signs in with a second factor. Every way in asks here, in the transaction that would
/// begin the session.
pub(super) fn is_required(
    tx: &mut Tx<'_>,
    user_id: UserId,
) -> std::result::Result<bool, StoreError> {
    totp::is_enrolled(tx, user_id)
}

/// Puts the sign-in aside until its second factor comes.
pub(super) fn ask(
    tx: &mut Tx<'_>,
    token: Opaque,
    half: &HalfSignedIn,
    now: DateTime<Utc>,
) -> Result<SecondFactor> {
    let expires_at = now + lifetimes::SECOND_FACTOR;
    let purpose = Purpose::SecondFactor;
    one_time::keep(tx, &token, purpose, Some(half.user_id), half, expires_at)?;
    Ok(SecondFactor {
        token,
        expires_in: lifetimes::SECOND_FACTOR.num_seconds(),
    })
}
