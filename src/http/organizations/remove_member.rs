//! `DELETE /api/organizations/{id}/members/{userId}`

use actix_web::web::{Data, Json, Path};

use super::organization_id;
use crate::domain::{OrganizationId, UserId};
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    Forbidden, LastAdmin, NoOrganization, OrganizationNotFound, UserNotFound,
};
use crate::http::token_api::done::SuccessResponse;
use crate::service::{self, MemberCaller, Services};

/// Remove a member, or leave
///
/// Every member may leave (`me`); admins may remove others. The account and its other memberships stay; its sessions
/// in this organization end. The last admin must stay.
#[utoipa::path(
    delete,
    path = "/api/organizations/{id}/members/{userId}",
    tag = "Organizations",
    security(("bearer" = [])),
    params(
        ("id" = OrganizationId, Path, description = "The caller's organization."),
        ("userId" = UserId, Path, description = "The member, or `me`."),
    ),
    responses((status = 200, description = "Removed.", body = SuccessResponse)),
    extensions(("x-error-codes" = json!([NoOrganization, Forbidden, LastAdmin, OrganizationNotFound, UserNotFound]))),
)]
pub(crate) async fn remove_member(
    services: Data<Services>,
    caller: MemberCaller,
    path: Path<(String, String)>,
) -> Result<Json<SuccessResponse>, ApiError> {
    let (id, user_id) = path.into_inner();
    let id = organization_id(&id)?;
    let user_id = match user_id.as_str() {
        "me" => caller.profile.id,
        // No user has the nil id, so permissions are checked before the id.
        other => other.parse().unwrap_or(UserId::NIL),
    };
    service::remove_member(&services, &caller, id, user_id).await?;
    Ok(Json(SuccessResponse::YES))
}
