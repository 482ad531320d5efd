//! `POST /api/auth/session/exchange`

use actix_web::HttpRequest;
use actix_web::web::{Data, Json};

use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::caller::{bearer_token, is_bearer};
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    AuthenticationRequired, EmailNotVerified, InvalidToken, MfaEnrolmentRequired,
    SecondFactorRequired, TokenExpired, TokenRevoked,
};
use crate::http::token_api::signed_in::SignedIn;
use crate::service::{RequestContext, Services, legacy_session};

body! {
    pub struct ExchangeRequest {
        /// The session token of the earlier system, unless it is sent as Bearer.
        #[schema(example = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIuLi4ifQ.c2lnbmF0dXJl")]
        token: Option<String>,
    }
}

/// Exchange the session of an earlier system
///
/// For clients that keep their tokens themselves: the session token of the system that `LEGACY_SESSION_SOURCE` names is
/// exchanged, once, for a session of Hallpass that ends when the old one would have. Who has an authenticator, or needs
/// one, signs in instead. Browsers need not call it: `GET /api/auth/session` exchanges their cookie.
#[utoipa::path(
    post,
    path = "/api/auth/session/exchange",
    tag = "NextAuth",
    request_body = ExchangeRequest,
    responses((status = 200, description = "Signed in.", body = SignedIn)),
    extensions(("x-error-codes" = json!([AuthenticationRequired, InvalidToken, TokenExpired, TokenRevoked,
        SecondFactorRequired, MfaEnrolmentRequired, EmailNotVerified]))),
)]
pub(crate) async fn exchange_session(
    services: Data<Services>,
    context: RequestContext,
    request: HttpRequest,
    Valid(body): Valid<ExchangeRequest>,
) -> Result<Json<SignedIn>, ApiError> {
    let headers = request.headers();
    let token = match (&body.token, is_bearer(headers)) {
        (Some(token), false) => token,
        (None, true) => bearer_token(headers)?,
        // A request never mixes two identities.
        (Some(_), true) => return Err(InvalidToken.into()),
        (None, false) => return Err(AuthenticationRequired.into()),
    };
    let signed_in = legacy_session::exchange(&services, &context, token, None).await?;
    Ok(Json(signed_in.into()))
}
