//! `GET /api/webhooks/{id}`

use actix_web::web::{Data, Json, Path};

use super::webhook::Webhook;
use super::webhook_id;
use crate::domain::WebhookId;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{Forbidden, NoOrganization, WebhookNotFound};
use crate::service::{MemberCaller, Services, webhooks};

/// Read a webhook
///
/// For admins.
#[utoipa::path(
    get,
    path = "/api/webhooks/{id}",
    tag = "Webhooks",
    security(("bearer" = [])),
    params(("id" = WebhookId, Path, description = "The webhook's id.")),
    responses((status = 200, description = "The webhook.", body = Webhook)),
    extensions(("x-error-codes" = json!([NoOrganization, Forbidden, WebhookNotFound]))),
)]
pub(crate) async fn webhook(
    services: Data<Services>,
    caller: MemberCaller,
    id: Path<String>,
) -> Result<Json<Webhook>, ApiError> {
    let webhook = webhooks::find(&services, &caller, webhook_id(&id)).await?;
    Ok(Json(webhook.into()))
}
