//! The second factor (RFC 6238): who needs it, what a sign-in without it is worth, and how it is shown.
//!
//! Whatever reads or changes somebody's authenticator holds their account first, so of many at once each
//! sees what the one before it did.

pub mod check;
mod prove_again;
pub mod recovery_codes;
mod remove;
mod renew_recovery_codes;
mod reset;
pub mod secret;
mod status;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::crypto::opaque::Opaque;
use crate::domain::{
    Change, Email, EmailMessage, OrganizationId, PersonName, SessionId, UserId, lifetimes,
};
use crate::service::{Result, Services, one_time, record_changes};
use crate::store::one_time_tokens::Purpose;
use crate::store::outbox::NewEmail;
use crate::store::{StoreError, Tx, organizations, sessions, totp};

pub use crate::service::sign_in::confirm_enrolment::{Confirmed, confirm};
pub use crate::service::sign_in::enrolment_subject::EnrolmentSubject;
pub use crate::service::sign_in::start_enrolment::{Enrolment, enrol};
pub use crate::service::sign_in::verify_second_factor::verify;
pub use recovery_codes::NewCodes;
pub use remove::remove;
pub use renew_recovery_codes::renew_recovery_codes;
pub use reset::reset;
pub use secret::reseal_secrets;
pub use status::{Status, status};

/// A sign-in that lacks its second factor: what the API calls `mfaRequired`.
pub struct SecondFactor {
    /// Good for the second step of this sign-in and nothing else.
    pub token: Opaque,
    /// Seconds.
    pub expires_in: i64,
    /// The person has no authenticator yet; the second step is to enrol one.
    pub enrolment_required: bool,
}

/// What is kept of it.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(in crate::service) struct PendingSignIn {
    pub user_id: UserId,
    pub organization_id: OrganizationId,
}

/// Puts a sign-in aside until its second factor comes: when the person has an authenticator, or when the
/// organization wants one. Every way in asks here, in the transaction that would begin the session, with
/// the account held.
pub(in crate::service) fn still_needed(
    tx: &mut Tx<'_>,
    token: Opaque,
    half: PendingSignIn,
    now: DateTime<Utc>,
) -> Result<Option<SecondFactor>> {
    if totp::is_enrolled(tx, half.user_id)? {
        return challenge(tx, token, half, Purpose::SecondFactor, now).map(Some);
    }
    enrolment_needed(tx, token, half, now)
}

/// As [`still_needed`], for a session that shall speak for another organization: it has shown whatever
/// second factor the person has.
pub(in crate::service) fn enrolment_needed(
    tx: &mut Tx<'_>,
    token: Opaque,
    half: PendingSignIn,
    now: DateTime<Utc>,
) -> Result<Option<SecondFactor>> {
    if !lacks_authenticator(tx, half)? {
        return Ok(None);
    }
    challenge(tx, token, half, Purpose::MfaEnrolment, now).map(Some)
}

/// Whether the organization wants a second factor and the person has none.
pub(in crate::service) fn lacks_authenticator(
    tx: &mut Tx<'_>,
    half: PendingSignIn,
) -> std::result::Result<bool, StoreError> {
    Ok(organizations::requires_mfa(tx, half.organization_id)?
        && !totp::is_enrolled(tx, half.user_id)?)
}

fn challenge(
    tx: &mut Tx<'_>,
    token: Opaque,
    half: PendingSignIn,
    purpose: Purpose,
    now: DateTime<Utc>,
) -> Result<SecondFactor> {
    let expires_at = now + lifetimes::SECOND_FACTOR;
    one_time::issue(tx, &token, purpose, Some(half.user_id), &half, expires_at)?;
    Ok(SecondFactor {
        token,
        expires_in: lifetimes::SECOND_FACTOR.num_seconds(),
        enrolment_required: purpose == Purpose::MfaEnrolment,
    })
}

/// What was signed in before the second factor changed ends, and so does what was about to be; one session
/// goes on. Comes last in its transaction.
pub(in crate::service) fn end_what_lacks_it(
    tx: &mut Tx<'_>,
    user_id: UserId,
    except: SessionId,
    now: DateTime<Utc>,
) -> std::result::Result<Vec<Change>, StoreError> {
    one_time::revoke_after_credential_change(tx, user_id)?;
    let mut changes: Vec<Change> = sessions::revoke_all(tx, user_id, Some(except), now)?
        .into_iter()
        .map(|session_id| Change::SessionEnded {
            user_id,
            session_id,
        })
        .collect();
    changes.push(Change::PersonChanged { user_id });
    record_changes(tx, &changes, now)?;
    Ok(changes)
}

/// Tells the owner of the account, who may not be the one who did it.
pub(in crate::service) fn notice(
    services: &Services,
    now: DateTime<Utc>,
    to: Option<Email>,
    name: &PersonName,
    enabled: bool,
) -> Option<NewEmail> {
    let letter = EmailMessage::MfaChanged {
        name: name.to_string(),
        enabled,
    };
    to.map(|to| services.letter(now, to, &letter))
}
