//! `GET /api/auth/signout`

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use minijinja::context;

use super::{page, redirect_target};
use crate::http::error::ApiError;
use crate::http::query::Query;
use crate::http::settings::Settings;
use crate::service::Services;

/// Sign-out page
///
/// Opening it changes nothing; its button signs out.
#[utoipa::path(
    get,
    path = "/api/auth/signout",
    tag = "NextAuth",
    params(("callbackUrl" = Option<String>, Query, description = "Where to go afterwards.")),
    responses((status = 200, description = "The page.", content_type = "text/html", headers(("Set-Cookie" = String)))),
)]
pub(crate) async fn sign_out_page(
    services: Data<Services>,
    settings: Data<Settings>,
    request: HttpRequest,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    let onward = redirect_target::callback_url(query.get("callbackUrl"), &services, &settings);
    let values = context! {
        title => "page.sign_out.title",
        text => "page.sign_out.text",
        action => "signout",
    };
    let own = (services.get_ref(), settings.get_ref());
    page::answer(&onward, values, request.headers(), own)
}
