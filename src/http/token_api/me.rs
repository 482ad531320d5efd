//! `GET /api/auth/me`

use actix_web::web::Json;

use super::user::User;
use crate::service::Caller;

/// Who am I
///
/// The caller as the database knows them now, not as the token does.
#[utoipa::path(
    get,
    path = "/api/auth/me",
    tag = "Oneself",
    security(("bearer" = [])),
    responses((status = 200, description = "The caller.", body = User)),
)]
pub async fn me(caller: Caller) -> Json<User> {
    Json(caller.profile.into())
}
