//! `POST /api/auth/mfa/recovery-codes`

use actix_web::web::{Data, Json};

use super::new_codes::RecoveryCodes;
use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    AuthenticatorUnusable, Forbidden, InvalidCode, InvalidCredentials, MfaNotEnrolled,
    ReauthenticationRequired, TooManyAttempts,
};
use crate::http::field::TypedPassword;
use crate::service::{Caller, Services, mfa};

body! {
    pub struct RecoveryCodesRequest {
        /// A code of the authenticator, or one of the old recovery codes.
        #[schema(example = "287082")]
        code: String,
        /// Checked if present. With a recovery code and without the password, the caller must have authenticated within
        /// the last fifteen minutes.
        #[schema(value_type = Option<String>, format = "password", min_length = 1, max_length = 1024,
            example = "correct horse battery staple")]
        password: Option<TypedPassword>,
    }
}

/// Create new recovery codes
///
/// All earlier ones become invalid.
#[utoipa::path(
    post,
    path = "/api/auth/mfa/recovery-codes",
    tag = "Second factor",
    security(("bearer" = [])),
    request_body = RecoveryCodesRequest,
    responses((status = 200, description = "Ten new codes.", body = RecoveryCodes)),
    extensions(("x-error-codes" = json!([AuthenticatorUnusable, Forbidden, InvalidCode, InvalidCredentials, MfaNotEnrolled,
        ReauthenticationRequired, TooManyAttempts]))),
)]
pub(crate) async fn recovery_codes(
    services: Data<Services>,
    caller: Caller,
    Valid(body): Valid<RecoveryCodesRequest>,
) -> Result<Json<RecoveryCodes>, ApiError> {
    let password = body.password.as_ref().map(TypedPassword::expose);
    let codes = mfa::renew_recovery_codes(&services, &caller, password, &body.code).await?;
    Ok(Json((&codes).into()))
}
