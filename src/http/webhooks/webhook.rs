//! A webhook as clients see it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{self, OrganizationId, UserId, WebhookId};

/// A webhook without its secret.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Webhook {
    id: WebhookId,
    organization_id: OrganizationId,
    #[schema(required, example = "directory of the intranet")]
    name: Option<String>,
    #[schema(
        format = "uri",
        example = "https://intranet.example.com/hooks/hallpass"
    )]
    url: String,
    /// The events that it is told of; null for all, also those that are added later.
    #[schema(required, example = json!(["member.added", "member.removed"]))]
    events: Option<Vec<&'static str>>,
    /// The admin with whose role it ends, unless another one takes it over.
    owner_id: UserId,
    #[schema(example = "2026-11-22T09:30:00Z")]
    created_at: DateTime<Utc>,
    /// Since when every try has failed; null while events arrive.
    #[schema(required, example = "2026-11-23T02:00:00Z")]
    failing_since: Option<DateTime<Utc>>,
    /// Whether it is told anything.
    enabled: bool,
    #[schema(required)]
    switched_off: Option<SwitchedOff>,
}

/// When and why a webhook was switched off.
#[derive(Serialize, ToSchema)]
pub(crate) struct SwitchedOff {
    #[schema(example = "2026-11-26T05:15:00Z")]
    at: DateTime<Utc>,
    /// `by_an_admin`; `gone` when its receiver answered 410; `failing` when nothing could be delivered for three days.
    #[schema(example = "failing")]
    why: &'static str,
}

impl From<domain::Webhook> for Webhook {
    fn from(webhook: domain::Webhook) -> Self {
        Self {
            id: webhook.id,
            organization_id: webhook.organization_id,
            name: webhook.name.map(|name| name.to_string()),
            url: webhook.url.to_string(),
            events: webhook.events.names(),
            owner_id: webhook.owner_id,
            created_at: webhook.created_at,
            failing_since: webhook.failing_since,
            enabled: webhook.disabled.is_none(),
            switched_off: webhook.disabled.map(|(at, why)| SwitchedOff {
                at,
                why: why.as_str(),
            }),
        }
    }
}
