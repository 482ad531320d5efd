//! `DELETE /api/auth/sessions/{id}`

use actix_web::web::{Data, Json, Path};

use super::done::SuccessResponse;
use crate::domain::SessionId;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{Forbidden, SessionNotFound};
use crate::service::{self, Caller, Services};

/// End a session
///
/// One of the caller's own. Another user's session, an ended one and an invalid id are all not found.
#[utoipa::path(
    delete,
    path = "/api/auth/sessions/{id}",
    tag = "Sessions",
    security(("bearer" = [])),
    params(("id" = SessionId, Path, description = "The session's id.")),
    responses((status = 200, description = "Ended.", body = SuccessResponse)),
    extensions(("x-error-codes" = json!([Forbidden, SessionNotFound]))),
)]
pub(crate) async fn end_session(
    services: Data<Services>,
    caller: Caller,
    id: Path<String>,
) -> Result<Json<SuccessResponse>, ApiError> {
    let id = id.parse().map_err(|_| SessionNotFound)?;
    service::end_session(&services, &caller, id).await?;
    Ok(Json(SuccessResponse::YES))
}
