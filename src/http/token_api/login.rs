//! `POST /api/auth/login`

use actix_web::web::{Data, Json};

use super::signed_in::SignIn;
use crate::domain::{Email, OrganizationId};
use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    CrossSiteRequest, EmailNotVerified, InvalidCredentials, OrganizationNotFound, TooManyAttempts,
};
use crate::http::field::Password;
use crate::http::request_origin::RejectCrossSite;
use crate::service::{self, RequestContext, Services};

body! {
    pub struct LoginRequest {
        #[schema(value_type = String, format = "email", max_length = 254, example = "ada@example.com")]
        email: Email,
        #[schema(value_type = String, format = "password", min_length = 1, max_length = 100,
            example = "correct horse battery staple")]
        password: Password,
        /// Which organization to speak for; the one joined first when absent.
        organization_id: Option<OrganizationId>,
    }
}

/// Sign in
///
/// E-mail and password in, token out. Unknown address, wrong password and disabled account give
/// one identical 401, and after too many of them one identical 429. Where `REQUIRE_VERIFIED_EMAIL` is on, the right
/// password of an unverified address is 403.
#[utoipa::path(
    post,
    path = "/api/auth/login",
    tag = "Signing in",
    request_body = LoginRequest,
    responses((status = 200, description = "Signed in, or asked for the second factor.", body = SignIn)),
    extensions(("x-error-codes" = json!([InvalidCredentials, EmailNotVerified, OrganizationNotFound, TooManyAttempts, CrossSiteRequest]))),
)]
pub async fn login(
    services: Data<Services>,
    context: RequestContext,
    _: RejectCrossSite,
    Valid(body): Valid<LoginRequest>,
) -> Result<Json<SignIn>, ApiError> {
    let login = service::Login {
        email: body.email,
        password: body.password.expose(),
        organization_id: body.organization_id,
    };
    let sign_in = service::login(&services, &context, login).await?;
    Ok(Json(sign_in.into()))
}
