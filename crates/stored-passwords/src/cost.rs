//! What one comparison costs.

/// Of one computation with a password of usual length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Cost {
    /// In iterations of bcrypt: one of cost 10 has 1,024. An estimate, from measurements of one thread.
    pub work: u64,
    /// In bytes, at the same time.
    pub memory: u64,
}
