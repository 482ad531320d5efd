//! What a session row costs: the word of the sign-in entry point that everything asked for was shown.

/// Implemented by one type, which only the sign-in entry point can make. The function that inserts sessions demands a
/// value of it, so no other code can begin one.
pub trait Clearance {
    /// The session waits for its second factor, and opens nothing until then.
    fn is_locked(&self) -> bool;
}
