//! `DELETE /api/organizations/{id}`

use actix_web::web::{Data, Json, Path};

use super::organization_id;
use crate::domain::{OrganizationId, OrganizationName};
use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    Forbidden, NoOrganization, OrganizationNotFound, ReauthenticationRequired,
};
use crate::http::token_api::done::SuccessResponse;
use crate::service::{self, MemberCaller, Services};

body! {
    pub struct DeleteOrganizationRequest {
        /// The name of the organization, as a confirmation.
        #[schema(value_type = String, min_length = 2, max_length = 255, example = "Analytical Engines")]
        name: OrganizationName,
    }
}

/// Delete the organization
///
/// At once and for good, with its invitations, join links and API tokens. Its members keep their accounts; their tokens
/// for it are revoked. Only admins, with a proof of identity within the last fifteen minutes.
#[utoipa::path(
    delete,
    path = "/api/organizations/{id}",
    tag = "Organizations",
    security(("bearer" = [])),
    params(("id" = OrganizationId, Path, description = "The caller's organization.")),
    request_body = DeleteOrganizationRequest,
    responses((status = 200, description = "Deleted.", body = SuccessResponse)),
    extensions(("x-error-codes" = json!([NoOrganization, Forbidden, ReauthenticationRequired, OrganizationNotFound]))),
)]
pub(crate) async fn delete_organization(
    services: Data<Services>,
    caller: MemberCaller,
    path: Path<String>,
    Valid(body): Valid<DeleteOrganizationRequest>,
) -> Result<Json<SuccessResponse>, ApiError> {
    let id = organization_id(&path)?;
    service::delete_organization(&services, &caller, id, body.name).await?;
    Ok(Json(SuccessResponse::YES))
}
