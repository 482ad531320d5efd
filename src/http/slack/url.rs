//! `GET /api/auth/slack/url`

use actix_web::http::header::SET_COOKIE;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::cookies;
use super::way::SlackWay;
use crate::domain::TokenDelivery;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{SlackNotSetUp, ValidationFailed};
use crate::http::query::Query;
use crate::http::settings::Settings;
use crate::http::tenant_host::TenantHost;
use crate::service::Services;
use crate::service::slack::{self, Begin};

/// Get the URL to sign in with Slack
///
/// Send the user's browser to `url`. It comes back to `returnUrl` with `state`, which must equal the one of this
/// answer, and with the token, or with `error`.
#[utoipa::path(
    get,
    path = "/api/auth/slack/url",
    tag = "Slack",
    params(
        ("returnUrl" = String, Query, description = "The URL to return to; an allowed return URL or a path below it."),
        ("codeChallenge" = Option<String>, Query,
            description = "SHA-256 of a verifier in base64url (RFC 7636, S256): a one-time code is \
                returned instead of the token. Required for custom schemes."),
        ("team" = Option<String>, Query, description = "The id of the only workspace that is accepted."),
        ("tenant" = Option<String>, Query, description = "The slug of the organization to sign in to. By default the \
            one that the host names below `TENANT_DOMAIN`, otherwise the workspace's."),
    ),
    responses((status = 200, description = "The URL to redirect the browser to.", body = SlackWay)),
    extensions(("x-error-codes" = json!([ValidationFailed, SlackNotSetUp]))),
)]
pub(crate) async fn url(
    services: Data<Services>,
    settings: Data<Settings>,
    request: HttpRequest,
    tenant: TenantHost,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    let query = query.unambiguous()?;
    let code_challenge = query.code_challenge()?;
    // The client reads no cookie before the browser sends it, so it could not compare the state.
    let must_bind = settings.token_delivery == TokenDelivery::Cookie && code_challenge.is_none();
    let browser =
        must_bind.then(|| cookies::browser_or_new(request.headers(), &settings, &services));
    let callback_url = settings.slack_callback_url();
    let begun = slack::begin(
        &services,
        &Begin {
            callback_url: &callback_url,
            return_url: query.return_url()?,
            code_challenge,
            team: query.given("team"),
            tenant: tenant.slug(query.get("tenant")),
            browser: browser.as_ref(),
        },
    )?;
    let mut response = HttpResponse::Ok();
    if let Some(key) = &browser {
        response.insert_header((SET_COOKIE, cookies::keep_browser(key, &settings)));
    }
    Ok(response.json(SlackWay::new(begun, &callback_url, "signin")))
}
