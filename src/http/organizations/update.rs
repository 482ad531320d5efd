//! `PATCH /api/organizations/{id}`

use actix_web::web::{Data, Json, Path};

use super::organization::Organization;
use super::organization_id;
use crate::domain::{AllowedDomains, JoinPolicy, OrganizationId, OrganizationName};
use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{Forbidden, MfaNotEnrolled, OrganizationNotFound};
use crate::service::{self, Caller, RequestContext, Services};

body! {
    pub struct UpdateOrganizationRequest {
        #[schema(value_type = Option<String>, min_length = 2, max_length = 255, example = "Analytical Engines")]
        name: Option<OrganizationName>,
        /// `open`: anybody who knows the id joins. `domain`: the people of `allowedDomains` and the invited. `invite`:
        /// the invited. `closed`: nobody.
        join_policy: Option<JoinPolicy>,
        /// Instead of the list so far. A domain stands for itself, not for those below it.
        #[schema(value_type = Option<Vec<String>>, max_items = 50, example = json!(["example.com"]))]
        allowed_domains: Option<AllowedDomains>,
        /// Only an admin who has a second factor may ask everybody for one.
        #[schema(example = true)]
        require_mfa: Option<bool>,
    }
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
    context: RequestContext,
    caller: Caller,
    id: Path<String>,
    Valid(body): Valid<UpdateOrganizationRequest>,
) -> Result<Json<Organization>, ApiError> {
    let id = organization_id(&id)?;
    let update = service::UpdateOrganization {
        name: body.name,
        join_policy: body.join_policy,
        allowed_domains: body.allowed_domains,
        require_mfa: body.require_mfa,
    };
    let updated = service::update_organization(&services, &context, &caller, id, update).await?;
    Ok(Json(updated.into()))
}
