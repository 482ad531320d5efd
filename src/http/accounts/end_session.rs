//! `POST /api/auth/end-session`

use actix_web::web::{Data, Json};

use super::mailed_token::MailedToken;
use crate::http::body::Valid;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::InvalidOrExpiredToken;
use crate::http::token_api::done::SuccessResponse;
use crate::service::{self, RequestContext, Services};

/// End a session from an e-mail
///
/// Takes the token of the e-mail that reported a sign-in, and ends that session. No other credential is needed.
#[utoipa::path(
    post,
    path = "/api/auth/end-session",
    tag = "Accounts",
    request_body = MailedToken,
    responses((status = 200, description = "Ended.", body = SuccessResponse)),
    extensions(("x-error-codes" = json!([InvalidOrExpiredToken]))),
)]
pub(crate) async fn end_session_by_link(
    services: Data<Services>,
    context: RequestContext,
    Valid(body): Valid<MailedToken>,
) -> Result<Json<SuccessResponse>, ApiError> {
    service::end_session_by_link(&services, &context, &body.token).await?;
    Ok(Json(SuccessResponse::YES))
}
