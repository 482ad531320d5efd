//! The earlier system, as the settings describe it.

use chrono::{DateTime, Utc};

use crate::crypto::legacy_session::Reader;

/// The system whose sessions are exchanged, and until when.
pub struct LegacySessions {
    pub reader: Reader,
    /// Whose external ids its people have.
    pub source: String,
    pub until: DateTime<Utc>,
    /// Tokens that were issued from then on are refused; if not set, from each person's import on.
    pub cut_over: Option<DateTime<Utc>>,
}
