//! `GET /api/auth/me`

use actix_web::web::Json;

use super::user::User;
use crate::service::Caller;

/// Read the current user
///
/// The caller's current data, which may differ from the token's claims.
#[utoipa::path(
    get,
    path = "/api/auth/me",
    tag = "Current user",
    security(("bearer" = [])),
    responses((status = 200, description = "The current user.", body = User)),
)]
pub(crate) async fn me(caller: Caller) -> Json<User> {
    Json(caller.profile.into())
}
