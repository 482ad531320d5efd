//! `POST /api/auth/_log`

use actix_web::HttpResponse;
use serde_json::json;

/// What the client has to complain of
///
/// The client of NextAuth reports its own errors here. They are not read: anybody could write anything.
#[utoipa::path(
    post,
    path = "/api/auth/_log",
    tag = "NextAuth",
    responses((status = 200, description = "Ignored.")),
)]
pub async fn log() -> HttpResponse {
    HttpResponse::Ok().json(json!({}))
}
