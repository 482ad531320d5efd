//! Who enrols an authenticator.

use crate::service::Caller;

/// Somebody who is signed in, or somebody whose organization lets them in with a second factor only.
pub enum EnrolmentSubject {
    Caller(Caller),
    /// The token of a sign-in with `enrolment_required`.
    PendingSignIn(String),
}
