//! An API token as clients see it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{self, ApiTokenId, Role, UserId};

/// An API token without its secret.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ApiToken {
    id: ApiTokenId,
    #[schema(example = "nightly export")]
    name: String,
    /// The highest role the token can have; never higher than its creator's current role.
    role: Role,
    /// The first characters of the token.
    #[schema(example = "hp_u8H1VYkQ")]
    prefix: String,
    /// The user the token acts for.
    created_by: UserId,
    #[schema(example = "2026-11-22T09:30:00Z")]
    created_at: DateTime<Utc>,
    /// Null for a token that is valid until it is revoked.
    #[schema(required, example = "2027-01-31T12:00:00Z")]
    expires_at: Option<DateTime<Utc>>,
    /// Accurate to five minutes; null before the first use.
    #[schema(required, example = "2026-11-22T17:45:10Z")]
    last_used_at: Option<DateTime<Utc>>,
}

impl From<domain::ApiToken> for ApiToken {
    fn from(token: domain::ApiToken) -> Self {
        Self {
            id: token.id,
            name: token.name.to_string(),
            role: token.role,
            prefix: token.prefix,
            created_by: token.creator_id,
            created_at: token.created_at,
            expires_at: token.expires_at,
            last_used_at: token.last_used_at,
        }
    }
}
