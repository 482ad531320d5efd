//! The life of a token.

use chrono::{DateTime, Utc};

/// From when until when a token is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    pub issued_at: DateTime<Utc>,
    /// `None` if it does not end by itself.
    pub expires_at: Option<DateTime<Utc>>,
}
