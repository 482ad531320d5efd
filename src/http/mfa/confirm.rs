//! `POST /api/auth/mfa/totp/confirm`

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::enroller;
use super::new_codes::RecoveryCodes;
use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::caller::Enrolling;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    Forbidden, InvalidCode, InvalidOrExpiredToken, MfaAlreadyEnabled, MfaNotEnrolled,
    ReauthenticationRequired, TooManyAttempts,
};
use crate::http::token_api::signed_in::SignedIn;
use crate::service::{RequestContext, Services, mfa};

body! {
    pub struct ConfirmRequest {
        /// The code that the authenticator shows now.
        #[schema(example = "287082")]
        code: String,
        /// The `mfaToken` of a sign-in with `enrolmentRequired`, instead of a bearer token.
        #[schema(example = "u8H1VYkQ3mLw9TtR5nYc1JhF8bGd2SaEk7Qv0ZpX3mA")]
        mfa_token: Option<String>,
    }
}

/// The recovery codes; with an `mfaToken` also the login answer.
#[derive(Serialize, ToSchema)]
pub(crate) struct Confirmed {
    #[serde(flatten)]
    codes: RecoveryCodes,
    #[serde(flatten)]
    signed_in: Option<SignedIn>,
}

/// Confirm an authenticator
///
/// From now on the user signs in with its codes. All other sessions of the user end, and earlier recovery codes
/// become invalid. The user is told by e-mail. With a bearer token, the caller must have authenticated within the last
/// fifteen minutes.
#[utoipa::path(
    post,
    path = "/api/auth/mfa/totp/confirm",
    tag = "Second factor",
    security((), ("bearer" = [])),
    request_body = ConfirmRequest,
    responses((status = 200, description = "Enrolled.", body = Confirmed)),
    extensions(("x-error-codes" = json!([Forbidden, InvalidCode, InvalidOrExpiredToken, MfaAlreadyEnabled,
        MfaNotEnrolled, ReauthenticationRequired, TooManyAttempts]))),
)]
pub(crate) async fn confirm(
    services: Data<Services>,
    context: RequestContext,
    caller: Result<Enrolling, ApiError>,
    Valid(body): Valid<ConfirmRequest>,
) -> Result<Json<Confirmed>, ApiError> {
    let who = enroller(body.mfa_token, caller)?;
    let confirmed = mfa::confirm(&services, &context, who, &body.code).await?;
    Ok(Json(Confirmed {
        codes: (&confirmed.recovery_codes).into(),
        signed_in: confirmed.signed_in.map(SignedIn::from),
    }))
}
