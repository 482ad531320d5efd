//! `GET /openapi.json`

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, ContentType};
use actix_web::web::Data;

use crate::http::openapi::openapi_json_at;
use crate::http::settings::Settings;

/// This contract for machines
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "Operations",
    responses((status = 200, description = "An OpenAPI 3.1 document.", body = Object)),
)]
pub(crate) async fn openapi_json(settings: Data<Settings>) -> HttpResponse {
    let document = settings
        .openapi_document
        .get_or_init(|| openapi_json_at(settings.base_path()).into());
    HttpResponse::Ok()
        .insert_header(ContentType::json())
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .body(document.clone())
}
