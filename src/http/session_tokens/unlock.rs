//! `POST /api/v1/unlock`

use actix_web::web::{Data, Json};

use super::carrier::AnySession;
use super::session::SessionOfToken;
use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    AuthenticatorUnusable, CrossSiteRequest, InvalidCode, MfaNotEnrolled, TooManyAttempts,
};
use crate::service::session_tokens::{self, TokenSession};
use crate::service::{RequestContext, Services};

body! {
    pub struct UnlockRequest {
        /// A code of the authenticator, or a recovery code.
        #[schema(example = "123456")]
        code: String,
    }
}

/// Unlock a session with the second factor
///
/// For a session that is already open the code is not checked.
#[utoipa::path(
    post,
    path = "/api/v1/unlock",
    tag = "Session tokens",
    params(("token" = Option<String>, Query,
        description = "The session token, if it is sent neither as Bearer nor in the cookie.")),
    security(("sessionToken" = []), ("sessionTokenBearer" = []), ("sessionTokenCookie" = [])),
    request_body = UnlockRequest,
    responses((status = 200, description = "Unlocked.", body = SessionOfToken)),
    extensions(("x-error-codes" = json!([AuthenticatorUnusable, InvalidCode, TooManyAttempts, MfaNotEnrolled,
        CrossSiteRequest]))),
)]
pub(crate) async fn unlock(
    services: Data<Services>,
    context: RequestContext,
    AnySession(session): AnySession,
    Valid(body): Valid<UnlockRequest>,
) -> Result<Json<SessionOfToken>, ApiError> {
    let view = match session {
        TokenSession::Open(caller) => session_tokens::view(&services, &caller).await?,
        TokenSession::Locked(session) => {
            session_tokens::unlock(&services, &context, session, &body.code).await?
        }
    };
    Ok(Json(SessionOfToken::new(view, true, None)))
}
