//! `PATCH /api/organizations/{id}`

use actix_web::web::{Data, Json, Path};

use super::organization::Organization;
use super::organization_id;
use crate::domain::{
    AllowedDomains, JoinPolicy, OrganizationId, OrganizationName, SessionIdle, SessionLifetime,
    Slug, TokenLifetime,
};
use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    Forbidden, MfaNotEnrolled, NoOrganization, OrganizationNotFound, ReauthenticationRequired,
    SlugTaken, TooManySlugs,
};
use crate::http::field::Patch;
use crate::service::{self, MemberCaller, Services, UpdateLifetimes};

body! {
    pub struct UpdateOrganizationRequest {
        #[schema(value_type = Option<String>, min_length = 2, max_length = 255, example = "Analytical Engines")]
        name: Option<OrganizationName>,
        /// The organization's name in URLs, host names and `tenant`: letters a to z, digits and single hyphens between
        /// them. The former slug goes on working, for this organization only.
        #[schema(value_type = Option<String>, min_length = 1, max_length = 63, example = "analytical-engines")]
        slug: Option<Slug>,
        /// `open`: anyone who knows the id can join. `domain`: users with an address in `allowedDomains`, and invited
        /// users. `invite`: invited users. `closed`: no one.
        join_policy: Option<JoinPolicy>,
        /// Replaces the current list. A domain does not include its subdomains.
        #[schema(value_type = Option<Vec<String>>, max_items = 50, example = json!(["example.com"]))]
        allowed_domains: Option<AllowedDomains>,
        /// To require MFA, an admin must have it enabled themselves.
        #[schema(example = true)]
        require_mfa: Option<bool>,
        /// Seconds that an access token for this organization is valid. This and the next two can only shorten what
        /// the instance allows, count for existing sessions too, and are removed by null.
        #[schema(value_type = Option<i32>, minimum = 300, maximum = 604_800, example = 3600)]
        token_lifetime: Patch<TokenLifetime>,
        /// Seconds after which a session ends that speaks for this organization, however often it is refreshed.
        #[schema(value_type = Option<i32>, minimum = 900, maximum = 31_536_000, example = 2_592_000)]
        session_lifetime: Patch<SessionLifetime>,
        /// Seconds without a refresh after which such a session ends. An access token lives at most that long.
        #[schema(value_type = Option<i32>, minimum = 300, maximum = 31_536_000, example = 43_200)]
        session_idle: Patch<SessionIdle>,
    }
}

/// Update the organization
///
/// For admins. Fields that are left out do not change; a new name does not change the slug. For all but name and slug,
/// the caller must have authenticated within the last fifteen minutes.
#[utoipa::path(
    patch,
    path = "/api/organizations/{id}",
    tag = "Organizations",
    security(("bearer" = [])),
    params(("id" = OrganizationId, Path, description = "The caller's organization.")),
    request_body = UpdateOrganizationRequest,
    responses((status = 200, description = "The updated organization.", body = Organization)),
    extensions(("x-error-codes" = json!([NoOrganization, Forbidden, OrganizationNotFound, MfaNotEnrolled,
        ReauthenticationRequired, SlugTaken, TooManySlugs]))),
)]
pub(crate) async fn update_organization(
    services: Data<Services>,
    caller: MemberCaller,
    id: Path<String>,
    Valid(body): Valid<UpdateOrganizationRequest>,
) -> Result<Json<Organization>, ApiError> {
    let id = organization_id(&id)?;
    let update = service::UpdateOrganization {
        name: body.name,
        slug: body.slug,
        join_policy: body.join_policy,
        allowed_domains: body.allowed_domains,
        require_mfa: body.require_mfa,
        lifetimes: UpdateLifetimes {
            token: body.token_lifetime.into_change(),
            session: body.session_lifetime.into_change(),
            idle: body.session_idle.into_change(),
        },
    };
    let updated = service::update_organization(&services, &caller, id, update).await?;
    Ok(Json(updated.into()))
}
