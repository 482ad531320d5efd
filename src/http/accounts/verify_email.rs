//! `POST /api/auth/verify-email`

use actix_web::web::{Data, Json};

use super::mailed_token::MailedToken;
use crate::http::body::Valid;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{EmailTaken, InvalidOrExpiredToken};
use crate::http::token_api::done::SuccessResponse;
use crate::service::{self, RequestContext, Services};

/// Verify an e-mail address
///
/// Takes the token of the verification e-mail and marks the address as verified: the current one, or the new one of
/// `change-email`. Does not sign in.
#[utoipa::path(
    post,
    path = "/api/auth/verify-email",
    tag = "Accounts",
    request_body = MailedToken,
    responses((status = 200, description = "Verified.", body = SuccessResponse)),
    extensions(("x-error-codes" = json!([InvalidOrExpiredToken, EmailTaken]))),
)]
pub(crate) async fn verify_email(
    services: Data<Services>,
    context: RequestContext,
    Valid(body): Valid<MailedToken>,
) -> Result<Json<SuccessResponse>, ApiError> {
    service::verify_email(&services, &context, &body.token).await?;
    Ok(Json(SuccessResponse::YES))
}
