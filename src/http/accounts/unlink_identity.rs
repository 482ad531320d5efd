//! `DELETE /api/auth/identities/{id}`

use actix_web::web::{Data, Json, Path};

use crate::domain::IdentityId;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    Forbidden, IdentityNotFound, LastWayIn, ReauthenticationRequired,
};
use crate::http::token_api::done::SuccessResponse;
use crate::service::slack;
use crate::service::{Caller, Services};

/// Unlink an identity
///
/// The caller no longer signs in with it. Another way in must remain: a password with an address, or another identity.
/// The caller must have authenticated within the last fifteen minutes. All other sessions of the caller end.
#[utoipa::path(
    delete,
    path = "/api/auth/identities/{id}",
    tag = "Current user",
    security(("bearer" = [])),
    params(("id" = IdentityId, Path, description = "The identity's id, from `/api/auth/account`.")),
    responses((status = 200, description = "Unlinked.", body = SuccessResponse)),
    extensions(("x-error-codes" = json!([Forbidden, IdentityNotFound, LastWayIn, ReauthenticationRequired]))),
)]
pub(crate) async fn unlink_identity(
    services: Data<Services>,
    caller: Caller,
    id: Path<String>,
) -> Result<Json<SuccessResponse>, ApiError> {
    let id = id.parse().map_err(|_| IdentityNotFound)?;
    slack::unlink_identity(&services, &caller, id).await?;
    Ok(Json(SuccessResponse::YES))
}
