//! An organization as clients see it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{
    self, JoinPolicy, OrganizationId, SessionIdle, SessionLifetime, TokenLifetime,
};

/// An organization and its settings.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Organization {
    id: OrganizationId,
    #[schema(example = "Analytical Engines")]
    name: String,
    /// Its name in URLs, host names and `tenant`; does not change with the name.
    #[schema(example = "analytical-engines")]
    slug: String,
    join_policy: JoinPolicy,
    /// Users with an address in these domains can join without invitation if the join policy is `domain`.
    #[schema(example = json!(["example.com"]))]
    allowed_domains: Vec<String>,
    /// Whether members must have a second factor.
    #[schema(example = false)]
    require_mfa: bool,
    /// Seconds that an access token for this organization is valid; null: as on the instance.
    #[schema(required, value_type = Option<i32>, example = 3600)]
    token_lifetime: Option<TokenLifetime>,
    /// Seconds after which a session ends that speaks for this organization; null: as on the instance.
    #[schema(required, value_type = Option<i32>, example = 2_592_000)]
    session_lifetime: Option<SessionLifetime>,
    /// Seconds without a refresh after which such a session ends; null: as on the instance.
    #[schema(required, value_type = Option<i32>, example = 43_200)]
    session_idle: Option<SessionIdle>,
    #[schema(example = "2026-11-22T09:30:00Z")]
    created_at: DateTime<Utc>,
}

impl From<domain::Organization> for Organization {
    fn from(organization: domain::Organization) -> Self {
        Self {
            id: organization.id,
            name: organization.name.to_string(),
            slug: organization.slug.to_string(),
            join_policy: organization.join_policy,
            allowed_domains: organization
                .allowed_domains
                .names()
                .map(str::to_owned)
                .collect(),
            require_mfa: organization.require_mfa,
            token_lifetime: organization.lifetimes.token,
            session_lifetime: organization.lifetimes.session,
            session_idle: organization.lifetimes.idle,
            created_at: organization.created_at,
        }
    }
}
