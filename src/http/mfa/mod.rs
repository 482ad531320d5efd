//! The second factor: enrolment, the second step of a sign-in, recovery codes.

pub mod confirm;
pub mod enrol;
mod new_codes;
mod qr;
pub mod recovery_codes;
pub mod remove;
pub mod status;
pub mod verify;

use super::caller::Enrolling;
use super::error::ApiError;
use super::given::Given;
use crate::service::mfa::Enroller;

/// A token in the body says who it is, and then nothing else does: two identities in one request never mix.
fn enroller(
    mfa_token: Option<Given<String>>,
    caller: Result<Enrolling, ApiError>,
) -> Result<Enroller, ApiError> {
    match mfa_token {
        Some(token) => Ok(Enroller::HalfSignedIn(token.into_value()?)),
        None => Ok(Enroller::Caller(caller?.0)),
    }
}
