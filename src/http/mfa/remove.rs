//! `DELETE /api/auth/mfa/totp`

use actix_web::web::{Data, Json};

use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    AuthenticatorUnusable, Forbidden, InvalidCode, InvalidCredentials, MfaNotEnrolled, MfaRequired,
    ReauthenticationRequired, TooManyAttempts,
};
use crate::http::field::TypedPassword;
use crate::http::token_api::done::SuccessResponse;
use crate::service::{Caller, Services, mfa};

body! {
    pub struct RemoveMfaRequest {
        /// Accounts without a password leave it out; they must have authenticated within the last fifteen minutes.
        #[schema(value_type = Option<String>, format = "password", min_length = 1, max_length = 1024,
            example = "correct horse battery staple")]
        password: Option<TypedPassword>,
        /// A code of the authenticator, or a recovery code.
        #[schema(example = "287082")]
        code: String,
    }
}

/// Remove the authenticator
///
/// All other sessions of the caller end. Not allowed while one of the caller's organizations requires a second
/// factor.
#[utoipa::path(
    delete,
    path = "/api/auth/mfa/totp",
    tag = "Second factor",
    security(("bearer" = [])),
    request_body = RemoveMfaRequest,
    responses((status = 200, description = "Removed.", body = SuccessResponse)),
    extensions(("x-error-codes" = json!([AuthenticatorUnusable, Forbidden, InvalidCode, InvalidCredentials, MfaNotEnrolled,
        MfaRequired, ReauthenticationRequired, TooManyAttempts]))),
)]
pub(crate) async fn remove(
    services: Data<Services>,
    caller: Caller,
    Valid(body): Valid<RemoveMfaRequest>,
) -> Result<Json<SuccessResponse>, ApiError> {
    let password = body.password.as_ref().map(TypedPassword::expose);
    mfa::remove(&services, &caller, password, &body.code).await?;
    Ok(Json(SuccessResponse::YES))
}
