//! `DELETE /api/organizations/{id}/join-links/{linkId}`

use actix_web::web::{Data, Json, Path};

use super::organization_id;
use crate::domain::{JoinLinkId, OrganizationId};
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    Forbidden, JoinLinkNotFound, NoOrganization, OrganizationNotFound,
};
use crate::http::token_api::done::SuccessResponse;
use crate::service::join_links;
use crate::service::{MemberCaller, Services};

/// Revoke a join link
///
/// For admins. Nobody joins by it any more; who has joined stays.
#[utoipa::path(
    delete,
    path = "/api/organizations/{id}/join-links/{linkId}",
    tag = "Organizations",
    security(("bearer" = [])),
    params(
        ("id" = OrganizationId, Path, description = "The caller's organization."),
        ("linkId" = JoinLinkId, Path, description = "The link's id."),
    ),
    responses((status = 200, description = "Revoked.", body = SuccessResponse)),
    extensions(("x-error-codes" = json!([NoOrganization, Forbidden, JoinLinkNotFound, OrganizationNotFound]))),
)]
pub(crate) async fn revoke_join_link(
    services: Data<Services>,
    caller: MemberCaller,
    path: Path<(String, String)>,
) -> Result<Json<SuccessResponse>, ApiError> {
    let (id, link_id) = path.into_inner();
    let id = organization_id(&id)?;
    // No link has the nil id, so permissions are checked before the id.
    let link_id = link_id.parse().unwrap_or(JoinLinkId::NIL);
    join_links::revoke(&services, &caller, id, link_id).await?;
    Ok(Json(SuccessResponse::YES))
}
