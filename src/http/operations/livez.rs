//! `GET /livez`

use actix_web::web::Json;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub(crate) struct Alive {
    #[schema(example = "ok")]
    status: &'static str,
}

/// Liveness
///
/// Checks only the process: restart it if this does not answer.
#[utoipa::path(
    get,
    path = "/livez",
    tag = "Operations",
    responses((status = 200, description = "The process is alive.", body = Alive)),
)]
pub(crate) async fn livez() -> Json<Alive> {
    Json(Alive { status: "ok" })
}
