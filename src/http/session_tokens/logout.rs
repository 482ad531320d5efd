//! `GET` and `POST /api/v1/logout`

use actix_web::http::header::SET_COOKIE;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::carrier::Carried;
use crate::http::cookies::Cookie;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    AuthenticationRequired, Busy, CrossSiteRequest, InvalidToken, Unavailable,
};
use crate::http::only_looks::only_looks;
use crate::http::settings::Settings;
use crate::http::token_api::done::SuccessResponse;
use crate::service::session_tokens;
use crate::service::{Error, RequestContext, Services};

/// Sign out
///
/// Ends the token's session only, locked or not. Also succeeds for an ended session and without a token.
#[utoipa::path(
    post,
    path = "/api/v1/logout",
    tag = "Session tokens",
    params(("token" = Option<String>, Query,
        description = "The session token, if it is sent neither as Bearer nor in the cookie.")),
    responses((status = 200, description = "Signed out.", body = SuccessResponse, headers(("Set-Cookie" = String)))),
    extensions(("x-error-codes" = json!([InvalidToken, CrossSiteRequest, Busy, Unavailable]))),
)]
pub(crate) async fn logout(
    services: Data<Services>,
    settings: Data<Settings>,
    context: RequestContext,
    request: HttpRequest,
    carried: Result<Carried, ApiError>,
) -> Result<HttpResponse, ApiError> {
    match carried {
        Ok(Carried(token)) => end(&services, &context, &token).await?,
        Err(error) if error.code() == AuthenticationRequired => {}
        Err(error) => return Err(error),
    }
    let mut response = HttpResponse::Ok();
    if Cookie::SessionToken
        .all(request.headers(), &settings)
        .next()
        .is_some()
    {
        response.insert_header((SET_COOKIE, Cookie::SessionToken.clear(&settings)));
    }
    Ok(response.json(SuccessResponse::YES))
}

/// Sign out by a link
///
/// The same as `POST`, for clients that can only follow links. HEAD, and a browser that prefetches, end no session.
#[utoipa::path(
    get,
    path = "/api/v1/logout",
    tag = "Session tokens",
    params(("token" = Option<String>, Query,
        description = "The session token, if it is sent neither as Bearer nor in the cookie.")),
    responses(
        (status = 200, description = "Signed out.", body = SuccessResponse, headers(("Set-Cookie" = String))),
        (status = 204, description = "For HEAD and for prefetching browsers: nothing was done."),
    ),
    extensions(("x-error-codes" = json!([InvalidToken, CrossSiteRequest, Busy, Unavailable]))),
)]
pub(crate) async fn logout_by_link(
    services: Data<Services>,
    settings: Data<Settings>,
    context: RequestContext,
    request: HttpRequest,
    carried: Result<Carried, ApiError>,
) -> Result<HttpResponse, ApiError> {
    if only_looks(&request) {
        return Ok(HttpResponse::NoContent().finish());
    }
    logout(services, settings, context, request, carried).await
}

async fn end(services: &Services, context: &RequestContext, token: &str) -> Result<(), ApiError> {
    if !session_tokens::is_token(token) {
        return Err(InvalidToken.into());
    }
    match session_tokens::authenticate(services, context, token).await {
        Ok(session) => Ok(session_tokens::end(services, context, &session).await?),
        Err(Error::InvalidToken | Error::TokenExpired | Error::TokenRevoked) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
