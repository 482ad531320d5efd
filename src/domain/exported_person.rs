//! A person as another system gets them: a line of `hallpass export`. `docs/moving-out.md` describes it.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{OrganizationId, Role, UserId};

#[derive(Debug, Serialize)]
pub struct ExportedPerson {
    pub id: UserId,
    pub external_ids: Vec<ExportedExternalId>,
    pub email: Option<String>,
    pub email_verified_at: Option<DateTime<Utc>>,
    pub name: String,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub created_at: DateTime<Utc>,
    pub disabled_at: Option<DateTime<Utc>>,
    pub memberships: Vec<ExportedPlace>,
    pub slack: Vec<ExportedSlack>,
    /// Only on demand.
    #[serde(flatten)]
    pub secrets: Option<ExportedSecrets>,
}

#[derive(Debug, Serialize)]
pub struct ExportedExternalId {
    pub source: String,
    pub external_id: String,
}

/// A membership.
#[derive(Debug, Serialize)]
pub struct ExportedPlace {
    /// The slug.
    pub organization: String,
    pub organization_id: OrganizationId,
    pub organization_name: String,
    pub role: Role,
    /// The manager's id.
    pub manager: Option<UserId>,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Serialize)]
pub struct ExportedSlack {
    /// `T0123`
    pub team: String,
    /// `U0123`
    pub user: String,
}

#[derive(Serialize)]
pub struct ExportedSecrets {
    pub password_hash: Option<String>,
    /// The secret of a confirmed authenticator, in base32.
    pub totp: Option<String>,
    /// Of those that are unused.
    pub recovery_code_hashes: Vec<String>,
}

impl std::fmt::Debug for ExportedSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ExportedSecrets(…)")
    }
}
