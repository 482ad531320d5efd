//! `POST /api/auth/logout`

use actix_web::web::{Data, Json};

use super::done::SuccessResponse;
use super::no_fields::NoFields;
use crate::http::body::Valid;
use crate::http::caller::Enrolling;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::Forbidden;
use crate::service::{self, Services};

/// Sign out
///
/// Ends the token's session; its tokens are rejected from now on.
#[utoipa::path(
    post,
    path = "/api/auth/logout",
    tag = "Sessions",
    security(("bearer" = [])),
    request_body = NoFields,
    responses((status = 200, description = "Signed out.", body = SuccessResponse)),
    extensions(("x-error-codes" = json!([Forbidden]))),
)]
pub(crate) async fn logout(
    services: Data<Services>,
    Enrolling(caller): Enrolling,
    _: Valid<NoFields>,
) -> Result<Json<SuccessResponse>, ApiError> {
    service::logout(&services, &caller).await?;
    Ok(Json(SuccessResponse::YES))
}
