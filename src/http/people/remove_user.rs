//! `DELETE /api/users/{id}`

use actix_web::web::{Data, Json, Path};

use crate::domain::UserId;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{Forbidden, LastAdmin, UserNotFound};
use crate::http::token_api::done::SuccessResponse;
use crate::service::{self, Caller, Services};

/// Remove a person
///
/// They leave the organization, and those who reported to them report to nobody. The account goes too when it belongs
/// to no other organization, unless it can be reached through Slack. For admins; the last admin stays.
#[utoipa::path(
    delete,
    path = "/api/users/{id}",
    tag = "People",
    security(("bearer" = [])),
    params(("id" = UserId, Path, description = "A person's id.")),
    responses((status = 200, description = "Removed.", body = SuccessResponse)),
    extensions(("x-error-codes" = json!([Forbidden, LastAdmin, UserNotFound]))),
)]
pub async fn remove_user(
    services: Data<Services>,
    caller: Caller,
    id: Path<String>,
) -> Result<Json<SuccessResponse>, ApiError> {
    let id = id.parse().map_err(|_| UserNotFound)?;
    service::remove_person(&services, &caller, id).await?;
    Ok(Json(SuccessResponse::YES))
}
