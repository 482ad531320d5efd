//! The second factor (RFC 6238): checking codes, and the authenticator's life.
//!
//! Whatever reads or changes an authenticator locks the account first, so that concurrent requests run one after the
//! other.

pub mod after_change;
pub mod check;
pub mod recovery_codes;
mod remove;
mod renew_recovery_codes;
pub mod reset;
pub mod secret;
mod status;

pub use crate::service::sign_in::answer::MfaChallenge;
pub use crate::service::sign_in::confirm_enrolment::{Confirmed, confirm};
pub use crate::service::sign_in::enrolment_subject::EnrolmentSubject;
pub use crate::service::sign_in::start_enrolment::{Enrolment, enrol};
pub use crate::service::sign_in::verify_second_factor::verify;
pub use recovery_codes::NewCodes;
pub use remove::remove;
pub use renew_recovery_codes::renew_recovery_codes;
pub use reset::reset;
pub use secret::reseal_secrets;
pub(in crate::service) use secret::{open as open_secret, opens_one};
pub use status::{Status, status};
