//! `DELETE /api/auth/account`

use actix_web::web::{Data, Json};

use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{Forbidden, LastAdmin, ReauthenticationRequired};
use crate::http::token_api::done::SuccessResponse;
use crate::service::{self, Caller, Services};

/// Delete the account
///
/// At once and for good, with the organizations that have no other member. Where others would be left without an admin,
/// nothing is deleted: `last_admin` lists these `organizations`, which need another admin first. Requires a proof of
/// identity within the last fifteen minutes.
#[utoipa::path(
    delete,
    path = "/api/auth/account",
    tag = "Current user",
    security(("bearer" = [])),
    responses((status = 200, description = "Deleted.", body = SuccessResponse)),
    extensions(("x-error-codes" = json!([Forbidden, ReauthenticationRequired, LastAdmin]))),
)]
pub(crate) async fn delete_account(
    services: Data<Services>,
    caller: Caller,
) -> Result<Json<SuccessResponse>, ApiError> {
    service::delete_account(&services, &caller).await?;
    Ok(Json(SuccessResponse::YES))
}
