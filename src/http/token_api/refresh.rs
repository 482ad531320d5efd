//! `POST /api/auth/refresh`

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::renewed::renewed;
use super::signed_in::SignedIn;
use crate::domain::OrganizationId;
use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    Forbidden, OrganizationNotFound, ReauthenticationRequired, SessionTooOld,
};
use crate::http::settings::Settings;
use crate::service::{self, Caller, Services, SignIn};

body! {
    pub struct RefreshRequest {
        /// Switches to another of the caller's organizations.
        organization_id: Option<OrganizationId>,
    }
}

/// Refresh the token
///
/// Takes a valid token, reloads user, role and organization, and returns a new token. The old token stays valid until
/// it expires, so parallel tabs and retries are safe. A session cookie is renewed as well.
#[utoipa::path(
    post,
    path = "/api/auth/refresh",
    tag = "Signing in",
    security(("bearer" = [])),
    request_body = RefreshRequest,
    responses((status = 200, description = "Refreshed.", body = SignedIn, headers(("Set-Cookie" = String)))),
    extensions(("x-error-codes" = json!([Forbidden, OrganizationNotFound, ReauthenticationRequired, SessionTooOld]))),
)]
pub(crate) async fn refresh(
    services: Data<Services>,
    settings: Data<Settings>,
    request: HttpRequest,
    caller: Caller,
    Valid(body): Valid<RefreshRequest>,
) -> Result<HttpResponse, ApiError> {
    let signed_in = service::refresh(&services, &caller, body.organization_id).await?;
    let sign_in = SignIn::Complete(signed_in);
    Ok(renewed(sign_in, request.headers(), &settings))
}
