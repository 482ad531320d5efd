//! `GET /.well-known/jwks.json`

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::document::public;
use crate::domain::PublicKey;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode;
use crate::service::Services;

/// The public keys that verify access tokens, as a JWK Set (RFC 7517).
#[derive(Serialize, ToSchema)]
pub(crate) struct JwkSet {
    /// The one that signs comes first. It has no secret keys.
    keys: Vec<Jwk>,
}

/// A key of a JWK Set.
#[derive(Serialize, ToSchema)]
pub(crate) struct Jwk {
    #[schema(example = "EC")]
    kty: &'static str,
    #[schema(example = "P-256")]
    crv: &'static str,
    /// 32 bytes in base64url, as `y`.
    #[schema(example = "JnSimsPeJuJJT9U_UUSkQplk2lwDREqHc7Q0f1T0Tec")]
    x: String,
    #[schema(example = "HOhWWfYYBVqXOKaq9931O1GY_BGvGw-JYh89CD__GbE")]
    y: String,
    /// The thumbprint of the key (RFC 7638), which the header of its tokens names.
    #[schema(example = "t22Ld-p_1SJBaxRvbjbO2bOTXK_EBbP91OB1fcorIA4")]
    kid: String,
    #[serde(rename = "use")]
    #[schema(example = "sig")]
    purpose: &'static str,
    #[schema(example = "ES256")]
    alg: &'static str,
}

impl From<PublicKey> for Jwk {
    fn from(PublicKey { kid, x, y }: PublicKey) -> Self {
        Self {
            kty: "EC",
            crv: "P-256",
            x,
            y,
            kid,
            purpose: "sig",
            alg: "ES256",
        }
    }
}

/// The keys that verify access tokens
///
/// A JWK Set (RFC 7517) of the keys in `JWT_SIGNING_KEY`; 404 without one, since `JWT_SECRET` then signs. Every page
/// may read it, and keep it for five minutes.
#[utoipa::path(
    get,
    path = "/.well-known/jwks.json",
    tag = "Services",
    operation_id = "well_known_jwks",
    responses(
        (status = 200, description = "The keys.", body = JwkSet, headers(("ETag" = String))),
        (status = 304, description = "As `If-None-Match` has them."),
    ),
    extensions(("x-error-codes" = json!([ErrorCode::NotFound]))),
)]
pub(crate) async fn jwks(
    request: HttpRequest,
    services: Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let keys = services.public_keys().ok_or(ErrorCode::NotFound)?;
    let keys = keys.into_iter().map(Jwk::from).collect();
    public(&request, &JwkSet { keys })
}
