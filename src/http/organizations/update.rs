//! `PATCH /api/organizations/{id}`

use actix_web::web::{Data, Json, Path};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::organization::Organization;
use super::organization_id;
use crate::domain::{AllowedDomains, JoinPolicy, OrganizationId, OrganizationName};
use crate::http::body::Valid;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{Forbidden, MfaNotEnrolled, OrganizationNotFound};
use crate::http::field::{Parsed, acceptable};
use crate::service::{self, Caller, Services};

#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateOrganizationRequest {
    #[validate(custom(function = "acceptable"))]
    #[schema(value_type = Option<String>, min_length = 2, max_length = 255, example = "Analytical Engines")]
    name: Option<Parsed<OrganizationName>>,
    /// `open`: anybody who knows the id joins. `domain`: the people of `allowedDomains` and the invited. `invite`:
    /// the invited. `closed`: nobody.
    #[validate(custom(function = "acceptable"))]
    #[schema(value_type = Option<JoinPolicy>)]
    join_policy: Option<Parsed<JoinPolicy>>,
    /// Instead of the list so far. A domain stands for itself, not for those below it.
    #[validate(custom(function = "acceptable"))]
    #[schema(value_type = Option<Vec<String>>, max_items = 50, example = json!(["example.com"]))]
    allowed_domains: Option<Parsed<AllowedDomains>>,
    /// Only an admin who has a second factor may ask everybody for one.
    #[validate(custom(function = "acceptable"))]
    #[schema(value_type = Option<bool>, example = true)]
    require_mfa: Option<Parsed<bool>>,
}

/// Change one's organization
///
/// For admins. What is left out stays as it is, and the slug always does.
#[utoipa::path(
    patch,
    path = "/api/organizations/{id}",
    tag = "Organizations",
    security(("bearer" = [])),
    params(("id" = OrganizationId, Path, description = "The caller's organization.")),
    request_body = UpdateOrganizationRequest,
    responses((status = 200, description = "The organization, changed.", body = Organization)),
    extensions(("x-error-codes" = json!([Forbidden, OrganizationNotFound, MfaNotEnrolled]))),
)]
pub async fn update_organization(
    services: Data<Services>,
    caller: Caller,
    id: Path<String>,
    Valid(body): Valid<UpdateOrganizationRequest>,
) -> Result<Json<Organization>, ApiError> {
    let id = organization_id(&id)?;
    let update = service::UpdateOrganization {
        name: body.name.map(Parsed::into_value).transpose()?,
        join_policy: body.join_policy.map(Parsed::into_value).transpose()?,
        allowed_domains: body.allowed_domains.map(Parsed::into_value).transpose()?,
        require_mfa: body.require_mfa.map(Parsed::into_value).transpose()?,
    };
    let updated = service::update_organization(&services, &caller, id, update).await?;
    Ok(Json(updated.into()))
}
