//! `DELETE /api/tokens/{id}`

use actix_web::web::{Data, Json, Path};

use crate::domain::ApiTokenId;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{ApiTokenNotFound, Forbidden, NoOrganization};
use crate::http::token_api::done::SuccessResponse;
use crate::service::{self, MemberCaller, Services};

/// Revoke an API token
///
/// One of the caller's own; for admins, any token of the organization. This instance rejects it at once, every other
/// instance within a second.
#[utoipa::path(
    delete,
    path = "/api/tokens/{id}",
    tag = "API tokens",
    security(("bearer" = [])),
    params(("id" = ApiTokenId, Path, description = "The token's id.")),
    responses((status = 200, description = "Revoked.", body = SuccessResponse)),
    extensions(("x-error-codes" = json!([NoOrganization, ApiTokenNotFound, Forbidden]))),
)]
pub(crate) async fn revoke_api_token(
    services: Data<Services>,
    caller: MemberCaller,
    id: Path<String>,
) -> Result<Json<SuccessResponse>, ApiError> {
    let id = id.parse().map_err(|_| ApiTokenNotFound)?;
    service::revoke_api_token(&services, &caller, id).await?;
    Ok(Json(SuccessResponse::YES))
}
