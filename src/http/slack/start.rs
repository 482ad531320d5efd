//! `GET /api/auth/slack/start`

use actix_web::http::header::{LOCATION, REFERRER_POLICY, SET_COOKIE};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::cookies;
use super::page;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{SlackNotSetUp, ValidationFailed};
use crate::http::pages::shell::Preferred;
use crate::http::query::Query;
use crate::http::settings::Settings;
use crate::http::tenant_host::TenantHost;
use crate::service::Services;
use crate::service::slack::{self, Begin};

/// The "Sign in with Slack" button
///
/// A link for people: sets a cookie that binds the sign-in to the browser, and redirects to Slack. Coming back in
/// another browser is refused.
#[utoipa::path(
    get,
    path = "/api/auth/slack/start",
    tag = "Slack",
    params(
        ("returnUrl" = String, Query, description = "The URL to return to; an allowed return URL or a path below it."),
        ("codeChallenge" = Option<String>, Query, description = "As for `/api/auth/slack/url`."),
        ("team" = Option<String>, Query, description = "The id of the only workspace that is accepted."),
        ("tenant" = Option<String>, Query, description = "The slug of the organization to sign in to. By default the \
            one that the host names below `TENANT_DOMAIN`, otherwise the workspace's."),
    ),
    responses((status = 302, description = "Redirects to Slack.", headers(("Location" = String),
        ("Set-Cookie" = String)))),
    extensions(("x-error-codes" = json!([ValidationFailed, SlackNotSetUp])), ("x-error-pages" = json!(true))),
)]
pub(crate) async fn start(
    services: Data<Services>,
    settings: Data<Settings>,
    request: HttpRequest,
    tenant: TenantHost,
    query: Query,
) -> HttpResponse {
    go(&services, &settings, &request, &tenant, query).unwrap_or_else(|error| {
        page::refusal(
            error,
            Preferred::by_browsers(request.headers()),
            &settings,
            None,
        )
    })
}

fn go(
    services: &Services,
    settings: &Settings,
    request: &HttpRequest,
    tenant: &TenantHost,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    let query = query.unambiguous()?;
    let browser = cookies::browser_or_new(request.headers(), settings, services);
    let begun = slack::begin(
        services,
        &Begin {
            callback_url: &settings.slack_callback_url(),
            return_url: query.return_url()?,
            code_challenge: query.code_challenge()?,
            team: query.given("team"),
            tenant: tenant.slug(query.get("tenant")),
            browser: Some(&browser),
        },
    )?;
    Ok(HttpResponse::Found()
        .insert_header((LOCATION, begun.url.as_str()))
        .insert_header((SET_COOKIE, cookies::keep_browser(&browser, settings)))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .finish())
}
