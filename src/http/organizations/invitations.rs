//! `GET /api/organizations/{id}/invitations`

use actix_web::web::{Data, Json, Path};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::organization_id;
use crate::domain::{self, InvitationId, OrganizationId, Role, UserId};
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    Forbidden, NoOrganization, OrganizationNotFound, ValidationFailed,
};
use crate::http::paging::{cursor, page_request};
use crate::http::query::Query;
use crate::service::{MemberCaller, Services, invitations as service};

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Invitations {
    /// Newest first.
    invitations: Vec<Invitation>,
    /// For `cursor`; null on the last page.
    #[schema(required, example = "AZqfLl0bSiCcPWSx4PeowA")]
    next_cursor: Option<String>,
}

/// An invitation that can be accepted.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Invitation {
    id: InvitationId,
    #[schema(format = "email", example = "bob@example.com")]
    email: String,
    role: Role,
    /// Null for an automatic invitation to an address of an allowed domain.
    #[schema(required)]
    invited_by: Option<UserId>,
    #[schema(example = "2026-11-22T09:30:00Z")]
    created_at: DateTime<Utc>,
    #[schema(example = "2026-11-29T09:30:00Z")]
    expires_at: DateTime<Utc>,
}

impl From<domain::Invitation> for Invitation {
    fn from(invitation: domain::Invitation) -> Self {
        Self {
            id: invitation.id,
            email: invitation.email.to_string(),
            role: invitation.role,
            invited_by: invitation.invited_by,
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
        }
    }
}

/// List open invitations
///
/// For managers and admins: invitations that can be accepted.
#[utoipa::path(
    get,
    path = "/api/organizations/{id}/invitations",
    tag = "Organizations",
    security(("bearer" = [])),
    params(
        ("id" = OrganizationId, Path, description = "The caller's organization."),
        ("limit" = Option<u8>, Query, minimum = 1, maximum = 100,
            description = "Invitations per page, 1 to 100; 100 by default."),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the previous page."),
    ),
    responses((status = 200, description = "A page of the open invitations.", body = Invitations)),
    extensions(("x-error-codes" = json!([NoOrganization, ValidationFailed, Forbidden, OrganizationNotFound]))),
)]
pub(crate) async fn invitations(
    services: Data<Services>,
    caller: MemberCaller,
    id: Path<String>,
    query: Query,
) -> Result<Json<Invitations>, ApiError> {
    let id = organization_id(&id)?;
    let query = query.unambiguous()?;
    let mut faults = Vec::new();
    let request = page_request(&query, &mut faults, InvitationId);
    ApiError::unless_none(faults)?;
    let page = service::list(&services, &caller, id, request).await?;
    Ok(Json(Invitations {
        invitations: page.items.into_iter().map(Invitation::from).collect(),
        next_cursor: page.next.map(|id| cursor(id.0)),
    }))
}
