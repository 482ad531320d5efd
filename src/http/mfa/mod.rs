//! The second factor: enrolment, the second step of a sign-in, recovery codes.

pub(super) mod confirm;
pub(super) mod enrol;
mod new_codes;
mod qr;
pub(super) mod recovery_codes;
pub(super) mod remove;
pub(super) mod status;
pub(super) mod verify;

use super::caller::Enrolling;
use super::error::ApiError;
use crate::service::mfa::EnrolmentSubject;

/// A token in the body is the only credential then: a request never mixes two identities.
fn enroller(
    mfa_token: Option<String>,
    caller: Result<Enrolling, ApiError>,
) -> Result<EnrolmentSubject, ApiError> {
    match mfa_token {
        Some(token) => Ok(EnrolmentSubject::PendingSignIn(token)),
        None => Ok(EnrolmentSubject::Caller(caller?.0)),
    }
}
