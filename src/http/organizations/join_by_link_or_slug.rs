//! `POST /api/organizations/join`

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use crate::domain::Violation;
use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    AlreadyMember, Forbidden, InvalidOrExpiredToken, InvitationRequired, OrganizationClosed,
    OrganizationNotFound, ReauthenticationRequired, SessionTooOld, TooManyOrganizations,
};
use crate::http::settings::Settings;
use crate::http::token_api::renewed::renewed;
use crate::http::token_api::signed_in::SignIn;
use crate::service::{Caller, Services, join_links, join_organization_by_slug};

body! {
    /// One of the two.
    pub struct JoinOrganizationRequest {
        /// The token of a join link.
        #[schema(example = "u8H1VYkQ3mLw9TtR5nYc1JhF8bGd2SaEk7Qv0ZpX3mA")]
        token: Option<String>,
        /// The slug of an organization, or a former one.
        #[schema(example = "analytical-engines")]
        slug: Option<String>,
    }
}

/// Join an organization by link or slug
///
/// By the link's `token` with the role of the link, whatever the join policy, except `closed`; for a member that is
/// success, and uses nothing up. By `slug` as at `/api/organizations/{id}/join`. The new token is for that organization.
#[utoipa::path(
    post,
    path = "/api/organizations/join",
    tag = "Organizations",
    security(("bearer" = [])),
    request_body = JoinOrganizationRequest,
    responses((status = 200, description = "Joined.", body = SignIn, headers(("Set-Cookie" = String)))),
    extensions(("x-error-codes" = json!([InvalidOrExpiredToken, Forbidden, InvitationRequired, OrganizationNotFound,
        AlreadyMember, OrganizationClosed, ReauthenticationRequired, SessionTooOld, TooManyOrganizations]))),
)]
pub(crate) async fn join_by_link_or_slug(
    services: Data<Services>,
    settings: Data<Settings>,
    request: HttpRequest,
    caller: Caller,
    Valid(body): Valid<JoinOrganizationRequest>,
) -> Result<HttpResponse, ApiError> {
    let sign_in = match (body.token, body.slug) {
        (Some(token), None) => join_links::join(&services, &caller, &token).await?,
        (None, Some(slug)) => join_organization_by_slug(&services, &caller, &slug).await?,
        (Some(_), Some(_)) => {
            let why = "Please send either token or slug.";
            return Err(vec![Violation::new("slug", "either_or", why)].into());
        }
        (None, None) => {
            let why = "Please send the token of a join link, or a slug.";
            return Err(vec![Violation::new("token", "required", why)].into());
        }
    };
    Ok(renewed(sign_in, request.headers(), &settings))
}
