//! `POST /api/auth/mfa/verify`

use actix_web::web::{Data, Json};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::http::body::Valid;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{InvalidCode, InvalidOrExpiredToken, TooManyAttempts};
use crate::http::field::{Parsed, acceptable};
use crate::http::token_api::signed_in::SignedIn;
use crate::service::{RequestContext, Services, mfa};

#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VerifyRequest {
    /// Of the first step.
    #[validate(custom(function = "acceptable"))]
    #[schema(value_type = String, example = "u8H1VYkQ3mLw9TtR5nYc1JhF8bGd2SaEk7Qv0ZpX3mA")]
    mfa_token: Parsed<String>,
    /// Of the authenticator, or a recovery code.
    #[validate(custom(function = "acceptable"))]
    #[schema(value_type = String, example = "287082")]
    code: Parsed<String>,
}

/// Sign in: the second step
///
/// The `mfaToken` of the first step and a code give the token. A wrong code may be followed by another one;
/// five in a row lock the account's second factor for fifteen minutes, and ten end the sign-in.
#[utoipa::path(
    post,
    path = "/api/auth/mfa/verify",
    tag = "Second factor",
    request_body = VerifyRequest,
    responses((status = 200, description = "Signed in.", body = SignedIn)),
    extensions(("x-error-codes" = json!([InvalidCode, InvalidOrExpiredToken, TooManyAttempts]))),
)]
pub async fn verify(
    services: Data<Services>,
    context: RequestContext,
    Valid(body): Valid<VerifyRequest>,
) -> Result<Json<SignedIn>, ApiError> {
    let (token, code) = (body.mfa_token.into_value()?, body.code.into_value()?);
    let signed_in = mfa::verify(&services, &context, &token, &code).await?;
    Ok(Json(signed_in.into()))
}
