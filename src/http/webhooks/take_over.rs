//! `POST /api/webhooks/{id}/take-over`

use actix_web::web::{Data, Json, Path};

use super::webhook::Webhook;
use super::webhook_id;
use crate::domain::WebhookId;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    Forbidden, NoOrganization, ReauthenticationRequired, WebhookNotFound,
};
use crate::service::{MemberCaller, Services, webhooks};

/// Take a webhook over
///
/// For admins who have authenticated within the last fifteen minutes. From now on it ends with the caller's role, and no
/// longer with that of its owner before.
#[utoipa::path(
    post,
    path = "/api/webhooks/{id}/take-over",
    tag = "Webhooks",
    security(("bearer" = [])),
    params(("id" = WebhookId, Path, description = "The webhook's id.")),
    responses((status = 200, description = "The webhook, owned by the caller.", body = Webhook)),
    extensions(("x-error-codes" = json!([NoOrganization, Forbidden, ReauthenticationRequired, WebhookNotFound]))),
)]
pub(crate) async fn take_over_webhook(
    services: Data<Services>,
    caller: MemberCaller,
    id: Path<String>,
) -> Result<Json<Webhook>, ApiError> {
    let webhook = webhooks::take_over(&services, &caller, webhook_id(&id)).await?;
    Ok(Json(webhook.into()))
}
