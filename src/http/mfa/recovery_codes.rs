//! `POST /api/auth/mfa/recovery-codes`

use actix_web::web::{Data, Json};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::new_codes::RecoveryCodes;
use crate::http::body::Valid;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    InvalidCode, InvalidCredentials, MfaNotEnrolled, TooManyAttempts,
};
use crate::http::field::{Parsed, Password, acceptable};
use crate::service::{Caller, Services, mfa};

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecoveryCodesRequest {
    /// Of the authenticator, or one of the old recovery codes.
    #[validate(custom(function = "acceptable"))]
    #[schema(value_type = String, example = "287082")]
    code: Parsed<String>,
    /// Looked at where it is given.
    #[validate(custom(function = "acceptable"))]
    #[schema(value_type = Option<String>, format = "password", min_length = 1, max_length = 100, example = "correct horse battery staple")]
    password: Option<Parsed<Password>>,
}

/// Get new recovery codes
///
/// All earlier ones are void.
#[utoipa::path(
    post,
    path = "/api/auth/mfa/recovery-codes",
    tag = "Second factor",
    security(("bearer" = [])),
    request_body = RecoveryCodesRequest,
    responses((status = 200, description = "Ten new codes.", body = RecoveryCodes)),
    extensions(("x-error-codes" = json!([InvalidCode, InvalidCredentials, MfaNotEnrolled, TooManyAttempts]))),
)]
pub async fn recovery_codes(
    services: Data<Services>,
    caller: Caller,
    Valid(body): Valid<RecoveryCodesRequest>,
) -> Result<Json<RecoveryCodes>, ApiError> {
    let password = body.password.map(Parsed::into_value).transpose()?;
    let (password, code) = (
        password.as_ref().map(Password::expose),
        body.code.into_value()?,
    );
    let codes = mfa::renew_recovery_codes(&services, &caller, password, &code).await?;
    Ok(Json((&codes).into()))
}
