//! `GET /api/organizations/{id}`

use actix_web::web::{Data, Json, Path};

use super::organization::Organization;
use super::organization_id;
use crate::domain::OrganizationId;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{NoOrganization, OrganizationNotFound};
use crate::service::{self, MemberCaller, Services};

/// Read the organization
///
/// For every member. Only the organization of the token is found; to read another, refresh with its `organizationId`
/// first.
#[utoipa::path(
    get,
    path = "/api/organizations/{id}",
    tag = "Organizations",
    security(("bearer" = [])),
    params(("id" = OrganizationId, Path, description = "The caller's organization.")),
    responses((status = 200, description = "The organization.", body = Organization)),
    extensions(("x-error-codes" = json!([NoOrganization, OrganizationNotFound]))),
)]
pub(crate) async fn organization(
    services: Data<Services>,
    caller: MemberCaller,
    id: Path<String>,
) -> Result<Json<Organization>, ApiError> {
    let id = organization_id(&id)?;
    let organization = service::read_organization(&services, &caller, id).await?;
    Ok(Json(organization.into()))
}
