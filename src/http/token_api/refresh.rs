//! `POST /api/auth/refresh`

use actix_web::web::{Data, Json};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::signed_in::SignedIn;
use crate::domain::OrganizationId;
use crate::http::body::Valid;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::OrganizationNotFound;
use crate::http::given::{Given, acceptable};
use crate::service::{self, Caller, RequestContext, Services};

#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RefreshRequest {
    /// Switches to another of the caller's organizations.
    #[validate(custom(function = "acceptable"))]
    #[schema(value_type = Option<OrganizationId>)]
    organization_id: Option<Given<OrganizationId>>,
}

/// Refresh the token
///
/// Takes any still-valid token, reads user, role and organization anew, and answers a fresh one.
/// The old token stays good until its own end, so parallel tabs and retries do no harm.
#[utoipa::path(
    post,
    path = "/api/auth/refresh",
    tag = "Signing in",
    security(("bearer" = [])),
    request_body = RefreshRequest,
    responses((status = 200, description = "Refreshed.", body = SignedIn)),
    extensions(("x-error-codes" = json!([OrganizationNotFound]))),
)]
pub async fn refresh(
    services: Data<Services>,
    context: RequestContext,
    caller: Caller,
    Valid(body): Valid<RefreshRequest>,
) -> Result<Json<SignedIn>, ApiError> {
    let switch_to = body.organization_id.map(Given::into_value).transpose()?;
    let signed_in = service::refresh(&services, &context, &caller, switch_to).await?;
    Ok(Json(signed_in.into()))
}
