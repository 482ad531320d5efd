//! `GET /openapi.json`

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, ContentType};

use crate::http::openapi;

static DOCUMENT: LazyLock<String> = LazyLock::new(openapi::openapi_json);

/// This contract for machines
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "Operations",
    responses((status = 200, description = "An OpenAPI 3.1 document.", body = Object)),
)]
pub(crate) async fn openapi_json() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(ContentType::json())
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .body(DOCUMENT.as_str())
}
