//! `GET /api/auth/signin`

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use minijinja::context;

use super::providers::leads_through_slack;
use super::{page, place, slack};
use crate::domain::ReturnUrl;
use crate::http::error::ApiError;
use crate::http::query::Query;
use crate::http::settings::Settings;
use crate::service::Services;

/// A page to sign in at
///
/// For front ends without one of their own. Leads on to `callbackUrl`.
#[utoipa::path(
    get,
    path = "/api/auth/signin",
    tag = "NextAuth",
    params(
        ("callbackUrl" = Option<String>, Query, description = "Where to lead on to."),
        ("error" = Option<String>, Query, description = "Why the last attempt failed."),
    ),
    responses((status = 200, description = "The page.", content_type = "text/html", headers(("Set-Cookie" = String)))),
)]
pub async fn sign_in_page(
    services: Data<Services>,
    settings: Data<Settings>,
    request: HttpRequest,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    let onward = place::callback_url(query.get("callbackUrl"), &services, &settings);
    let may_come_back = || ReturnUrl::check(onward.as_str(), &services.return_urls).is_ok();
    let has_slack = leads_through_slack(&services, &settings) && may_come_back();
    let error = query.get("error");
    let values = context! {
        title => "Sign in",
        asks_who => true,
        action => settings.public("/api/auth/signin/credentials").as_str(),
        slack => has_slack.then(|| slack::way(&onward, &settings).to_string()),
        error => error.map(words),
        asks_for_code => matches!(error, Some("MfaRequired" | "InvalidCode")),
    };
    let own = (services.get_ref(), settings.get_ref());
    page::answer(&onward, values, request.headers(), own)
}

/// For people. What is not known is not repeated: a link could say anything.
fn words(error: &str) -> &'static str {
    match error {
        "CredentialsSignin" => "E-mail address and password do not fit.",
        "MfaRequired" => "Please enter your password again, and the code of your second factor.",
        "InvalidCode" => "This code is not right. Please try the one that is shown now.",
        "MfaEnrolmentRequired" => {
            "Your organization asks for a second factor, and you have none yet. Enrol one first."
        }
        "EmailNotVerified" => {
            "Please follow the link in the letter we have sent you, then sign in."
        }
        "SessionRequired" => "Please sign in first.",
        "AccessDenied" => "You are not allowed in. Ask an administrator of your organization.",
        "TooManyAttempts" | "too_many_requests" => "Too many attempts. Please wait a while.",
        "busy" | "unavailable" => "We cannot sign you in right now. Please try again in a moment.",
        _ => "That did not work. Please try again.",
    }
}
