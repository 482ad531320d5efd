//! Where programs look for a page.

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::Data;

use crate::http::settings::Settings;

/// Where to change one's password
///
/// For password managers ("A Well-Known URL for Changing Passwords", W3C). Leads to `/reset-password` where letters lead,
/// at `APP_URL`.
#[utoipa::path(
    get,
    path = "/.well-known/change-password",
    tag = "Pages",
    operation_id = "well_known_change_password",
    responses((status = 302, description = "To the page.", headers(("Location" = String))))
)]
pub async fn change_password(settings: Data<Settings>) -> HttpResponse {
    let mut page = settings.app_url.clone();
    let base = settings.app_url.path().trim_end_matches('/').to_owned();
    page.set_path(&format!("{base}/reset-password"));
    HttpResponse::Found()
        .insert_header((LOCATION, page.as_str()))
        .finish()
}
