//! `POST /api/tokens`

use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::api_token::ApiToken;
use crate::domain::{ApiTokenName, Role};
use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    Forbidden, NoOrganization, ReauthenticationRequired, TooManyApiTokens,
};
use crate::service::{self, CreateApiToken, MemberCaller, Services};

body! {
    pub struct CreateApiTokenRequest {
        #[schema(value_type = String, min_length = 1, max_length = 100, example = "nightly export")]
        name: ApiTokenName,
        /// At most the caller's own role; `employee` by default.
        role: Option<Role>,
        /// When the token expires; never by default.
        #[schema(example = "2027-01-31T12:00:00Z")]
        expires_at: Option<DateTime<Utc>>,
    }
}

/// A new token. Its secret is shown only here.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedApiToken {
    /// For `Authorization: Bearer`. It cannot be shown again.
    #[schema(example = "hp_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcQjZeTA")]
    token: String,
    #[serde(flatten)]
    about: ApiToken,
}

/// Create an API token
///
/// For a service that acts for the caller. The token ends when it is revoked, when it expires, and when the caller is
/// disabled or leaves the organization. It may also end with the session that made it: at sign-out everywhere, and when
/// the password changes. The caller must have authenticated within the last fifteen minutes, and is told by e-mail.
#[utoipa::path(
    post,
    path = "/api/tokens",
    tag = "API tokens",
    security(("bearer" = [])),
    request_body = CreateApiTokenRequest,
    responses((status = 201, description = "Created.", body = CreatedApiToken)),
    extensions(("x-error-codes" = json!([NoOrganization, Forbidden, ReauthenticationRequired, TooManyApiTokens]))),
)]
pub(crate) async fn create_api_token(
    services: Data<Services>,
    caller: MemberCaller,
    Valid(body): Valid<CreateApiTokenRequest>,
) -> Result<HttpResponse, ApiError> {
    let create = CreateApiToken {
        name: body.name,
        role: body.role,
        expires_at: body.expires_at,
    };
    let created = service::create_api_token(&services, &caller, create).await?;
    Ok(HttpResponse::Created().json(CreatedApiToken {
        token: created.secret.expose().to_owned(),
        about: created.token.into(),
    }))
}
