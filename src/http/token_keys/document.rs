//! A JSON document that everyone may read and keep for a while.

use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, ContentType, ETAG, EntityTag, Header as _,
    IfNoneMatch,
};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use data_encoding::BASE64URL_NOPAD;
use ring::digest::{SHA256, digest};
use serde::Serialize;

use crate::http::error::ApiError;

/// The document, or 304 to who has it already (RFC 9110 §13.1.2).
pub(super) fn public(
    request: &HttpRequest,
    document: &impl Serialize,
) -> Result<HttpResponse, ApiError> {
    let json =
        serde_json::to_vec(document).map_err(|error| ApiError::internal(error.to_string()))?;
    let hash = BASE64URL_NOPAD.encode(digest(&SHA256, &json).as_ref());
    let tag = EntityTag::new_strong(hash);
    if is_known(request, &tag) {
        return Ok(marked(HttpResponse::NotModified(), &tag).finish());
    }
    Ok(marked(HttpResponse::Ok(), &tag)
        .insert_header(ContentType::json())
        .body(json))
}

fn is_known(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(known)) => known.iter().any(|known| known.weak_eq(tag)),
        Err(_) => false,
    }
}

/// Five minutes are half of what verifiers keep a set of keys for by themselves.
fn marked(mut response: HttpResponseBuilder, tag: &EntityTag) -> HttpResponseBuilder {
    response
        .insert_header((ETAG, tag.to_string()))
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"));
    response
}
