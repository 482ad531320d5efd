//! `POST /api/auth/login`

use actix_web::web::{Data, Json};

use super::signed_in::SignIn;
use crate::domain::{Email, OrganizationId};
use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    CrossSiteRequest, EmailNotVerified, Forbidden, InvalidCredentials, OrganizationNotFound,
    TooManyAttempts,
};
use crate::http::field::TypedPassword;
use crate::http::request_origin::RejectCrossSite;
use crate::http::tenant_host::TenantHost;
use crate::service::{self, RequestContext, Services, Wanted};

body! {
    pub struct LoginRequest {
        #[schema(value_type = String, format = "email", max_length = 254, example = "ada@example.com")]
        email: Email,
        #[schema(value_type = String, format = "password", min_length = 1, max_length = 1024,
            example = "correct horse battery staple")]
        password: TypedPassword,
        /// The organization to sign in to. By default the one that the host names below `TENANT_DOMAIN`, otherwise the
        /// one used last, or joined first.
        organization_id: Option<OrganizationId>,
    }
}

/// Sign in
///
/// Exchanges e-mail and password for an access token. An unknown address, a wrong password and a disabled account
/// give the same 401, and after too many attempts the same 429. With `REQUIRE_VERIFIED_EMAIL`, the right password for
/// an unverified address gives 403. Browsers get a cookie by which a later lock of the account spares them.
#[utoipa::path(
    post,
    path = "/api/auth/login",
    tag = "Signing in",
    request_body = LoginRequest,
    responses((status = 200, description = "Signed in, or the second factor is required.", body = SignIn)),
    extensions(("x-error-codes" = json!([InvalidCredentials, EmailNotVerified, Forbidden, OrganizationNotFound,
        TooManyAttempts, CrossSiteRequest]))),
)]
pub(crate) async fn login(
    services: Data<Services>,
    context: RequestContext,
    tenant: TenantHost,
    _: RejectCrossSite,
    Valid(body): Valid<LoginRequest>,
) -> Result<Json<SignIn>, ApiError> {
    let login = service::Login {
        email: body.email,
        password: body.password.expose(),
        wanted: tenant.unless(body.organization_id.map(Wanted::Id)),
    };
    let sign_in = service::login(&services, &context, login).await?;
    Ok(Json(sign_in.into()))
}
