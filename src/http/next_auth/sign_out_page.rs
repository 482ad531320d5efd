//! `GET /api/auth/signout`

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use minijinja::context;

use super::{page, place};
use crate::http::error::ApiError;
use crate::http::query::Query;
use crate::http::settings::Settings;
use crate::service::Services;

/// A page to sign out at
///
/// Opening it changes nothing; its button does.
#[utoipa::path(
    get,
    path = "/api/auth/signout",
    tag = "NextAuth",
    params(("callbackUrl" = Option<String>, Query, description = "Where to lead on to.")),
    responses((status = 200, description = "The page.", content_type = "text/html", headers(("Set-Cookie" = String)))),
)]
pub async fn sign_out_page(
    services: Data<Services>,
    settings: Data<Settings>,
    request: HttpRequest,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    let onward = place::callback_url(query.get("callbackUrl"), &services, &settings);
    let values = context! {
        title => "Sign out",
        text => "You will be signed out in this browser, and nowhere else.",
        action => settings.public("/api/auth/signout").as_str(),
    };
    let own = (services.get_ref(), settings.get_ref());
    page::answer(&onward, values, request.headers(), own)
}
