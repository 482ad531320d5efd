//! `POST /api/organizations`

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::organization::Organization;
use crate::domain::{OrganizationName, Slug};
use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    Forbidden, RegistrationClosed, SlugTaken, TooManyOrganizations,
};
use crate::service::{self, Caller, CreateOrganization, Services};

body! {
    pub struct CreateOrganizationRequest {
        #[schema(value_type = String, min_length = 2, max_length = 255, example = "Analytical Engines")]
        name: OrganizationName,
        /// By default the name in Latin letters; required if the name has no such spelling. Letters a to z, digits and
        /// single hyphens between them.
        #[schema(value_type = Option<String>, min_length = 1, max_length = 63, example = "analytical-engines")]
        slug: Option<Slug>,
    }
}

/// Create an organization
///
/// The caller becomes its admin. The token stays for the organization that it is for; refresh with `organizationId` to
/// switch to the new one.
#[utoipa::path(
    post,
    path = "/api/organizations",
    tag = "Organizations",
    security(("bearer" = [])),
    request_body = CreateOrganizationRequest,
    responses((status = 201, description = "Created.", body = Organization)),
    extensions(("x-error-codes" = json!([Forbidden, RegistrationClosed, SlugTaken, TooManyOrganizations]))),
)]
pub(crate) async fn create_organization(
    services: Data<Services>,
    caller: Caller,
    Valid(body): Valid<CreateOrganizationRequest>,
) -> Result<HttpResponse, ApiError> {
    let create = CreateOrganization {
        name: body.name,
        slug: body.slug,
    };
    let created = service::create_organization(&services, &caller, create).await?;
    Ok(HttpResponse::Created().json(Organization::from(created)))
}
