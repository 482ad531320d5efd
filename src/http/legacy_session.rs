//! Exchanges the session cookie of an earlier system where a browser arrives with it.

use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::Method;
use actix_web::http::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use actix_web::{FromRequest as _, HttpRequest};

use super::app_data::{services, settings};
use super::caller::is_bearer;
use super::cookies::{self, Cookie};
use super::error::ApiError;
use super::gates;
use super::route_pattern::RoutePattern;
use super::session_cookie;
use super::settings::Settings;
use crate::domain::cookie_parts::joined;
use crate::service::legacy_session::exchange;
use crate::service::{Error, RequestContext, SignedIn};

/// What comes first of what a browser asks for, alone: of several requests at once, only one could be exchanged.
fn is_entrance(route: &str) -> bool {
    matches!(route, "/api/auth/session" | "/join") || gates::is_gate(route)
}

/// Our session cookie, which takes the place of an old one. The handler finds it in the request.
pub(super) struct NewCookie(SignedIn);

impl NewCookie {
    /// Exchanges the old cookie of the request, unless it has one of ours. A session that is not exchanged counts for
    /// nothing, as before.
    ///
    /// # Errors
    /// When the database does not answer: whether somebody is signed in is not known then.
    pub(super) async fn of(request: &mut ServiceRequest) -> Result<Option<Self>, ApiError> {
        if !arrives(request) {
            return Ok(None);
        }
        let Some(signed_in) = exchanged(request.request()).await? else {
            return Ok(None);
        };
        let name = Cookie::Session.name(settings(request.request())?);
        let cookie = format!("{name}={}", signed_in.access_token);
        if let Ok(cookie) = HeaderValue::try_from(cookie) {
            request.headers_mut().append(COOKIE, cookie);
        }
        Ok(Some(Self(signed_in)))
    }

    /// Lets the browser keep it. One that the handler has set itself is newer.
    pub(super) fn give(self, answer: &mut HeaderMap, settings: &Settings) {
        let (token, seconds) = (&self.0.access_token, self.0.expires_in);
        let cookie = Cookie::Session.set(token, seconds, settings);
        if session_cookie::sets_session(answer, settings).is_none()
            && let Ok(cookie) = HeaderValue::try_from(cookie)
        {
            answer.append(SET_COOKIE, cookie);
        }
    }
}

fn arrives(request: &ServiceRequest) -> bool {
    let route = request.app_data().map(|RoutePattern(route)| *route);
    let is_only_read = match route {
        Some(route) if gates::is_gate(route) => gates::is_safe(request.request()),
        _ => matches!(*request.method(), Method::GET | Method::HEAD),
    };
    route.is_some_and(is_entrance) && is_only_read && !is_bearer(request.headers())
}

async fn exchanged(request: &HttpRequest) -> Result<Option<SignedIn>, ApiError> {
    let (services, settings) = (services(request)?, settings(request)?);
    let headers = request.headers();
    let mut own = Cookie::Session.all(headers, settings);
    if services.legacy_cookies().is_empty() || own.any(|it| !services.is_foreign_session(it)) {
        return Ok(None);
    }
    let context = RequestContext::from_request(request, &mut Payload::None).await?;
    for name in services.legacy_cookies() {
        let Some(token) = joined(name, cookies::pairs(headers)) else {
            continue;
        };
        match exchange(services, &context, &token, Some(name)).await {
            Ok(signed_in) => return Ok(Some(signed_in)),
            Err(
                error @ (Error::Busy(_)
                | Error::Conflict
                | Error::Unavailable(_)
                | Error::Internal(_)),
            ) => return Err(error.into()),
            Err(_) => {}
        }
    }
    Ok(None)
}
