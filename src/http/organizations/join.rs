//! `POST /api/organizations/{id}/join`

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};

use super::organization_id;
use crate::domain::OrganizationId;
use crate::http::body::Valid;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    AlreadyMember, Forbidden, InvitationRequired, OrganizationNotFound, ReauthenticationRequired,
    SessionTooOld, TooManyOrganizations,
};
use crate::http::settings::Settings;
use crate::http::token_api::no_fields::NoFields;
use crate::http::token_api::renewed::renewed;
use crate::http::token_api::signed_in::SignIn;
use crate::service::{self, Caller, Services};

/// Join an organization
///
/// As an employee, if its join policy is `open`, or if it is `domain` and the caller's verified address is in one of
/// its domains. The new token is for that organization.
#[utoipa::path(
    post,
    path = "/api/organizations/{id}/join",
    tag = "Organizations",
    security(("bearer" = [])),
    params(("id" = OrganizationId, Path, description = "The organization to join.")),
    request_body = NoFields,
    responses((status = 200, description = "Joined.", body = SignIn, headers(("Set-Cookie" = String)))),
    extensions(("x-error-codes" = json!([Forbidden, InvitationRequired, OrganizationNotFound, AlreadyMember,
        ReauthenticationRequired, SessionTooOld, TooManyOrganizations]))),
)]
pub(crate) async fn join(
    services: Data<Services>,
    settings: Data<Settings>,
    request: HttpRequest,
    caller: Caller,
    id: Path<String>,
    _: Valid<NoFields>,
) -> Result<HttpResponse, ApiError> {
    let id = organization_id(&id)?;
    let sign_in = service::join_organization(&services, &caller, id).await?;
    Ok(renewed(sign_in, request.headers(), &settings))
}
