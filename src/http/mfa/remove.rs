//! `DELETE /api/auth/mfa/totp`

use actix_web::web::{Data, Json};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::http::body::Valid;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    InvalidCode, InvalidCredentials, MfaNotEnrolled, MfaRequired, TooManyAttempts,
};
use crate::http::field::{Parsed, Password, acceptable};
use crate::http::token_api::done::SuccessResponse;
use crate::service::{Caller, Services, mfa};

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveMfaRequest {
    /// May be left out by accounts that have none.
    #[validate(custom(function = "acceptable"))]
    #[schema(value_type = Option<String>, format = "password", min_length = 1, max_length = 100, example = "correct horse battery staple")]
    password: Option<Parsed<Password>>,
    /// Of the authenticator, or a recovery code.
    #[validate(custom(function = "acceptable"))]
    #[schema(value_type = String, example = "287082")]
    code: Parsed<String>,
}

/// Remove one's authenticator
///
/// Every other session of the caller ends. Not while one of the caller's organizations wants a second
/// factor.
#[utoipa::path(
    delete,
    path = "/api/auth/mfa/totp",
    tag = "Second factor",
    security(("bearer" = [])),
    request_body = RemoveMfaRequest,
    responses((status = 200, description = "Removed.", body = SuccessResponse)),
    extensions(("x-error-codes" = json!([InvalidCode, InvalidCredentials, MfaNotEnrolled, MfaRequired, TooManyAttempts]))),
)]
pub async fn remove(
    services: Data<Services>,
    caller: Caller,
    Valid(body): Valid<RemoveMfaRequest>,
) -> Result<Json<SuccessResponse>, ApiError> {
    let password = body.password.map(Parsed::into_value).transpose()?;
    let (password, code) = (
        password.as_ref().map(Password::expose),
        body.code.into_value()?,
    );
    mfa::remove(&services, &caller, password, &code).await?;
    Ok(Json(SuccessResponse::YES))
}
