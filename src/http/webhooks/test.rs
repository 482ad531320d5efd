//! `POST /api/webhooks/{id}/test`

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use serde::Serialize;
use utoipa::ToSchema;

use super::webhook_id;
use crate::domain::{WebhookEventId, WebhookId};
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    Forbidden, NoOrganization, WebhookNotFound, WebhookSwitchedOff,
};
use crate::service::{MemberCaller, Services, webhooks};

#[derive(Serialize, ToSchema)]
pub(crate) struct QueuedTest {
    /// The `webhook-id`, by which the deliveries list it.
    id: WebhookEventId,
}

/// Test a webhook
///
/// For admins. An event `webhook.test` is sent once, whatever events were chosen.
#[utoipa::path(
    post,
    path = "/api/webhooks/{id}/test",
    tag = "Webhooks",
    security(("bearer" = [])),
    params(("id" = WebhookId, Path, description = "The webhook's id.")),
    responses((status = 202, description = "It is being sent.", body = QueuedTest)),
    extensions(("x-error-codes" = json!([NoOrganization, Forbidden, WebhookNotFound, WebhookSwitchedOff]))),
)]
pub(crate) async fn test_webhook(
    services: Data<Services>,
    caller: MemberCaller,
    id: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id = webhooks::test(&services, &caller, webhook_id(&id)).await?;
    Ok(HttpResponse::Accepted().json(QueuedTest { id }))
}
