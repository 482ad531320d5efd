//! `POST /api/auth/refresh`

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::renewed::renewed;
use super::signed_in::SignedIn;
use crate::domain::OrganizationId;
use crate::http::body::Valid;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::OrganizationNotFound;
use crate::http::field::{Parsed, acceptable};
use crate::http::settings::Settings;
use crate::service::{self, Caller, Services, SignIn};

#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RefreshRequest {
    /// Switches to another of the caller's organizations.
    #[validate(custom(function = "acceptable"))]
    #[schema(value_type = Option<OrganizationId>)]
    organization_id: Option<Parsed<OrganizationId>>,
}

/// Refresh the token
///
/// Takes any still-valid token, reads user, role and organization anew, and answers a fresh one.
/// The old token stays good until its own end, so parallel tabs and retries do no harm. Whoever came with the session cookie
/// gets it renewed.
#[utoipa::path(
    post,
    path = "/api/auth/refresh",
    tag = "Signing in",
    security(("bearer" = [])),
    request_body = RefreshRequest,
    responses((status = 200, description = "Refreshed.", body = SignedIn, headers(("Set-Cookie" = String)))),
    extensions(("x-error-codes" = json!([OrganizationNotFound]))),
)]
pub async fn refresh(
    services: Data<Services>,
    settings: Data<Settings>,
    request: HttpRequest,
    caller: Caller,
    Valid(body): Valid<RefreshRequest>,
) -> Result<HttpResponse, ApiError> {
    let switch_to = body.organization_id.map(Parsed::into_value).transpose()?;
    let signed_in = service::refresh(&services, &caller, switch_to).await?;
    let sign_in = SignIn::Complete(signed_in);
    Ok(renewed(sign_in, request.headers(), &settings))
}
