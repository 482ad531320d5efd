//! `DELETE /api/organizations/{id}/invitations/{invitationId}`

use actix_web::web::{Data, Json, Path};

use super::organization_id;
use crate::domain::{InvitationId, OrganizationId};
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    Forbidden, InvitationNotFound, NoOrganization, OrganizationNotFound,
};
use crate::http::token_api::done::SuccessResponse;
use crate::service::invitations;
use crate::service::{MemberCaller, Services};

/// Revoke an invitation
///
/// For managers and admins, for invitations up to their own role. Its link stops working.
#[utoipa::path(
    delete,
    path = "/api/organizations/{id}/invitations/{invitationId}",
    tag = "Organizations",
    security(("bearer" = [])),
    params(
        ("id" = OrganizationId, Path, description = "The caller's organization."),
        ("invitationId" = InvitationId, Path, description = "The invitation's id."),
    ),
    responses((status = 200, description = "Revoked.", body = SuccessResponse)),
    extensions(("x-error-codes" = json!([NoOrganization, Forbidden, InvitationNotFound, OrganizationNotFound]))),
)]
pub(crate) async fn revoke_invitation(
    services: Data<Services>,
    caller: MemberCaller,
    path: Path<(String, String)>,
) -> Result<Json<SuccessResponse>, ApiError> {
    let (id, invitation_id) = path.into_inner();
    let id = organization_id(&id)?;
    // No invitation has the nil id, so permissions are checked before the id.
    let invitation_id = invitation_id.parse().unwrap_or(InvitationId::NIL);
    invitations::revoke(&services, &caller, id, invitation_id).await?;
    Ok(Json(SuccessResponse::YES))
}
