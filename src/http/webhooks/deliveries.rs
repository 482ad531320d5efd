//! `GET /api/webhooks/{id}/deliveries`

use actix_web::web::{Data, Json, Path};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::webhook_id;
use crate::domain::webhook::{self, DeliveryState};
use crate::domain::{WebhookEventId, WebhookId};
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    Forbidden, NoOrganization, ValidationFailed, WebhookNotFound,
};
use crate::http::paging::{cursor, page_request};
use crate::http::query::Query;
use crate::service::{MemberCaller, Services, webhooks};

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Deliveries {
    /// Newest first.
    deliveries: Vec<Delivery>,
    /// For `cursor`; null on the last page.
    #[schema(required, example = "AZqfLl0bSiCcPWSx4PeowA")]
    next_cursor: Option<String>,
}

/// An event, and how its delivery goes.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Delivery {
    /// The `webhook-id`.
    id: WebhookEventId,
    #[schema(example = "member.added")]
    event: String,
    /// When it happened.
    #[schema(example = "2026-11-22T09:30:00Z")]
    at: DateTime<Utc>,
    /// `waiting`, `delivered` or `given_up`.
    #[schema(example = "waiting")]
    state: &'static str,
    /// How often it was tried.
    #[schema(example = 3)]
    attempts: i32,
    /// The status of the last answer; null if there was none.
    #[schema(required, example = 503)]
    last_status: Option<i32>,
    /// Why the last attempt failed, a stable word.
    #[schema(required, example = "refused")]
    last_error: Option<String>,
    /// Null unless it waits.
    #[schema(required, example = "2026-11-22T10:05:11Z")]
    next_attempt_at: Option<DateTime<Utc>>,
    /// When it was delivered or given up; null while it waits.
    #[schema(required)]
    ended_at: Option<DateTime<Utc>>,
}

impl From<webhook::Delivery> for Delivery {
    fn from(delivery: webhook::Delivery) -> Self {
        let (state, next_attempt_at, ended_at) = match delivery.state {
            DeliveryState::Waiting { next_attempt_at } => ("waiting", Some(next_attempt_at), None),
            DeliveryState::Delivered(at) => ("delivered", None, Some(at)),
            DeliveryState::GivenUp(at) => ("given_up", None, Some(at)),
        };
        Self {
            id: delivery.id,
            event: delivery.event,
            at: delivery.at,
            state,
            attempts: delivery.attempts,
            last_status: delivery.last_status,
            last_error: delivery.last_error,
            next_attempt_at,
            ended_at,
        }
    }
}

/// List a webhook's deliveries
///
/// For admins: what it was told in the last three days, what it is to be told, and what could not be delivered in the
/// last thirty days.
#[utoipa::path(
    get,
    path = "/api/webhooks/{id}/deliveries",
    tag = "Webhooks",
    security(("bearer" = [])),
    params(
        ("id" = WebhookId, Path, description = "The webhook's id."),
        ("limit" = Option<u8>, Query, minimum = 1, maximum = 100,
            description = "Deliveries per page, 1 to 100; 100 by default."),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the previous page."),
    ),
    responses((status = 200, description = "A page of deliveries.", body = Deliveries)),
    extensions(("x-error-codes" = json!([NoOrganization, Forbidden, ValidationFailed, WebhookNotFound]))),
)]
pub(crate) async fn webhook_deliveries(
    services: Data<Services>,
    caller: MemberCaller,
    id: Path<String>,
    query: Query,
) -> Result<Json<Deliveries>, ApiError> {
    let query = query.unambiguous()?;
    let mut faults = Vec::new();
    let request = page_request(&query, &mut faults, WebhookEventId);
    ApiError::unless_none(faults)?;
    let page = webhooks::list_deliveries(&services, &caller, webhook_id(&id), request).await?;
    Ok(Json(Deliveries {
        deliveries: page.items.into_iter().map(Delivery::from).collect(),
        next_cursor: page.next.map(|id| cursor(id.0)),
    }))
}
