//! `GET /api/auth/error`

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::{answer, redirect_target};
use crate::http::query::Query;
use crate::http::settings::Settings;

/// Error page
///
/// Redirects to the sign-in page, which says what went wrong.
#[utoipa::path(
    get,
    path = "/api/auth/error",
    tag = "NextAuth",
    params(("error" = Option<String>, Query, description = "Why the sign-in failed.")),
    responses((status = 302, description = "Redirects to `/api/auth/signin`.", headers(("Location" = String)))),
)]
pub(crate) async fn error(settings: Data<Settings>, query: Query) -> HttpResponse {
    let error = query.get("error").unwrap_or("Default");
    let page = redirect_target::page("/api/auth/signin", &[("error", error)], &settings);
    answer::lead_to(&page, false, &[])
}
