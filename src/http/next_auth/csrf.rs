//! `GET /api/auth/csrf`

use actix_web::http::header::{HeaderMap, SET_COOKIE};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::lifetimes;
use crate::http::cookies::Cookie;
use crate::http::settings::Settings;
use crate::service::Services;

/// A CSRF token.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CsrfToken {
    /// Valid for 24 hours, together with the cookie that contains it as well.
    #[schema(example = "AAAAAGpBvYBmb3IgZXhhbXBsZSBvbmx5…")]
    csrf_token: String,
}

/// Get a CSRF token
///
/// Send it as `csrfToken` with a form, or in `X-CSRF-Token` with any other call that uses the session cookie. It is
/// not a credential.
#[utoipa::path(
    get,
    path = "/api/auth/csrf",
    tag = "NextAuth",
    responses((status = 200, description = "The token, and a cookie with the same token.", body = CsrfToken,
        headers(("Set-Cookie" = String)))),
)]
pub(crate) async fn csrf(
    services: Data<Services>,
    settings: Data<Settings>,
    request: HttpRequest,
) -> HttpResponse {
    let (csrf_token, cookie) = token(request.headers(), &services, &settings);
    let mut response = HttpResponse::Ok();
    if let Some(cookie) = cookie {
        response.insert_header((SET_COOKIE, cookie));
    }
    response.json(CsrfToken { csrf_token })
}

/// The token that this browser has, so that all its tabs can use it, or a new one and its `Set-Cookie`.
pub(crate) fn token(
    headers: &HeaderMap,
    services: &Services,
    settings: &Settings,
) -> (String, Option<String>) {
    let known = Cookie::Csrf.only(headers, settings);
    if let Some(token) = known.filter(|token| services.is_lasting_csrf_token(token)) {
        return (token.to_owned(), None);
    }
    let token = services.new_csrf_token();
    let cookie = Cookie::Csrf.set(&token, lifetimes::CSRF_TOKEN.num_seconds(), settings);
    (token, Some(cookie))
}
