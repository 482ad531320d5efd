//! `POST /api/users/{id}/unlock`

use actix_web::web::{Data, Json, Path};

use crate::domain::UserId;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    Forbidden, MemberElsewhere, NoOrganization, ReauthenticationRequired, UserNotFound,
};
use crate::http::token_api::done::SuccessResponse;
use crate::service::{self, MemberCaller, Services};

/// Unlock a user
///
/// Ends the lock that wrong passwords have caused. For admins, and not for themselves.
#[utoipa::path(
    post,
    path = "/api/users/{id}/unlock",
    tag = "Users",
    security(("bearer" = [])),
    params(("id" = UserId, Path, description = "The user's id.")),
    responses((status = 200, description = "Unlocked.", body = SuccessResponse)),
    extensions(("x-error-codes" = json!([NoOrganization, Forbidden, MemberElsewhere, ReauthenticationRequired, UserNotFound]))),
)]
pub(crate) async fn unlock_user(
    services: Data<Services>,
    caller: MemberCaller,
    id: Path<String>,
) -> Result<Json<SuccessResponse>, ApiError> {
    let id = id.parse().map_err(|_| UserNotFound)?;
    service::unlock_person(&services, &caller, id).await?;
    Ok(Json(SuccessResponse::YES))
}
