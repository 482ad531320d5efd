//! `POST /api/organizations/{id}/join-links`

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::join_links::JoinLink;
use super::organization_id;
use crate::domain::join_link::MOST_USES;
use crate::domain::violation::ValidationError;
use crate::domain::{OrganizationId, Role};
use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    Forbidden, NoOrganization, OrganizationClosed, OrganizationNotFound, ReauthenticationRequired,
    TooManyJoinLinks,
};
use crate::http::field::{FromJson, number};
use crate::http::settings::Settings;
use crate::service::join_links::{self, CreateJoinLink};
use crate::service::{MemberCaller, Services};

/// How many people may join by a link.
pub(super) struct Uses(i32);

impl FromJson for Uses {
    fn from_json(value: Value) -> Result<Self, ValidationError> {
        let advice = "Please send a whole number from 1 to 10000.";
        number(&value, 1, MOST_USES.unsigned_abs(), advice).map(|uses| Self(uses.cast_signed()))
    }
}

body! {
    pub struct CreateJoinLinkRequest {
        /// The role of who joins by it. To make a link for admins, the caller must have authenticated within the last
        /// fifteen minutes.
        role: Role,
        /// In seven days by default, in a year at most.
        #[schema(example = "2026-11-29T09:30:00Z")]
        expires_at: Option<DateTime<Utc>>,
        /// How many people may join by it; any number by default.
        #[schema(value_type = Option<u32>, minimum = 1, maximum = 10_000, example = 25)]
        uses: Option<Uses>,
    }
}

/// A new join link. Its token is shown only here.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedJoinLink {
    /// For `POST /api/organizations/join`. It cannot be shown again.
    #[schema(example = "u8H1VYkQ3mLw9TtR5nYc1JhF8bGd2SaEk7Qv0ZpX3mA")]
    token: String,
    /// The page of this service by which people join.
    #[schema(
        format = "uri",
        example = "https://id.example.com/join?token=u8H1VYkQ3mLw9TtR5nYc1JhF8bGd2SaEk7Qv0ZpX3mA"
    )]
    url: String,
    #[serde(flatten)]
    about: JoinLink,
}

/// Create a join link
///
/// For admins. Who has the link and an account joins with its role, whatever the join policy, except `closed`. It ends
/// when it is used up, revoked or expired, and when the caller is no longer an admin of the organization.
#[utoipa::path(
    post,
    path = "/api/organizations/{id}/join-links",
    tag = "Organizations",
    security(("bearer" = [])),
    params(("id" = OrganizationId, Path, description = "The caller's organization.")),
    request_body = CreateJoinLinkRequest,
    responses((status = 201, description = "Created.", body = CreatedJoinLink)),
    extensions(("x-error-codes" = json!([NoOrganization, Forbidden, OrganizationNotFound, OrganizationClosed, ReauthenticationRequired,
        TooManyJoinLinks]))),
)]
pub(crate) async fn create_join_link(
    services: Data<Services>,
    settings: Data<Settings>,
    caller: MemberCaller,
    id: Path<String>,
    Valid(body): Valid<CreateJoinLinkRequest>,
) -> Result<HttpResponse, ApiError> {
    let id = organization_id(&id)?;
    let create = CreateJoinLink {
        role: body.role,
        expires_at: body.expires_at,
        uses: body.uses.map(|Uses(uses)| uses),
    };
    let created = join_links::create(&services, &caller, id, create).await?;
    let token = created.expose_token().to_owned();
    let mut url = settings.public("/join");
    url.query_pairs_mut().append_pair("token", &token);
    Ok(HttpResponse::Created().json(CreatedJoinLink {
        token,
        url: url.into(),
        about: created.link.into(),
    }))
}
