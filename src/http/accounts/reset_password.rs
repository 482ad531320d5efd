//! `POST /api/auth/reset-password`

use actix_web::web::{Data, Json};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::http::body::Valid;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::InvalidOrExpiredToken;
use crate::http::field::{Parsed, Password, acceptable};
use crate::http::token_api::done::SuccessResponse;
use crate::service::{self, RequestContext, Services};

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetPasswordRequest {
    /// What stands behind `token=` in the letter's link.
    #[validate(custom(function = "acceptable"))]
    #[schema(value_type = String, example = "u8H1VYkQ3mLw9TtR5nYc1JhF8bGd2SaEk7Qv0ZpX3mA")]
    token: Parsed<String>,
    /// At least 8 characters, unless the service is set up otherwise, and no common password.
    #[validate(custom(function = "acceptable"))]
    #[schema(value_type = String, format = "password", min_length = 1, max_length = 100, example = "an engine weaves algebra")]
    password: Parsed<Password>,
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
    let (token, password) = (body.token.into_value()?, body.password.into_value()?);
    service::reset_password(&services, &context, &token, password.expose()).await?;
    Ok(Json(SuccessResponse::YES))
}
