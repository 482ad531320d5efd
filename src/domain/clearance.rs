//! Proof that a sign-in has passed all checks, required to insert a session.

/// Implemented by one type, which only the sign-in entry point can construct. The function that inserts sessions
/// requires a value of it, so no other code can begin a session.
pub trait Clearance {
    /// Whether the session is locked until the second factor is completed.
    fn is_locked(&self) -> bool;
}
