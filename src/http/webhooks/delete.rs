//! `DELETE /api/webhooks/{id}`

use actix_web::web::{Data, Json, Path};

use super::webhook_id;
use crate::domain::WebhookId;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{Forbidden, NoOrganization, WebhookNotFound};
use crate::http::token_api::done::SuccessResponse;
use crate::service::{MemberCaller, Services, webhooks};

/// Delete a webhook
///
/// For admins. What it was still to be told is not sent.
#[utoipa::path(
    delete,
    path = "/api/webhooks/{id}",
    tag = "Webhooks",
    security(("bearer" = [])),
    params(("id" = WebhookId, Path, description = "The webhook's id.")),
    responses((status = 200, description = "Deleted.", body = SuccessResponse)),
    extensions(("x-error-codes" = json!([NoOrganization, Forbidden, WebhookNotFound]))),
)]
pub(crate) async fn delete_webhook(
    services: Data<Services>,
    caller: MemberCaller,
    id: Path<String>,
) -> Result<Json<SuccessResponse>, ApiError> {
    webhooks::delete(&services, &caller, webhook_id(&id)).await?;
    Ok(Json(SuccessResponse::YES))
}
