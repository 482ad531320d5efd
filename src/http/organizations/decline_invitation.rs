//! `POST /api/invitations/{id}/decline`

use actix_web::web::{Data, Json, Path};

use crate::domain::InvitationId;
use crate::http::body::Valid;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{EmailNotVerified, Forbidden, InvitationNotFound};
use crate::http::token_api::done::SuccessResponse;
use crate::http::token_api::no_fields::NoFields;
use crate::service::{Caller, Services, invitations};

/// Decline one of one's invitations
///
/// Of the caller's verified address. Its link stops working, and those who invited no longer see it.
#[utoipa::path(
    post,
    path = "/api/invitations/{id}/decline",
    tag = "Organizations",
    security(("bearer" = [])),
    params(("id" = InvitationId, Path, description = "The invitation's id.")),
    request_body = NoFields,
    responses((status = 200, description = "Declined.", body = SuccessResponse)),
    extensions(("x-error-codes" = json!([EmailNotVerified, Forbidden, InvitationNotFound]))),
)]
pub(crate) async fn decline_invitation(
    services: Data<Services>,
    caller: Caller,
    id: Path<String>,
    _: Valid<NoFields>,
) -> Result<Json<SuccessResponse>, ApiError> {
    // No invitation has the nil id, so the caller is checked before the id.
    let id = id.parse().unwrap_or(InvitationId::NIL);
    invitations::decline(&services, &caller, id).await?;
    Ok(Json(SuccessResponse::YES))
}
