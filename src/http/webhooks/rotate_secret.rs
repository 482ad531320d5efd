//! `POST /api/webhooks/{id}/rotate-secret`

use actix_web::web::{Data, Json, Path};
use serde::Serialize;
use utoipa::ToSchema;

use super::webhook_id;
use crate::domain::WebhookId;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    Forbidden, NoOrganization, ReauthenticationRequired, WebhookNotFound,
};
use crate::service::{MemberCaller, Services, webhooks};

#[derive(Serialize, ToSchema)]
pub(crate) struct RotatedSecret {
    /// It cannot be shown again.
    #[schema(example = "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=")]
    secret: String,
}

/// Rotate a webhook's secret
///
/// For admins who have authenticated within the last fifteen minutes. For 24 hours every request has two signatures, one
/// by each secret. The secret before the one that is replaced signs nothing any more.
#[utoipa::path(
    post,
    path = "/api/webhooks/{id}/rotate-secret",
    tag = "Webhooks",
    security(("bearer" = [])),
    params(("id" = WebhookId, Path, description = "The webhook's id.")),
    responses((status = 200, description = "The new secret.", body = RotatedSecret)),
    extensions(("x-error-codes" = json!([NoOrganization, Forbidden, ReauthenticationRequired, WebhookNotFound]))),
)]
pub(crate) async fn rotate_webhook_secret(
    services: Data<Services>,
    caller: MemberCaller,
    id: Path<String>,
) -> Result<Json<RotatedSecret>, ApiError> {
    let secret = webhooks::rotate_secret(&services, &caller, webhook_id(&id)).await?;
    Ok(Json(RotatedSecret {
        secret: secret.expose(),
    }))
}
