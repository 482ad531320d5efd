//! `POST /api/auth/signin/slack`

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Deserialize;
use url::Url;
use utoipa::ToSchema;

use super::answer::{self, Next};
use super::place;
use super::providers::leads_through_slack;
use super::sent::Sent;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::ProviderNotFound;
use crate::http::settings::Settings;
use crate::service::Services;

/// Other fields are ignored.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "documentation; `Sent` reads the body")]
pub struct SlackSignIn {
    /// Where to lead back to; one of `ALLOWED_RETURN_URLS`.
    #[schema(example = "https://app.example.com/dashboard")]
    callback_url: Option<String>,
    /// Asks for the URL instead of a redirect.
    #[schema(example = true)]
    json: Option<bool>,
}

/// The way to Slack
///
/// Leads to `/api/auth/slack/start`, which does the rest. Only where `/api/auth/providers` lists it: where tokens are delivered as
/// cookies.
#[utoipa::path(
    post,
    path = "/api/auth/signin/slack",
    tag = "NextAuth",
    request_body(content((SlackSignIn = "application/json"), (SlackSignIn = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "The way, with `json: true`.", body = Next),
        (status = 302, description = "The way.", headers(("Location" = String))),
    ),
    extensions(("x-error-codes" = json!([ProviderNotFound]))),
)]
pub async fn slack(
    services: Data<Services>,
    settings: Data<Settings>,
    sent: Sent,
) -> Result<HttpResponse, ApiError> {
    if !leads_through_slack(&services, &settings) {
        return Err(ProviderNotFound.into());
    }
    let onward = place::callback_url(sent.get("callbackUrl"), &services, &settings);
    let way = way(&onward, &settings);
    Ok(answer::lead_to(&way, sent.wants_url(), &[]))
}

/// The button's address for whoever wants to come out at `onward`.
pub fn way(onward: &Url, settings: &Settings) -> Url {
    let parameters = [("returnUrl", onward.as_str())];
    place::page("/api/auth/slack/start", &parameters, settings)
}
