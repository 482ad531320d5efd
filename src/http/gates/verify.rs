//! `ANY /api/auth/verify`

use actix_web::{HttpRequest, HttpResponse};

use super::admission::admit;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{CrossSiteRequest, NoOrganization};

/// Let a visitor pass, or refuse
///
/// For proxies: whether the request of a visitor may pass, and who the visitor is. Any method, path below this one,
/// query and body may be sent, and none is read. With a cookie, a request that may change something must come from an
/// allowed page: `X-Forwarded-Method`, or else the method itself, tells. An outdated cookie is renewed.
#[utoipa::path(
    get,
    path = "/api/auth/verify",
    tag = "Gates",
    security(("bearer" = [])),
    responses((
        status = 200, description = "The visitor may pass. No value is empty.",
        headers(
            ("Remote-User" = String, description = "The user's id."),
            ("Remote-Email" = String, description = "The address, or `-`."),
            ("Remote-Name" = String, description = "The name, in percent-encoded UTF-8."),
            ("Remote-Groups" = String, description = "The role in the organization."),
            ("X-Hallpass-Organization" = String, description = "The organization's id."),
            ("X-Hallpass-Session" = String, description = "The id of the session, or of the API token."),
        ),
    )),
    extensions(("x-error-codes" = json!([CrossSiteRequest, NoOrganization]))),
)]
pub(crate) async fn verify(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    admit(&request).await
}
