//! `GET /api/organizations/{id}/members`

use actix_web::web::{Data, Json, Path};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::organization_id;
use crate::domain::{self, OrganizationId, Role, UserId};
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    Forbidden, NoOrganization, OrganizationNotFound, ValidationFailed,
};
use crate::http::paging::{cursor, page_request};
use crate::http::query::Query;
use crate::service::{self, MemberCaller, Services};

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Members {
    /// Ordered by id.
    members: Vec<Member>,
    /// For the next page; null on the last one.
    #[schema(required, example = "AZqfLl0beiCcPWSx4Peowg")]
    next_cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Member {
    id: UserId,
    #[schema(example = "Ada Lovelace")]
    name: String,
    /// Null for some users who sign in with Slack.
    #[schema(required, format = "email", example = "ada@example.com")]
    email: Option<String>,
    role: Role,
    #[schema(example = "2026-11-22T09:30:00Z")]
    joined_at: DateTime<Utc>,
}

impl From<domain::Member> for Member {
    fn from(member: domain::Member) -> Self {
        Self {
            id: member.id,
            name: member.name.to_string(),
            email: member.email.map(|email| email.to_string()),
            role: member.role,
            joined_at: member.joined_at,
        }
    }
}

/// List members
///
/// For managers and admins.
#[utoipa::path(
    get,
    path = "/api/organizations/{id}/members",
    tag = "Organizations",
    security(("bearer" = [])),
    params(
        ("id" = OrganizationId, Path, description = "The caller's organization."),
        ("limit" = Option<u8>, Query, minimum = 1, maximum = 100,
            description = "Members per page, 1 to 100; 100 by default."),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the previous page."),
    ),
    responses((status = 200, description = "A page of members.", body = Members)),
    extensions(("x-error-codes" = json!([NoOrganization, ValidationFailed, Forbidden, OrganizationNotFound]))),
)]
pub(crate) async fn members(
    services: Data<Services>,
    caller: MemberCaller,
    id: Path<String>,
    query: Query,
) -> Result<Json<Members>, ApiError> {
    let id = organization_id(&id)?;
    let query = query.unambiguous()?;
    let mut faults = Vec::new();
    let request = page_request(&query, &mut faults, UserId);
    ApiError::unless_none(faults)?;
    let page = service::list_members(&services, &caller, id, request).await?;
    Ok(Json(Members {
        members: page.items.into_iter().map(Member::from).collect(),
        next_cursor: page.next.map(|id| cursor(id.0)),
    }))
}
