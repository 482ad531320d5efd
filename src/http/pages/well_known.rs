//! Well-known URIs (RFC 8615).

use std::fmt::Write as _;

use actix_web::HttpResponse;
use actix_web::http::header::{ContentType, LOCATION};
use actix_web::web::Data;
use chrono::SecondsFormat;

use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode;
use crate::http::settings::Settings;
use crate::service::Services;

/// Where to change a password
///
/// For password managers ("A Well-Known URL for Changing Passwords", W3C). Redirects to `/reset-password` at `APP_URL`.
#[utoipa::path(
    get,
    path = "/.well-known/change-password",
    tag = "Pages",
    operation_id = "well_known_change_password",
    responses((status = 302, description = "Redirects to the page.", headers(("Location" = String))))
)]
pub(crate) async fn change_password(settings: Data<Settings>) -> HttpResponse {
    let mut page = settings.app_url.clone();
    let base = settings.app_url.path().trim_end_matches('/').to_owned();
    page.set_path(&format!("{base}/reset-password"));
    HttpResponse::Found()
        .insert_header((LOCATION, page.as_str()))
        .finish()
}

/// Where to report a vulnerability
///
/// RFC 9116. The contacts are those of `SECURITY_CONTACT`.
#[utoipa::path(
    get,
    path = "/.well-known/security.txt",
    tag = "Pages",
    operation_id = "well_known_security_txt",
    responses((status = 200, description = "The file.", content_type = "text/plain", body = String)),
    extensions(("x-error-codes" = json!([ErrorCode::NotFound]))),
)]
pub(crate) async fn security_txt(
    services: Data<Services>,
    settings: Data<Settings>,
) -> Result<HttpResponse, ApiError> {
    if settings.security_contacts.is_empty() {
        return Err(ErrorCode::NotFound.into());
    }
    let mut file = String::new();
    for contact in &settings.security_contacts {
        let _ = writeln!(file, "Contact: {contact}");
    }
    let expires = services
        .security_txt_expires()
        .to_rfc3339_opts(SecondsFormat::Secs, true);
    let canonical = settings.public("/.well-known/security.txt");
    let _ = write!(file, "Expires: {expires}\nCanonical: {canonical}\n");
    Ok(HttpResponse::Ok()
        .content_type(ContentType::plaintext())
        .body(file))
}
