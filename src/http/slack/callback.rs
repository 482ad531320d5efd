//! `GET /api/auth/slack/callback`

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::page;
use super::{cookies, delivery};
use crate::http::error_code::ErrorCode::{
    AccessDenied, Busy, SignInExpired, SlackNotSetUp, Unavailable,
};
use crate::http::only_looks::only_looks;
use crate::http::pages::shell::Preferred;
use crate::http::query::Query;
use crate::http::settings::Settings;
use crate::service::slack::{self, Callback};
use crate::service::{RequestContext, Services};

/// Slack's redirect
///
/// Slack redirects browsers here; clients never call it. Redirects to the return URL with the token, a one-time code
/// or `error`. An untrusted state leads nowhere: the answer is a page that offers to start again, or JSON for clients
/// that accept only that.
#[utoipa::path(
    get,
    path = "/api/auth/slack/callback",
    tag = "Slack",
    params(
        ("state" = Option<String>, Query, description = "The state the sign-in began with."),
        ("code" = Option<String>, Query, description = "Slack's code, which works once."),
        ("error" = Option<String>, Query, description = "Slack's error, if there is no code."),
    ),
    responses(
        (status = 302, description = "Redirects to the return URL.", headers(("Location" = String))),
        (status = 204, description = "For HEAD and for prefetching browsers: nothing was done."),
    ),
    extensions(("x-error-codes" = json!([SignInExpired, AccessDenied, SlackNotSetUp, Busy, Unavailable])),
        ("x-error-pages" = json!(true))),
)]
pub(crate) async fn callback(
    services: Data<Services>,
    settings: Data<Settings>,
    context: RequestContext,
    request: HttpRequest,
    query: Query,
) -> HttpResponse {
    if only_looks(&request) {
        return HttpResponse::NoContent().finish();
    }
    // A repeated parameter is ambiguous.
    let parameter = |name| query.get(name).filter(|_| !query.is_ambiguous());
    let came = Callback {
        callback_url: &settings.slack_callback_url(),
        state: parameter("state"),
        code: parameter("code"),
        error: parameter("error"),
        browser: cookies::browser(request.headers(), &settings),
    };
    match slack::callback(&services, &context, &came).await {
        Ok(result) => delivery::redirect(result, &settings),
        Err(callback_error) => page::refusal(
            callback_error.why.into(),
            Preferred::by_most(request.headers()),
            &settings,
            callback_error.return_target,
        ),
    }
}
