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
    InvalidCode, InvalidOrExpiredToken, MfaAlreadyEnabled, TooManyAttempts,
};
use crate::service::{RequestContext, Services, mfa};

body! {
    pub struct EnrolRequest {
        /// Of a sign-in with `enrolmentRequired`, in place of a bearer token.
        #[schema(example = "u8H1VYkQ3mLw9TtR5nYc1JhF8bGd2SaEk7Qv0ZpX3mA")]
        mfa_token: Option<String>,
        /// A code of the authenticator in use, or a recovery code, to replace it.
        #[schema(example = "287082")]
        code: Option<String>,
    }
}

/// What an authenticator is told. It counts once a code of it was confirmed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Enrolment {
    /// In base32, for people who cannot scan.
    #[schema(example = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")]
    secret: String,
    #[schema(
        example = "otpauth://totp/Hallpass:ada%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Hallpass&algorithm=SHA1&digits=6&period=30"
    )]
    otpauth_uri: String,
    /// The URI as an SVG.
    #[schema(example = "<svg xmlns=\"http://www.w3.org/2000/svg\" …</svg>")]
    qr_code: String,
}

/// Begin to enrol an authenticator
///
/// Makes a secret; asking again makes another one. It counts once a code was confirmed. Whoever has an
/// authenticator sends a `code` to replace it, and goes on with the old one until then.
#[utoipa::path(
    post,
    path = "/api/auth/mfa/totp",
    tag = "Second factor",
    security((), ("bearer" = [])),
    request_body = EnrolRequest,
    responses((status = 200, description = "For the authenticator.", body = Enrolment)),
    extensions(("x-error-codes" = json!([InvalidCode, InvalidOrExpiredToken, MfaAlreadyEnabled, TooManyAttempts]))),
)]
pub async fn enrol(
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
