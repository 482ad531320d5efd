//! `GET /api/auth/signin`

use actix_web::http::header::{HeaderValue, SET_COOKIE};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use minijinja::context;

use super::providers::leads_through_slack;
use super::{answer, page, redirect_target, slack, typed_email};
use crate::domain::Email;
use crate::http::cookies::Cookie;
use crate::http::error::ApiError;
use crate::http::query::Query;
use crate::http::settings::Settings;
use crate::http::tenant_host::TenantHost;
use crate::service::Services;

/// Sign-in page
///
/// For front ends without one of their own. Redirects to `callbackUrl` afterwards. The host of a tenant redirects to
/// the page below `PUBLIC_URL`.
#[utoipa::path(
    get,
    path = "/api/auth/signin",
    tag = "NextAuth",
    params(
        ("callbackUrl" = Option<String>, Query, description = "Where to go afterwards."),
        ("tenant" = Option<String>, Query, description = "The slug of the organization to sign in to."),
        ("error" = Option<String>, Query, description = "Why the last attempt failed."),
    ),
    responses(
        (status = 200, description = "The page.", content_type = "text/html", headers(("Set-Cookie" = String))),
        (status = 302, description = "Redirects from the host of a tenant.", headers(("Location" = String))),
    ),
)]
pub(crate) async fn sign_in_page(
    services: Data<Services>,
    settings: Data<Settings>,
    request: HttpRequest,
    host: TenantHost,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    let onward = redirect_target::callback_url(query.get("callbackUrl"), &services, &settings);
    let has_slack = leads_through_slack(&services, &settings) && services.may_return_to(&onward);
    let error = query.get("error");
    let tenant = query.get("tenant");
    // Cookies that its form would set for this host would not arrive at `PUBLIC_URL`.
    if let Some(slug) = &host.0 {
        let tenant = tenant.unwrap_or(slug);
        let mut parameters = vec![("callbackUrl", onward.as_str()), ("tenant", tenant)];
        parameters.extend(error.map(|error| ("error", error)));
        let page = redirect_target::page("/api/auth/signin", &parameters, &settings);
        return Ok(answer::lead_to(&page, false, &[]));
    }
    let email = typed_email::read(request.headers(), &settings);
    let values = context! {
        title => "page.sign_in.title",
        asks_who => true,
        action => "signin/credentials",
        forgot => settings.public("/reset-password").as_str(),
        slack => has_slack.then(|| slack::way(&onward, tenant, &settings).to_string()),
        tenant,
        email => email.as_ref().map(Email::as_str),
        error => error.map(text),
        asks_for_code => matches!(error, Some("MfaRequired" | "InvalidCode" | "authenticator_unusable")),
    };
    let own = (services.get_ref(), settings.get_ref());
    let mut page = page::answer(&onward, values, request.headers(), own)?;
    if email.is_some()
        && let Ok(cookie) = HeaderValue::try_from(Cookie::TypedEmail.clear(&settings))
    {
        page.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(page)
}

/// An unknown error is not repeated: a link could say anything.
fn text(error: &str) -> &'static str {
    match error {
        "CredentialsSignin" => "page.sign_in.error.credentials",
        "MfaRequired" => "page.sign_in.error.mfa_required",
        "InvalidCode" => "page.sign_in.error.invalid_code",
        "authenticator_unusable" => "page.sign_in.error.authenticator_unusable",
        "MfaEnrolmentRequired" => "page.sign_in.error.mfa_enrolment_required",
        "EmailNotVerified" => "page.sign_in.error.email_not_verified",
        "SessionRequired" => "page.sign_in.error.session_required",
        "AccessDenied" => "page.sign_in.error.access_denied",
        "account_exists" => "page.sign_in.error.account_exists",
        "not_allowed" | "organization_not_found" => "page.sign_in.error.access_denied",
        "TooManyAttempts" | "too_many_requests" => "page.sign_in.error.too_many_attempts",
        "busy" | "unavailable" => "page.sign_in.error.unavailable",
        _ => "page.sign_in.error.other",
    }
}
