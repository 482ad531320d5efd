//! `POST /api/auth/_log`

use actix_web::HttpResponse;
use serde_json::json;

/// Report a client error
///
/// The NextAuth client reports its own errors here. They are ignored, as anyone could send anything.
#[utoipa::path(
    post,
    path = "/api/auth/_log",
    tag = "NextAuth",
    responses((status = 200, description = "Ignored.")),
)]
pub(crate) async fn log() -> HttpResponse {
    HttpResponse::Ok().json(json!({}))
}
