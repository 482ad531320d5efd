//! `DELETE /api/organizations/{id}/members/{userId}`

use actix_web::web::{Data, Json, Path};

use super::organization_id;
use crate::domain::{OrganizationId, UserId};
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    Forbidden, LastAdmin, OrganizationNotFound, UserNotFound,
};
use crate::http::token_api::done::SuccessResponse;
use crate::service::{self, Caller, Services};

/// Remove a member, or leave
///
/// Everybody may leave (`me`); admins may remove others. The account stays, and so do its places in other
/// organizations; its sessions that speak for this one end. The last admin must stay.
#[utoipa::path(
    delete,
    path = "/api/organizations/{id}/members/{userId}",
    tag = "Organizations",
    security(("bearer" = [])),
    params(
        ("id" = OrganizationId, Path, description = "The caller's organization."),
        ("userId" = UserId, Path, description = "The member, or `me`."),
    ),
    responses((status = 200, description = "No member any more.", body = SuccessResponse)),
    extensions(("x-error-codes" = json!([Forbidden, LastAdmin, OrganizationNotFound, UserNotFound]))),
)]
pub async fn remove_member(
    services: Data<Services>,
    caller: Caller,
    path: Path<(String, String)>,
) -> Result<Json<SuccessResponse>, ApiError> {
    let (id, user_id) = path.into_inner();
    let id = organization_id(&id)?;
    let user_id = match user_id.as_str() {
        "me" => caller.profile.id,
        // Nobody has the nil id, so rights are looked at before nonsense is.
        other => other.parse().unwrap_or(UserId::NIL),
    };
    service::remove_member(&services, &caller, id, user_id).await?;
    Ok(Json(SuccessResponse::YES))
}
