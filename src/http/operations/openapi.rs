//! `GET /openapi.json`

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::header::{
    AcceptEncoding, CACHE_CONTROL, CONTENT_ENCODING, ContentType, Encoding, Header as _, VARY,
};
use actix_web::web::Data;

use super::embedded::{self, replacing};
use crate::http::settings::Settings;

/// The server in the embedded document.
const SERVER: &str = r#""url": "/""#;

/// This contract for machines
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "Operations",
    responses((status = 200, description = "An OpenAPI 3.1 document.", body = Object)),
)]
pub(crate) async fn openapi_json(request: HttpRequest, settings: Data<Settings>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response
        .insert_header(ContentType::json())
        .insert_header((VARY, "Accept-Encoding"))
        .insert_header((CACHE_CONTROL, "public, max-age=300"));
    let base = settings.base_path();
    if base == "/" && accepts_gzip(&request) {
        return response
            .insert_header((CONTENT_ENCODING, "gzip"))
            .body(embedded::OPENAPI);
    }
    let server = format!(r#""url": {}"#, serde_json::Value::from(base));
    response.streaming(replacing(embedded::OPENAPI, SERVER, server))
}

fn accepts_gzip(request: &HttpRequest) -> bool {
    let offered = [Encoding::gzip(), Encoding::identity()];
    AcceptEncoding::parse(request)
        .is_ok_and(|accepted| accepted.negotiate(offered.iter()) == Some(Encoding::gzip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_document_names_its_server_once() {
        let document = embedded::openapi_json();
        assert_eq!(document.matches(SERVER).count(), 1);
        assert_eq!(document.lines().last(), Some("}"));
    }
}
