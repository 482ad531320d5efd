//! A user as others in the organization see them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{OrganizationId, Role, UserId};
use crate::service;

/// A member of the organization.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Person {
    id: UserId,
    /// Null for some users who sign in with Slack.
    #[schema(required, format = "email", example = "alan@example.com")]
    email: Option<String>,
    #[schema(example = "Alan Turing")]
    name: String,
    role: Role,
    organization_id: OrganizationId,
    /// The id that they had in the system they were imported from; absent if they were not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, required = false, nullable = false, example = "ckx1ada0000")]
    external_id: Option<String>,
    /// The user's manager.
    #[schema(required, example = "019a9f2e-5d1c-7c11-8d20-1f5e3a9b6c04")]
    manager_id: Option<UserId>,
    /// Whether the account is disabled.
    #[schema(example = false)]
    disabled: bool,
    /// Until when too many wrong passwords have locked the account; null if they have not. Only admins see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<DateTime<Utc>>, example = json!(null))]
    locked_until: Option<Option<DateTime<Utc>>>,
    /// When the account was created.
    #[schema(example = "2026-11-22T09:30:00Z")]
    created_at: DateTime<Utc>,
}

impl From<service::Person> for Person {
    fn from(person: service::Person) -> Self {
        let service::Person {
            user,
            membership,
            external_id,
            locked_until,
        } = person;
        Self {
            id: user.id,
            email: user.email.map(|email| email.to_string()),
            name: user.name.to_string(),
            role: membership.role,
            organization_id: membership.organization_id,
            external_id,
            manager_id: membership.manager_id,
            disabled: user.disabled_at.is_some(),
            locked_until,
            created_at: user.created_at,
        }
    }
}
