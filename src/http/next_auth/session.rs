//! `GET /api/auth/session`

use actix_web::http::header::{HeaderMap, SET_COOKIE};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::sent::Sent;
use crate::http::caller::{PresentedCredential, is_bearer};
use crate::http::cookies::Cookie;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{Busy, CrossSiteRequest, Unavailable};
use crate::http::request_origin::{Csrf, RequestOrigin, admit_cookie_call};
use crate::http::session_cookie;
use crate::http::settings::Settings;
use crate::http::token_api::user::User;
use crate::service::{self, CookieSession, Error, RequestContext, Services};

/// The signed-in user: both fields, or neither.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionView {
    #[schema(required = false)]
    user: User,
    /// When the cookie's token expires, unless it is renewed before.
    #[schema(required = false, example = "2026-11-29T09:30:00Z")]
    expires: DateTime<Utc>,
}

/// Read the current session
///
/// Without a session the answer is `{}`, and an invalid cookie of ours is deleted; one of another system, such as the
/// NextAuth that was there before, stays. A token is renewed after a seventh of its life, usually a day, until the
/// session ends (`SESSION_LIFETIME`, 90 days).
#[utoipa::path(
    get,
    path = "/api/auth/session",
    tag = "NextAuth",
    responses((status = 200, description = "The current user, or `{}`.", body = SessionView)),
    extensions(("x-error-codes" = json!([Busy, Unavailable]))),
)]
pub(crate) async fn session(
    services: Data<Services>,
    settings: Data<Settings>,
    context: RequestContext,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let own = (services.get_ref(), settings.get_ref());
    let seen = look_up(own, &context, request.headers()).await?;
    let mut response = HttpResponse::Ok();
    if let Some(cookie) = new_cookie(&seen, request.headers(), own) {
        response.insert_header((SET_COOKIE, cookie));
    }
    Ok(match seen {
        Seen::SignedOut | Seen::MustEnrol => response.json(json!({})),
        Seen::SignedIn(session) => response.json(SessionView {
            user: session.profile.into(),
            expires: session.expires_at,
        }),
    })
}

/// Other fields are ignored.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionUpdate {
    /// From `/api/auth/csrf`. Required if neither `Origin` nor `Sec-Fetch-Site` identifies the sending page.
    csrf_token: Option<String>,
}

/// Reload the current session
///
/// What the client's `update()` posts. The fields it sends are ignored; users change their data elsewhere.
#[utoipa::path(
    post,
    path = "/api/auth/session",
    tag = "NextAuth",
    request_body = SessionUpdate,
    responses((status = 200, description = "The current user, or `{}`.", body = SessionView)),
    extensions(("x-error-codes" = json!([CrossSiteRequest]))),
)]
pub(crate) async fn update(
    services: Data<Services>,
    settings: Data<Settings>,
    context: RequestContext,
    request: HttpRequest,
    sent: Sent<SessionUpdate>,
) -> Result<HttpResponse, ApiError> {
    let headers = request.headers();
    let csrf = Csrf::of(
        headers,
        sent.fields.csrf_token.as_deref(),
        &services,
        &settings,
    );
    let sender = RequestOrigin::of(headers, &settings);
    if sender != RequestOrigin::NonBrowser {
        admit_cookie_call(sender, csrf)?;
    }
    session(services, settings, context, request).await
}

/// The result of checking the request's credential.
enum Seen {
    SignedIn(Box<CookieSession>),
    SignedOut,
    /// A user who must enrol a second factor first; the cookie is valid for that.
    MustEnrol,
}

async fn look_up(
    own @ (services, _): (&Services, &Settings),
    context: &RequestContext,
    headers: &HeaderMap,
) -> Result<Seen, ApiError> {
    let Ok(presented) = PresentedCredential::by(headers, own) else {
        return Ok(Seen::SignedOut);
    };
    match service::cookie_session(services, context, presented.token()).await {
        Ok(session) => Ok(Seen::SignedIn(Box::new(session))),
        Err(
            Error::InvalidToken
            | Error::TokenExpired
            | Error::TokenRevoked
            | Error::ReauthenticationRequired
            | Error::SessionTooOld,
        ) => Ok(Seen::SignedOut),
        Err(Error::MfaEnrolmentRequired) => Ok(Seen::MustEnrol),
        Err(error) => Err(error.into()),
    }
}

/// `Set-Cookie` to replace or delete the browser's cookie.
fn new_cookie(
    seen: &Seen,
    headers: &HeaderMap,
    (services, settings): (&Services, &Settings),
) -> Option<String> {
    if is_bearer(headers) {
        return None;
    }
    match seen {
        Seen::SignedIn(session) => {
            let renewed = session.renewed.as_ref()?;
            let seconds = renewed.expires_in;
            Some(Cookie::Session.set(&renewed.access_token, seconds, settings))
        }
        Seen::SignedOut => {
            let has_one = Cookie::Session.all(headers, settings).next().is_some();
            let is_foreign = |token: &str| services.is_foreign_session(token);
            let may_go = || session_cookie::may_be_deleted(headers, settings, is_foreign);
            (has_one && may_go()).then(|| Cookie::Session.clear(settings))
        }
        Seen::MustEnrol => None,
    }
}
