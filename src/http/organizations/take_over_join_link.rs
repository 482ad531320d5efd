//! `POST /api/organizations/{id}/join-links/{linkId}/take-over`

use actix_web::web::{Data, Json, Path};

use super::join_links::JoinLink;
use super::organization_id;
use crate::domain::{JoinLinkId, OrganizationId};
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    Forbidden, JoinLinkNotFound, NoOrganization, OrganizationNotFound, ReauthenticationRequired,
};
use crate::service::join_links;
use crate::service::{MemberCaller, Services};

/// Take a join link over
///
/// For admins who have authenticated within the last fifteen minutes. From now on it ends with the caller's role, and no
/// longer with that of its maker before.
#[utoipa::path(
    post,
    path = "/api/organizations/{id}/join-links/{linkId}/take-over",
    tag = "Organizations",
    security(("bearer" = [])),
    params(
        ("id" = OrganizationId, Path, description = "The caller's organization."),
        ("linkId" = JoinLinkId, Path, description = "The link's id."),
    ),
    responses((status = 200, description = "The link, made by the caller.", body = JoinLink)),
    extensions(("x-error-codes" = json!([NoOrganization, Forbidden, JoinLinkNotFound, OrganizationNotFound,
        ReauthenticationRequired]))),
)]
pub(crate) async fn take_over_join_link(
    services: Data<Services>,
    caller: MemberCaller,
    path: Path<(String, String)>,
) -> Result<Json<JoinLink>, ApiError> {
    let (id, link_id) = path.into_inner();
    let id = organization_id(&id)?;
    // No link has the nil id, so permissions are checked before the id.
    let link_id = link_id.parse().unwrap_or(JoinLinkId::NIL);
    let link = join_links::take_over(&services, &caller, id, link_id).await?;
    Ok(Json(link.into()))
}
