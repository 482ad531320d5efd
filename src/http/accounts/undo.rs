//! `POST /api/auth/undo`

use actix_web::web::{Data, Json};

use super::mailed_token::MailedToken;
use crate::http::body::Valid;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::InvalidOrExpiredToken;
use crate::http::token_api::done::SuccessResponse;
use crate::service::{self, RequestContext, Services};

/// Undo a change from an e-mail
///
/// Takes the token of the e-mail that reported a new API token, and revokes it; or of the one that reported a first
/// authenticator, and removes it and ends all sessions. No other credential is needed.
#[utoipa::path(
    post,
    path = "/api/auth/undo",
    tag = "Accounts",
    request_body = MailedToken,
    responses((status = 200, description = "Undone.", body = SuccessResponse)),
    extensions(("x-error-codes" = json!([InvalidOrExpiredToken]))),
)]
pub(crate) async fn undo(
    services: Data<Services>,
    context: RequestContext,
    Valid(body): Valid<MailedToken>,
) -> Result<Json<SuccessResponse>, ApiError> {
    service::undo_by_link(&services, &context, &body.token).await?;
    Ok(Json(SuccessResponse::YES))
}
