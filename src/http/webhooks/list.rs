//! `GET /api/webhooks`

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::webhook::Webhook;
use crate::domain::WebhookId;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{Forbidden, NoOrganization, ValidationFailed};
use crate::http::paging::{cursor, page_request};
use crate::http::query::Query;
use crate::service::{MemberCaller, Services, webhooks};

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Webhooks {
    /// Oldest first.
    webhooks: Vec<Webhook>,
    /// For `cursor`; null on the last page.
    #[schema(required, example = "AZqfLl0bSiCcPWSx4PeowA")]
    next_cursor: Option<String>,
}

/// List webhooks
///
/// Those of the caller's organization, for its admins.
#[utoipa::path(
    get,
    path = "/api/webhooks",
    tag = "Webhooks",
    security(("bearer" = [])),
    params(
        ("limit" = Option<u8>, Query, minimum = 1, maximum = 100,
            description = "Webhooks per page, 1 to 100; 100 by default."),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the previous page."),
    ),
    responses((status = 200, description = "A page of webhooks.", body = Webhooks)),
    extensions(("x-error-codes" = json!([NoOrganization, Forbidden, ValidationFailed]))),
)]
pub(crate) async fn list_webhooks(
    services: Data<Services>,
    caller: MemberCaller,
    query: Query,
) -> Result<Json<Webhooks>, ApiError> {
    let query = query.unambiguous()?;
    let mut faults = Vec::new();
    let request = page_request(&query, &mut faults, WebhookId);
    ApiError::unless_none(faults)?;
    let page = webhooks::list(&services, &caller, request).await?;
    Ok(Json(Webhooks {
        webhooks: page.items.into_iter().map(Webhook::from).collect(),
        next_cursor: page.next.map(|id| cursor(id.0)),
    }))
}
