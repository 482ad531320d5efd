//! `POST /api/invitations/{id}/accept`

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};

use crate::domain::InvitationId;
use crate::http::body::Valid;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    AlreadyMember, EmailNotVerified, Forbidden, InvitationNotFound, OrganizationClosed,
    ReauthenticationRequired, SessionTooOld, TooManyOrganizations,
};
use crate::http::settings::Settings;
use crate::http::token_api::no_fields::NoFields;
use crate::http::token_api::renewed::renewed;
use crate::http::token_api::signed_in::SignIn;
use crate::service::{Caller, Services, invitations};

/// Accept one of one's invitations
///
/// Of the caller's verified address. The new token is for the organization.
#[utoipa::path(
    post,
    path = "/api/invitations/{id}/accept",
    tag = "Organizations",
    security(("bearer" = [])),
    params(("id" = InvitationId, Path, description = "The invitation's id.")),
    request_body = NoFields,
    responses((status = 200, description = "Accepted.", body = SignIn, headers(("Set-Cookie" = String)))),
    extensions(("x-error-codes" = json!([EmailNotVerified, Forbidden, InvitationNotFound, AlreadyMember,
        OrganizationClosed, ReauthenticationRequired, SessionTooOld, TooManyOrganizations]))),
)]
pub(crate) async fn accept_own_invitation(
    services: Data<Services>,
    settings: Data<Settings>,
    request: HttpRequest,
    caller: Caller,
    id: Path<String>,
    _: Valid<NoFields>,
) -> Result<HttpResponse, ApiError> {
    // No invitation has the nil id, so the caller is checked before the id.
    let id = id.parse().unwrap_or(InvitationId::NIL);
    let sign_in = invitations::accept_own(&services, &caller, id).await?;
    Ok(renewed(sign_in, request.headers(), &settings))
}
