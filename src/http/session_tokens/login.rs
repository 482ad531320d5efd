//! `POST /api/v1/login`

use actix_web::HttpResponse;
use actix_web::http::header::SET_COOKIE;
use actix_web::web::Data;

use super::session::SessionOfToken;
use crate::domain::Email;
use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::cookies::Cookie;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    CrossSiteRequest, EmailNotVerified, Forbidden, InvalidCredentials, OrganizationNotFound,
    TooManyAttempts,
};
use crate::http::field::TypedPassword;
use crate::http::request_origin::RejectCrossSite;
use crate::http::settings::Settings;
use crate::http::tenant_host::TenantHost;
use crate::service::session_tokens::{self, Login};
use crate::service::{RequestContext, Services, Wanted};

body! {
    pub struct SessionLoginRequest {
        /// The e-mail address.
        #[schema(value_type = String, format = "email", max_length = 254, example = "ada@example.com")]
        name: Email,
        #[schema(value_type = String, format = "password", min_length = 1, max_length = 1024,
            example = "correct horse battery staple")]
        password: TypedPassword,
        /// True returns the token in the body; otherwise it is set as a cookie.
        #[schema(example = true)]
        return_token: Option<bool>,
        /// The slug of the organization to sign in to. By default the one that the host names below `TENANT_DOMAIN`,
        /// otherwise the one used last, or joined first.
        #[schema(example = "analytical-engines")]
        tenant: Option<String>,
    }
}

/// Sign in with a session token
///
/// The token is valid for 30 days, or less if the instance or the organization ends sessions sooner, and for `/api/v1`
/// only. For accounts with a second factor it is locked until the code
/// is sent to `/api/v1/unlock`.
#[utoipa::path(
    post,
    path = "/api/v1/login",
    tag = "Session tokens",
    request_body = SessionLoginRequest,
    responses((status = 200, description = "Signed in.", body = SessionOfToken, headers(("Set-Cookie" = String)))),
    extensions(("x-error-codes" = json!([InvalidCredentials, EmailNotVerified, Forbidden, OrganizationNotFound,
        TooManyAttempts, CrossSiteRequest]))),
)]
pub(crate) async fn login(
    services: Data<Services>,
    settings: Data<Settings>,
    context: RequestContext,
    tenant: TenantHost,
    _: RejectCrossSite,
    Valid(body): Valid<SessionLoginRequest>,
) -> Result<HttpResponse, ApiError> {
    let login = Login {
        email: body.name,
        password: body.password.expose(),
        wanted: tenant.unless(body.tenant.map(Wanted::Slug)),
    };
    let begun = session_tokens::login(&services, &context, login).await?;
    let token = begun.expose_token();
    let mut response = HttpResponse::Ok();
    let answered = if body.return_token == Some(true) {
        Some(token.to_owned())
    } else {
        let seconds = begun.max_age.num_seconds();
        let cookie = Cookie::SessionToken.set(token, seconds, &settings);
        response.insert_header((SET_COOKIE, cookie));
        None
    };
    Ok(response.json(SessionOfToken::new(begun.view, !begun.is_locked, answered)))
}
