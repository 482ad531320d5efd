//! `GET /api/organizations`

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::my_organization::MyOrganization;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::Forbidden;
use crate::service::{self, Caller, Services};

#[derive(Serialize, ToSchema)]
pub(crate) struct OwnOrganizations {
    /// The one joined first in front.
    organizations: Vec<MyOrganization>,
}

/// List one's organizations
///
/// Of every user, at most a hundred. To switch to another one, refresh with its `organizationId`.
#[utoipa::path(
    get,
    path = "/api/organizations",
    tag = "Organizations",
    security(("bearer" = [])),
    responses((status = 200, description = "The caller's organizations.", body = OwnOrganizations)),
    extensions(("x-error-codes" = json!([Forbidden]))),
)]
pub(crate) async fn own_organizations(
    services: Data<Services>,
    caller: Caller,
) -> Result<Json<OwnOrganizations>, ApiError> {
    let own = service::list_organizations(&services, &caller).await?;
    let current = caller.profile.organization.map(|active| active.id);
    let organizations = own.into_iter();
    Ok(Json(OwnOrganizations {
        organizations: organizations
            .map(|organization| MyOrganization::new(organization, current))
            .collect(),
    }))
}
