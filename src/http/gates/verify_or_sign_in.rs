//! `ANY /api/auth/verify-or-sign-in`

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse};

use super::admission::admit;
use super::visit;
use crate::http::app_data::{services, settings};
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{CrossSiteRequest, NoOrganization};

/// Let a visitor pass, or lead to the sign-in page
///
/// As `/api/auth/verify`, but a browser that opens a page and is not signed in is redirected to the sign-in page, and
/// from there back to the page that trusted proxies name in `X-Forwarded-Proto`, `-Host` and `-Uri`, if a sign-in may
/// lead there.
#[utoipa::path(
    get,
    path = "/api/auth/verify-or-sign-in",
    tag = "Gates",
    security(("bearer" = [])),
    responses(
        (
            status = 200, description = "The visitor may pass. No value is empty.",
            headers(
                ("Remote-User" = String, description = "The user's id."),
                ("Remote-Email" = String, description = "The address, or `-`."),
                ("Remote-Name" = String, description = "The name, in percent-encoded UTF-8."),
                ("Remote-Groups" = String, description = "The role in the organization."),
                ("X-Hallpass-Organization" = String, description = "The organization's id."),
                ("X-Hallpass-Session" = String, description = "The id of the session, or of the API token."),
            ),
        ),
        (status = 302, description = "To the sign-in page.", headers(("Location" = String))),
    ),
    extensions(("x-error-codes" = json!([CrossSiteRequest, NoOrganization]))),
)]
pub(crate) async fn verify_or_sign_in(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    match admit(&request).await {
        Err(refusal)
            if refusal.code().status() == StatusCode::UNAUTHORIZED
                && visit::is_navigation(&request) =>
        {
            to_sign_in(&request)
        }
        answer => answer,
    }
}

fn to_sign_in(request: &HttpRequest) -> Result<HttpResponse, ApiError> {
    let (services, settings) = (services(request)?, settings(request)?);
    let mut sign_in = settings.public("/api/auth/signin");
    if let Some(page) = visit::page(request, services, settings) {
        sign_in
            .query_pairs_mut()
            .append_pair("callbackUrl", page.as_str());
    }
    Ok(HttpResponse::Found()
        .insert_header((LOCATION, sign_in.as_str()))
        .finish())
}
