//! `GET /.well-known/oauth-authorization-server`

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::document::public;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode;
use crate::http::settings::Settings;
use crate::service::Services;

/// Where a framework finds the keys of access tokens (RFC 8414). Hallpass is no OAuth server: it offers no flow.
#[derive(Serialize, ToSchema)]
pub(crate) struct ServerMetadata {
    /// `iss` of access tokens, which is `JWT_ISSUER`; if that is not set, `PUBLIC_URL`, and tokens have no `iss`.
    #[schema(example = "https://id.example.com")]
    issuer: String,
    #[schema(example = "https://id.example.com/.well-known/jwks.json")]
    jwks_uri: String,
    /// RFC 7662, for services with a key of theirs, which they send as Bearer or as the password of Basic.
    #[schema(example = "https://id.example.com/api/auth/introspect")]
    introspection_endpoint: String,
    introspection_endpoint_auth_methods_supported: [&'static str; 1],
    /// None. What is left out would stand for the flows that RFC 8414 names as the default.
    #[schema(max_items = 0)]
    response_types_supported: [&'static str; 0],
    #[schema(max_items = 0)]
    grant_types_supported: [&'static str; 0],
}

/// Where the keys of access tokens are
///
/// Metadata of an authorization server (RFC 8414), for frameworks that are given an issuer and look for its keys. 404
/// without `JWT_SIGNING_KEY`. There is no `openid-configuration`, because Hallpass is no OpenID provider.
#[utoipa::path(
    get,
    path = "/.well-known/oauth-authorization-server",
    tag = "Services",
    operation_id = "well_known_oauth_authorization_server",
    responses(
        (status = 200, description = "The metadata.", body = ServerMetadata, headers(("ETag" = String))),
        (status = 304, description = "As `If-None-Match` has it."),
    ),
    extensions(("x-error-codes" = json!([ErrorCode::NotFound]))),
)]
pub(crate) async fn metadata(
    request: HttpRequest,
    services: Data<Services>,
    settings: Data<Settings>,
) -> Result<HttpResponse, ApiError> {
    if services.public_keys().is_none() {
        return Err(ErrorCode::NotFound.into());
    }
    let own = settings.public_url.as_str().trim_end_matches('/');
    let issuer = services.token_issuer().unwrap_or(own).to_owned();
    let metadata = ServerMetadata {
        issuer,
        jwks_uri: settings.public("/.well-known/jwks.json").into(),
        introspection_endpoint: settings.public("/api/auth/introspect").into(),
        introspection_endpoint_auth_methods_supported: ["client_secret_basic"],
        response_types_supported: [],
        grant_types_supported: [],
    };
    public(&request, &metadata)
}
