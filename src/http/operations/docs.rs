//! `GET /docs`, the reference page, and `GET /`, which redirects to it.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, ContentType, LOCATION, REFERRER_POLICY,
};
use actix_web::web::Data;
use data_encoding::BASE64;
use minijinja::HtmlEscape;
use ring::digest::{SHA256, digest};

use super::embedded::{self, replacing};
use crate::http::settings::Settings;

pub(super) const STYLE: &str = include_str!("docs.css");

/// Only our own style sheet, identified by its hash (CSP Level 3).
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = BASE64.encode(digest(&SHA256, STYLE.as_bytes()).as_ref());
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    )
});

/// Redirect to the reference page
#[utoipa::path(
    get,
    path = "/",
    tag = "Operations",
    responses((status = 302, description = "Redirects to `/docs`.", headers(("Location" = String))))
)]
pub(crate) async fn front_door(settings: Data<Settings>) -> HttpResponse {
    HttpResponse::Found()
        .insert_header((LOCATION, settings.public("/docs").path()))
        .finish()
}

/// This contract for people
#[utoipa::path(
    get,
    path = "/docs",
    tag = "Operations",
    responses((status = 200, description = "This page.", content_type = "text/html", body = String))
)]
pub(crate) async fn docs(settings: Data<Settings>) -> HttpResponse {
    let base = settings.public_url.as_str().trim_end_matches('/');
    let base = HtmlEscape(base).to_string();
    HttpResponse::Ok()
        .insert_header(ContentType::html())
        .insert_header((CONTENT_SECURITY_POLICY, POLICY.as_str()))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .streaming(replacing(embedded::REFERENCE, embedded::PUBLIC_URL, base))
}
