//! Ids that people had in the system they came from.

use chrono::{DateTime, Utc};

use super::UserId;

/// The id of a person in another system, unique among those of its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalId {
    /// The namespace, such as `acme-app`.
    pub source: String,
    /// As the other system writes it.
    pub id: String,
    pub imported_at: DateTime<Utc>,
}

/// A user who was imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportedUser {
    pub id: UserId,
    pub imported_at: DateTime<Utc>,
    /// When a password was set here, by the person or by the operator. Until then the imported one is valid.
    pub password_set_at: Option<DateTime<Utc>>,
}
