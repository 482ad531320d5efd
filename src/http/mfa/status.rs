//! `GET /api/auth/mfa`

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::caller::Enrolling;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::Forbidden;
use crate::service::{Services, mfa};

/// Whether the caller signs in with a second factor.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MfaStatus {
    #[schema(example = true)]
    enabled: bool,
    /// Out of ten.
    #[schema(example = 9)]
    recovery_codes_left: i64,
}

/// Read the second factor's status
#[utoipa::path(
    get,
    path = "/api/auth/mfa",
    tag = "Second factor",
    security(("bearer" = [])),
    responses((status = 200, description = "The status of the second factor.", body = MfaStatus)),
    extensions(("x-error-codes" = json!([Forbidden]))),
)]
pub(crate) async fn status(
    services: Data<Services>,
    Enrolling(caller): Enrolling,
) -> Result<Json<MfaStatus>, ApiError> {
    let status = mfa::status(&services, &caller).await?;
    Ok(Json(MfaStatus {
        enabled: status.is_enabled,
        recovery_codes_left: status.recovery_codes_left,
    }))
}
