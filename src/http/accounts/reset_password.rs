//! `POST /api/auth/reset-password`

use actix_web::web::{Data, Json};

use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::InvalidOrExpiredToken;
use crate::http::field::Password;
use crate::http::token_api::done::SuccessResponse;
use crate::service::{self, RequestContext, Services};

body! {
    pub struct ResetPasswordRequest {
        /// What stands behind `token=` in the letter's link.
        #[schema(example = "u8H1VYkQ3mLw9TtR5nYc1JhF8bGd2SaEk7Qv0ZpX3mA")]
        token: String,
        /// At least 8 characters, unless the service is set up otherwise, and no common password.
        #[schema(value_type = String, format = "password", min_length = 1, max_length = 100,
            example = "an engine weaves algebra")]
        password: Password,
    }
}

/// Choose a new password
///
/// Takes the token of the letter that was asked for. Every session of the account ends; nobody is signed in by it. The
/// address counts as verified from now on; where it did not before, identities at Slack are detached as well. A
/// password that breaks a rule leaves the token good.
#[utoipa::path(
    post,
    path = "/api/auth/reset-password",
    tag = "Accounts",
    request_body = ResetPasswordRequest,
    responses((status = 200, description = "Changed.", body = SuccessResponse)),
    extensions(("x-error-codes" = json!([InvalidOrExpiredToken]))),
)]
pub async fn reset_password(
    services: Data<Services>,
    context: RequestContext,
    Valid(body): Valid<ResetPasswordRequest>,
) -> Result<Json<SuccessResponse>, ApiError> {
    let password = body.password.expose();
    service::reset_password(&services, &context, &body.token, password).await?;
    Ok(Json(SuccessResponse::YES))
}
