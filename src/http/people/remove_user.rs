//! `DELETE /api/users/{id}`

use actix_web::web::{Data, Json, Path};

use crate::domain::UserId;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{Forbidden, LastAdmin, NoOrganization, UserNotFound};
use crate::http::token_api::done::SuccessResponse;
use crate::service::{self, MemberCaller, Services};

/// Remove a user
///
/// Removes the user from the organization; their reports have no manager then. The account is deleted if this was its
/// last organization. A removed user does not come back through the organization's Slack workspace; this also holds for
/// a former member. For admins; the last admin must stay.
#[utoipa::path(
    delete,
    path = "/api/users/{id}",
    tag = "Users",
    security(("bearer" = [])),
    params(("id" = UserId, Path, description = "The user's id.")),
    responses((status = 200, description = "Removed.", body = SuccessResponse)),
    extensions(("x-error-codes" = json!([NoOrganization, Forbidden, LastAdmin, UserNotFound]))),
)]
pub(crate) async fn remove_user(
    services: Data<Services>,
    caller: MemberCaller,
    id: Path<String>,
) -> Result<Json<SuccessResponse>, ApiError> {
    let id = id.parse().map_err(|_| UserNotFound)?;
    service::remove_person(&services, &caller, id).await?;
    Ok(Json(SuccessResponse::YES))
}
