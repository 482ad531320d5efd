//! `DELETE /api/auth/sessions/{id}`

use actix_web::web::{Data, Json, Path};

use super::done::SuccessResponse;
use crate::domain::SessionId;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::SessionNotFound;
use crate::service::{self, Caller, Services};

/// End one of one's sessions
///
/// Another person's session, an ended one and nonsense are all not found.
#[utoipa::path(
    delete,
    path = "/api/auth/sessions/{id}",
    tag = "Sessions",
    security(("bearer" = [])),
    params(("id" = SessionId, Path, description = "A session of the list.")),
    responses((status = 200, description = "Ended.", body = SuccessResponse)),
    extensions(("x-error-codes" = json!([SessionNotFound]))),
)]
pub async fn end_session(
    services: Data<Services>,
    caller: Caller,
    id: Path<String>,
) -> Result<Json<SuccessResponse>, ApiError> {
    let id = id.parse().map_err(|_| SessionNotFound)?;
    service::end_session(&services, &caller, id).await?;
    Ok(Json(SuccessResponse::YES))
}
