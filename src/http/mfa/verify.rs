//! `POST /api/auth/mfa/verify`

use actix_web::web::{Data, Json};

use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    AuthenticatorUnusable, InvalidCode, InvalidOrExpiredToken, TooManyAttempts,
};
use crate::http::token_api::signed_in::SignedIn;
use crate::service::{RequestContext, Services, mfa};

body! {
    pub struct VerifyRequest {
        /// The `mfaToken` of the first step.
        #[schema(example = "u8H1VYkQ3mLw9TtR5nYc1JhF8bGd2SaEk7Qv0ZpX3mA")]
        mfa_token: String,
        /// A code of the authenticator, or a recovery code.
        #[schema(example = "287082")]
        code: String,
    }
}

/// Sign in: the second step
///
/// Exchanges the `mfaToken` of the first step and a code for an access token. After a wrong code another may be
/// tried; five in a row lock the account's second factor for fifteen minutes, and ten end the sign-in.
#[utoipa::path(
    post,
    path = "/api/auth/mfa/verify",
    tag = "Second factor",
    request_body = VerifyRequest,
    responses((status = 200, description = "Signed in.", body = SignedIn)),
    extensions(("x-error-codes" = json!([AuthenticatorUnusable, InvalidCode, InvalidOrExpiredToken, TooManyAttempts]))),
)]
pub(crate) async fn verify(
    services: Data<Services>,
    context: RequestContext,
    Valid(body): Valid<VerifyRequest>,
) -> Result<Json<SignedIn>, ApiError> {
    let signed_in = mfa::verify(&services, &context, &body.mfa_token, &body.code).await?;
    Ok(Json(signed_in.into()))
}
