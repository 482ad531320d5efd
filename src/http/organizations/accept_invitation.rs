//! `POST /api/invitations/accept`

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    AlreadyMember, Forbidden, InvalidOrExpiredToken, InvitationNotYours, OrganizationClosed,
    ReauthenticationRequired, SessionTooOld, TooManyOrganizations,
};
use crate::http::settings::Settings;
use crate::http::token_api::renewed::renewed;
use crate::http::token_api::signed_in::SignIn;
use crate::service::invitations;
use crate::service::{Caller, Services};

body! {
    pub struct AcceptInvitationRequest {
        /// The token of the e-mail link.
        #[schema(example = "u8H1VYkQ3mLw9TtR5nYc1JhF8bGd2SaEk7Qv0ZpX3mA")]
        token: String,
    }
}

/// Accept an invitation
///
/// With the account of the invited address, or with an account without an address, which then gets this one. The new
/// token is for the organization. Users without an account register with `invitationToken`. To accept again is success.
#[utoipa::path(
    post,
    path = "/api/invitations/accept",
    tag = "Organizations",
    security(("bearer" = [])),
    request_body = AcceptInvitationRequest,
    responses((status = 200, description = "Accepted.", body = SignIn, headers(("Set-Cookie" = String)))),
    extensions(("x-error-codes" = json!([InvalidOrExpiredToken, Forbidden, InvitationNotYours, AlreadyMember,
        OrganizationClosed, ReauthenticationRequired, SessionTooOld, TooManyOrganizations]))),
)]
pub(crate) async fn accept_invitation(
    services: Data<Services>,
    settings: Data<Settings>,
    request: HttpRequest,
    caller: Caller,
    Valid(body): Valid<AcceptInvitationRequest>,
) -> Result<HttpResponse, ApiError> {
    let sign_in = invitations::accept(&services, &caller, &body.token).await?;
    Ok(renewed(sign_in, request.headers(), &settings))
}
