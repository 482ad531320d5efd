//! `POST /api/tokens`

use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::api_token::ApiToken;
use crate::domain::{ApiTokenName, Role};
use crate::http::body::Valid;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{Forbidden, TooManyApiTokens};
use crate::http::field::{Parsed, acceptable};
use crate::service::{self, Caller, CreateApiToken, Services};

#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateApiTokenRequest {
    #[validate(custom(function = "acceptable"))]
    #[schema(value_type = String, min_length = 1, max_length = 100, example = "nightly export")]
    name: Parsed<ApiTokenName>,
    /// At most the caller's own; `employee` when missing.
    #[validate(custom(function = "acceptable"))]
    #[schema(value_type = Option<Role>)]
    role: Option<Parsed<Role>>,
    /// When it ends; never when missing.
    #[validate(custom(function = "acceptable"))]
    #[schema(value_type = Option<DateTime<Utc>>, example = "2027-01-31T12:00:00Z")]
    expires_at: Option<Parsed<DateTime<Utc>>>,
}

/// A new token, shown this once.
#[derive(Serialize, ToSchema)]
pub struct CreatedApiToken {
    /// For `Authorization: Bearer`. Nobody can show it again.
    #[schema(example = "hp_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcQjZeTA")]
    token: String,
    #[serde(flatten)]
    about: ApiToken,
}

/// Make an API token
///
/// For a service that acts in the caller's place. It ends when it is revoked, when its time is over, and when the
/// caller is disabled or leaves the organization.
#[utoipa::path(
    post,
    path = "/api/tokens",
    tag = "API tokens",
    security(("bearer" = [])),
    request_body = CreateApiTokenRequest,
    responses((status = 201, description = "Made.", body = CreatedApiToken)),
    extensions(("x-error-codes" = json!([Forbidden, TooManyApiTokens]))),
)]
pub async fn create_api_token(
    services: Data<Services>,
    caller: Caller,
    Valid(body): Valid<CreateApiTokenRequest>,
) -> Result<HttpResponse, ApiError> {
    let create = CreateApiToken {
        name: body.name.into_value()?,
        role: body.role.map(Parsed::into_value).transpose()?,
        expires_at: body.expires_at.map(Parsed::into_value).transpose()?,
    };
    let created = service::create_api_token(&services, &caller, create).await?;
    Ok(HttpResponse::Created().json(CreatedApiToken {
        token: created.secret.expose().to_owned(),
        about: created.token.into(),
    }))
}
