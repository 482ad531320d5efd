//! `POST /api/auth/callback/credentials` and its alias `POST /api/auth/signin/credentials`

use actix_web::http::header::SET_COOKIE;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{self, Next};
use super::redirect_target;
use super::sent::{Sent, wants_url};
use super::typed_email;
use crate::domain::{Email, Violation};
use crate::http::cookies::Cookie;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    AuthenticatorUnusable, CrossSiteRequest, EmailNotVerified, Forbidden, InvalidCode,
    InvalidCredentials, MfaEnrolmentRequired, OrganizationNotFound, SecondFactorRequired,
    TooManyAttempts,
};
use crate::http::field::{FromText, TypedPassword};
use crate::http::request_origin::{Csrf, RequestOrigin, admit_sign_in};
use crate::http::settings::Settings;
use crate::http::tenant_host::TenantHost;
use crate::service::mfa::{self, MfaChallenge};
use crate::service::{self, RequestContext, Services, SignIn, SignedIn, Wanted};

/// What the NextAuth client posts. Other fields are ignored.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Credentials {
    #[schema(value_type = String, format = "email", max_length = 254, example = "ada@example.com")]
    email: Option<String>,
    #[schema(value_type = String, format = "password", max_length = 1024, example = "correct horse battery staple")]
    password: Option<String>,
    /// The code of the second factor, if the account has one.
    #[schema(example = "123456")]
    code: Option<String>,
    /// The slug of the organization to sign in to. By default the one that the host names below `TENANT_DOMAIN`,
    /// otherwise the one used last, or joined first.
    #[schema(example = "analytical-engines")]
    tenant: Option<String>,
    /// From `/api/auth/csrf`. Required if neither `Origin` nor `Sec-Fetch-Site` identifies the sending page.
    csrf_token: Option<String>,
    /// The URL to go to next: on this service, on an origin of `CORS_ALLOWED_ORIGINS`, or one of
    /// `ALLOWED_RETURN_URLS`. Anything else leads to the front page.
    #[schema(example = "https://app.example.com/dashboard")]
    callback_url: Option<String>,
    /// Answer with the URL instead of a redirect.
    #[schema(value_type = Option<bool>, example = true)]
    json: Option<String>,
}

/// Sign in with a session cookie
///
/// Every sign-in sets the cookie of a new session. With `json: true` the answer contains the URL to go to next, with
/// `error` in it after a failure (401 for wrong credentials, `CredentialsSignin`; 401 for a missing second factor,
/// `MfaRequired`: sign in again with `code`). Without it, a form is redirected, after a failure to the page it came
/// from; JSON gets the errors below.
#[utoipa::path(
    post,
    path = "/api/auth/callback/credentials",
    tag = "NextAuth",
    request_body(content((Credentials = "application/json"), (Credentials = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "Signed in, with `json: true`.", body = Next, headers(("Set-Cookie" = String))),
        (status = 302, description = "Signed in.", headers(("Location" = String), ("Set-Cookie" = String))),
    ),
    extensions(("x-error-codes" = json!([InvalidCredentials, EmailNotVerified, SecondFactorRequired, InvalidCode,
        AuthenticatorUnusable, TooManyAttempts, MfaEnrolmentRequired, Forbidden, OrganizationNotFound,
        CrossSiteRequest])), ("x-error-urls" = json!(true))),
)]
pub(crate) async fn callback(
    services: Data<Services>,
    settings: Data<Settings>,
    context: RequestContext,
    request: HttpRequest,
    tenant: TenantHost,
    sent: Sent<Credentials>,
) -> Result<HttpResponse, ApiError> {
    let headers = request.headers();
    let Sent {
        is_json,
        mut fields,
    } = sent;
    fields.tenant = fields.tenant.or(tenant.0);
    let csrf = Csrf::of(headers, fields.csrf_token.as_deref(), &services, &settings);
    admit_sign_in(RequestOrigin::of(headers, &settings), csrf, is_json)?;
    let onward =
        redirect_target::callback_url(fields.callback_url.as_deref(), &services, &settings);
    let wants_url = wants_url(fields.json.as_deref());
    match sign_in(&services, &context, &fields).await {
        Ok(signed_in) => {
            let (token, seconds) = (&signed_in.access_token, signed_in.expires_in);
            let cookie = Cookie::Session.set(token, seconds, &settings);
            Ok(answer::lead_to(&onward, wants_url, &[cookie]))
        }
        Err(error) => {
            let page = (&onward, fields.tenant.as_deref());
            let mut refusal = answer::refuse_sign_in(error, wants_url, is_json, page, &settings)?;
            if !is_json
                && !wants_url
                && let Some(cookie) = fields
                    .email
                    .as_deref()
                    .and_then(|typed| typed_email::keep(typed, &settings))
            {
                refusal.headers_mut().append(SET_COOKIE, cookie);
            }
            Ok(refusal)
        }
    }
}

/// Sign in with a session cookie (alias)
///
/// The same as `/api/auth/callback/credentials`.
#[utoipa::path(
    post,
    path = "/api/auth/signin/credentials",
    tag = "NextAuth",
    request_body(content((Credentials = "application/json"), (Credentials = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "Signed in, with `json: true`.", body = Next, headers(("Set-Cookie" = String))),
        (status = 302, description = "Signed in.", headers(("Location" = String), ("Set-Cookie" = String))),
    ),
    extensions(("x-error-codes" = json!([InvalidCredentials, EmailNotVerified, SecondFactorRequired, InvalidCode,
        AuthenticatorUnusable, TooManyAttempts, MfaEnrolmentRequired, Forbidden, OrganizationNotFound,
        CrossSiteRequest])), ("x-error-urls" = json!(true))),
)]
pub(crate) async fn signin(
    services: Data<Services>,
    settings: Data<Settings>,
    context: RequestContext,
    request: HttpRequest,
    tenant: TenantHost,
    sent: Sent<Credentials>,
) -> Result<HttpResponse, ApiError> {
    callback(services, settings, context, request, tenant, sent).await
}

async fn sign_in(
    services: &Services,
    context: &RequestContext,
    fields: &Credentials,
) -> Result<SignedIn, ApiError> {
    let mut faults: Vec<Violation> = Vec::new();
    let email = read::<Email>(&fields.email, "email", &mut faults);
    let password = read::<TypedPassword>(&fields.password, "password", &mut faults);
    let (Some(email), Some(password)) = (email, password) else {
        return Err(faults.into());
    };
    let login = service::Login {
        email,
        password: password.expose(),
        wanted: fields.tenant.clone().map_or(Wanted::Usual, Wanted::Slug),
    };
    match service::login(services, context, login).await? {
        SignIn::Complete(signed_in) => Ok(signed_in),
        SignIn::Challenge(wanted) => second_step(services, context, &wanted, fields).await,
    }
}

/// The NextAuth client knows only one step, so the code comes with e-mail and password.
async fn second_step(
    services: &Services,
    context: &RequestContext,
    wanted: &MfaChallenge,
    fields: &Credentials,
) -> Result<SignedIn, ApiError> {
    if wanted.enrolment_required {
        return Err(MfaEnrolmentRequired.into());
    }
    let code = fields.code.as_deref().ok_or(SecondFactorRequired)?;
    Ok(mfa::verify(services, context, wanted.token.expose(), code).await?)
}

fn read<T: FromText>(
    text: &Option<String>,
    field: &'static str,
    faults: &mut Vec<Violation>,
) -> Option<T> {
    T::from_text(text.clone().unwrap_or_default())
        .map_err(|refusal| faults.push(refusal.of(field)))
        .ok()
}
