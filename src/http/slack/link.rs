//! `POST /api/auth/slack/link`

use actix_web::http::header::SET_COOKIE;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::cookies;
use super::way::SlackWay;
use crate::domain::CodeChallenge;
use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{Forbidden, ReauthenticationRequired, SlackNotSetUp};
use crate::http::settings::Settings;
use crate::service::slack::{self, Begin, Begun};
use crate::service::{self, Caller, Services};

body! {
    pub struct SlackLinkRequest {
        /// The URL to return to; an allowed return URL or a path below it.
        #[schema(example = "https://app.example.com/settings")]
        return_url: String,
        /// SHA-256 of a verifier in base64url (RFC 7636, S256). Without it the link is bound to the browser
        /// by the cookie of this answer: send the request with credentials.
        #[schema(value_type = Option<String>, example = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")]
        code_challenge: Option<CodeChallenge>,
    }
}

/// Link Slack to the account
///
/// The Slack identity that agrees is linked to the caller, who becomes a member of the workspace's organization. With
/// a code challenge this happens when the code is redeemed at `/api/auth/slack/token`. The caller must have
/// authenticated within the last fifteen minutes.
#[utoipa::path(
    post,
    path = "/api/auth/slack/link",
    tag = "Slack",
    security(("bearer" = [])),
    request_body = SlackLinkRequest,
    responses((status = 200, description = "The URL to redirect the browser to.", body = SlackWay)),
    extensions(("x-error-codes" = json!([Forbidden, ReauthenticationRequired, SlackNotSetUp]))),
)]
pub(crate) async fn link(
    services: Data<Services>,
    settings: Data<Settings>,
    caller: Caller,
    request: HttpRequest,
    Valid(body): Valid<SlackLinkRequest>,
) -> Result<HttpResponse, ApiError> {
    way(
        &services,
        &settings,
        &request,
        &body,
        "link",
        async |begin| slack::link(&services, &caller, begin).await,
    )
    .await
}

/// Begins at Slack, bound to the code challenge, or else to the browser by a cookie.
pub(super) async fn way(
    services: &Services,
    settings: &Settings,
    request: &HttpRequest,
    body: &SlackLinkRequest,
    kind: &'static str,
    start: impl AsyncFnOnce(&Begin<'_>) -> service::Result<Begun>,
) -> Result<HttpResponse, ApiError> {
    let browser = body
        .code_challenge
        .is_none()
        .then(|| cookies::browser_or_new(request.headers(), settings, services));
    let callback_url = settings.slack_callback_url();
    let begun = start(&Begin {
        callback_url: &callback_url,
        return_url: &body.return_url,
        code_challenge: body.code_challenge.clone(),
        team: None,
        tenant: None,
        browser: browser.as_ref(),
    })
    .await?;
    let mut response = HttpResponse::Ok();
    if let Some(key) = &browser {
        response.insert_header((SET_COOKIE, cookies::keep_browser(key, settings)));
    }
    Ok(response.json(SlackWay::new(begun, &callback_url, kind)))
}
