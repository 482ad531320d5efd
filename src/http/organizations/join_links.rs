//! `GET /api/organizations/{id}/join-links`

use actix_web::web::{Data, Json, Path};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::organization_id;
use crate::domain::{self, JoinLinkId, OrganizationId, Role, UserId};
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{Forbidden, NoOrganization, OrganizationNotFound};
use crate::service::{MemberCaller, Services, join_links as service};

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JoinLinks {
    /// Oldest first, at most fifty.
    join_links: Vec<JoinLink>,
}

/// A join link that has not expired, without its token.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JoinLink {
    id: JoinLinkId,
    /// The role of who joins by it.
    role: Role,
    /// How many people may join by it; null for any number.
    #[schema(required, example = 25)]
    uses: Option<i32>,
    /// How many have.
    #[schema(example = 3)]
    used: i32,
    /// The admin who made it.
    created_by: UserId,
    #[schema(example = "2026-11-22T09:30:00Z")]
    created_at: DateTime<Utc>,
    #[schema(example = "2026-11-29T09:30:00Z")]
    expires_at: DateTime<Utc>,
}

impl From<domain::JoinLink> for JoinLink {
    fn from(link: domain::JoinLink) -> Self {
        Self {
            id: link.id,
            role: link.role,
            uses: link.uses,
            used: link.used,
            created_by: link.maker_id,
            created_at: link.created_at,
            expires_at: link.expires_at,
        }
    }
}

/// List join links
///
/// For admins: the links that have not expired, used up ones as well.
#[utoipa::path(
    get,
    path = "/api/organizations/{id}/join-links",
    tag = "Organizations",
    security(("bearer" = [])),
    params(("id" = OrganizationId, Path, description = "The caller's organization.")),
    responses((status = 200, description = "The organization's join links.", body = JoinLinks)),
    extensions(("x-error-codes" = json!([NoOrganization, Forbidden, OrganizationNotFound]))),
)]
pub(crate) async fn join_links(
    services: Data<Services>,
    caller: MemberCaller,
    id: Path<String>,
) -> Result<Json<JoinLinks>, ApiError> {
    let id = organization_id(&id)?;
    let links = service::list(&services, &caller, id).await?;
    Ok(Json(JoinLinks {
        join_links: links.into_iter().map(JoinLink::from).collect(),
    }))
}
