//! `POST /api/auth/mfa/totp`

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::{enroller, qr};
use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::caller::Enrolling;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    AuthenticatorUnusable, Forbidden, InvalidCode, InvalidOrExpiredToken, MfaAlreadyEnabled,
    ReauthenticationRequired, TooManyAttempts,
};
use crate::service::{RequestContext, Services, mfa};

body! {
    pub struct EnrolRequest {
        /// The `mfaToken` of a sign-in with `enrolmentRequired`, instead of a bearer token.
        #[schema(example = "u8H1VYkQ3mLw9TtR5nYc1JhF8bGd2SaEk7Qv0ZpX3mA")]
        mfa_token: Option<String>,
        /// A code of the current authenticator, or a recovery code, to replace it.
        #[schema(example = "287082")]
        code: Option<String>,
    }
}

/// The secret for an authenticator. It becomes active when one of its codes is confirmed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Enrolment {
    /// In base32, for manual entry.
    #[schema(example = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")]
    secret: String,
    #[schema(
        example = "otpauth://totp/Hallpass:ada%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Hallpass&algorithm=SHA1&digits=6&period=30"
    )]
    otpauth_uri: String,
    /// The URI as a QR code in SVG.
    #[schema(example = "<svg xmlns=\"http://www.w3.org/2000/svg\" …</svg>")]
    qr_code: String,
}

/// Begin to enrol an authenticator
///
/// Creates a secret; another call creates another one. It becomes active when a code is confirmed. A user who already
/// has an authenticator sends a `code` to replace it; the old one works until then. With a bearer token, and without a
/// code of the authenticator, the caller must have authenticated within the last fifteen minutes. If the authenticator is
/// unusable, a recovery code is enough, and for fifteen minutes after a sign-in none is needed.
#[utoipa::path(
    post,
    path = "/api/auth/mfa/totp",
    tag = "Second factor",
    security((), ("bearer" = [])),
    request_body = EnrolRequest,
    responses((status = 200, description = "The secret for the authenticator.", body = Enrolment)),
    extensions(("x-error-codes" = json!([AuthenticatorUnusable, Forbidden, InvalidCode, InvalidOrExpiredToken,
        MfaAlreadyEnabled, ReauthenticationRequired, TooManyAttempts]))),
)]
pub(crate) async fn enrol(
    services: Data<Services>,
    context: RequestContext,
    caller: Result<Enrolling, ApiError>,
    Valid(body): Valid<EnrolRequest>,
) -> Result<Json<Enrolment>, ApiError> {
    let who = enroller(body.mfa_token, caller)?;
    let enrolment = mfa::enrol(&services, &context, who, body.code.as_deref()).await?;
    Ok(Json(Enrolment {
        qr_code: qr::svg(&enrolment.uri)?,
        secret: enrolment.secret,
        otpauth_uri: enrolment.uri,
    }))
}
