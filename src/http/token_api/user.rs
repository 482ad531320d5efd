//! A user as clients see them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{OrganizationId, Role, UserId};
use crate::service::Profile;

/// A user in one organization.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User {
    id: UserId,
    /// Null for some users who sign in with Slack.
    #[schema(required, format = "email", example = "ada@example.com")]
    email: Option<String>,
    #[schema(example = "Ada Lovelace")]
    name: String,
    role: Role,
    /// The organization the token is for.
    organization_id: OrganizationId,
}

impl From<Profile> for User {
    fn from(profile: Profile) -> Self {
        Self {
            id: profile.id,
            email: profile.email.map(|email| email.to_string()),
            name: profile.name.to_string(),
            role: profile.role,
            organization_id: profile.organization_id,
        }
    }
}
