//! `POST /api/auth/slack/reauthenticate`

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::link::{SlackLinkRequest, way};
use super::way::SlackWay;
use crate::http::body::Valid;
use crate::http::caller::Enrolling;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{Forbidden, SlackNotSetUp};
use crate::http::settings::Settings;
use crate::service::Services;
use crate::service::slack;

/// Reauthenticate with Slack
///
/// Instead of the password, for accounts without an authenticator. Slack must return an identity that is linked to the
/// caller; then the session counts as fresh for fifteen minutes, and a new token of it is delivered as after a sign-in.
/// With a code challenge this happens when the code is redeemed at `/api/auth/slack/token`.
#[utoipa::path(
    post,
    path = "/api/auth/slack/reauthenticate",
    tag = "Slack",
    security(("bearer" = [])),
    request_body = SlackLinkRequest,
    responses((status = 200, description = "The URL to redirect the browser to.", body = SlackWay)),
    extensions(("x-error-codes" = json!([Forbidden, SlackNotSetUp]))),
)]
pub(crate) async fn reauthenticate(
    services: Data<Services>,
    settings: Data<Settings>,
    Enrolling(caller): Enrolling,
    request: HttpRequest,
    Valid(body): Valid<SlackLinkRequest>,
) -> Result<HttpResponse, ApiError> {
    way(
        &services,
        &settings,
        &request,
        &body,
        "reauthenticate",
        async |begin| slack::reauthenticate(&services, &caller, begin).await,
    )
    .await
}
