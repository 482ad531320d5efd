//! `POST /api/auth/signout`

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{self, Next};
use super::redirect_target;
use super::sent::{Sent, wants_url};
use crate::http::caller::PresentedCredential;
use crate::http::cookies::Cookie;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::CrossSiteRequest;
use crate::http::request_origin::{Csrf, RequestOrigin, admit_cookie_call};
use crate::http::session_cookie;
use crate::http::settings::Settings;
use crate::service::{self, Error, RequestContext, Services};

/// Other fields are ignored.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignOut {
    /// From `/api/auth/csrf`. Required if neither `Origin` nor `Sec-Fetch-Site` identifies the sending page.
    csrf_token: Option<String>,
    /// The URL to go to next, as for signing in.
    #[schema(example = "https://app.example.com/")]
    callback_url: Option<String>,
    /// Answer with the URL instead of a redirect.
    #[schema(value_type = Option<bool>, example = true)]
    json: Option<String>,
}

/// Sign out and delete the cookie
///
/// Ends the cookie's session only. Without a valid cookie nothing is left to do; one of another system stays.
#[utoipa::path(
    post,
    path = "/api/auth/signout",
    tag = "NextAuth",
    request_body(content((SignOut = "application/json"), (SignOut = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "Signed out, with `json: true`.", body = Next, headers(("Set-Cookie" = String))),
        (status = 302, description = "Signed out.", headers(("Location" = String), ("Set-Cookie" = String))),
    ),
    extensions(("x-error-codes" = json!([CrossSiteRequest]))),
)]
pub(crate) async fn sign_out(
    services: Data<Services>,
    settings: Data<Settings>,
    context: RequestContext,
    request: HttpRequest,
    Sent { fields, .. }: Sent<SignOut>,
) -> Result<HttpResponse, ApiError> {
    let sender = RequestOrigin::of(request.headers(), &settings);
    if sender != RequestOrigin::NonBrowser {
        let csrf = fields.csrf_token.as_deref();
        let csrf = Csrf::of(request.headers(), csrf, &services, &settings);
        admit_cookie_call(sender, csrf)?;
    }
    let own = (services.get_ref(), settings.get_ref());
    end_session(own, &context, &request).await?;
    let onward =
        redirect_target::callback_url(fields.callback_url.as_deref(), &services, &settings);
    let is_foreign = |token: &str| services.is_foreign_session(token);
    let mut cookies = vec![Cookie::Csrf.clear(&settings)];
    if session_cookie::may_be_deleted(request.headers(), &settings, is_foreign) {
        cookies.push(Cookie::Session.clear(&settings));
    }
    Ok(answer::lead_to(
        &onward,
        wants_url(fields.json.as_deref()),
        &cookies,
    ))
}

async fn end_session(
    own @ (services, _): (&Services, &Settings),
    context: &RequestContext,
    request: &HttpRequest,
) -> Result<(), ApiError> {
    // A program has no cookie; it signs out of its token through the token API.
    let Ok(PresentedCredential::Cookie(token)) = PresentedCredential::by(request.headers(), own)
    else {
        return Ok(());
    };
    // A user who must still enrol a second factor may sign out as well.
    let ended = match service::authenticate_to_enrol(services, context, token).await {
        Ok(caller) => service::logout(services, &caller).await,
        Err(error) => Err(error),
    };
    match ended {
        // An unknown or ended session, or a token that is not allowed in a cookie.
        Err(Error::InvalidToken | Error::TokenExpired | Error::TokenRevoked | Error::Forbidden) => {
            Ok(())
        }
        ended => Ok(ended?),
    }
}
