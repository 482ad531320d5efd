//! Who enrols an authenticator.

use crate::service::Caller;

/// A signed-in user, or one who must enrol to finish the sign-in.
pub enum EnrolmentSubject {
    Caller(Caller),
    /// The token of a sign-in with `enrolment_required`.
    PendingSignIn(String),
}
