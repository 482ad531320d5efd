//! A user as clients see them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{OrganizationId, Role, UserId};
use crate::service::Profile;

/// A user, and the organization they act in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User {
    id: UserId,
    /// Null for some users who sign in with Slack.
    #[schema(required, format = "email", example = "ada@example.com")]
    email: Option<String>,
    #[schema(example = "Ada Lovelace")]
    name: String,
    /// Null without an organization.
    #[schema(required)]
    role: Option<Role>,
    /// The organization the token is for; null for people who belong to none.
    #[schema(required)]
    organization_id: Option<OrganizationId>,
}

impl From<Profile> for User {
    fn from(profile: Profile) -> Self {
        Self {
            id: profile.id,
            email: profile.email.map(|email| email.to_string()),
            name: profile.name.to_string(),
            role: profile.organization.map(|organization| organization.role),
            organization_id: profile.organization.map(|organization| organization.id),
        }
    }
}
