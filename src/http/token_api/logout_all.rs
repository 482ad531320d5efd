//! `POST /api/auth/logout-all`

use actix_web::web::{Data, Json};

use super::done::SuccessResponse;
use super::no_fields::NoFields;
use crate::http::body::Valid;
use crate::http::caller::Enrolling;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::Forbidden;
use crate::service::{self, Services};

/// Sign out everywhere
///
/// Ends all sessions of the caller, including this one.
#[utoipa::path(
    post,
    path = "/api/auth/logout-all",
    tag = "Sessions",
    security(("bearer" = [])),
    request_body = NoFields,
    responses((status = 200, description = "Signed out everywhere.", body = SuccessResponse)),
    extensions(("x-error-codes" = json!([Forbidden]))),
)]
pub(crate) async fn logout_all(
    services: Data<Services>,
    Enrolling(caller): Enrolling,
    _: Valid<NoFields>,
) -> Result<Json<SuccessResponse>, ApiError> {
    service::logout_all(&services, &caller).await?;
    Ok(Json(SuccessResponse::YES))
}
