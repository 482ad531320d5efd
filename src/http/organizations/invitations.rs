//! `GET /api/organizations/{id}/invitations`

use actix_web::web::{Data, Json, Path};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::organization_id;
use crate::domain::{self, InvitationId, OrganizationId, Role, UserId};
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{Forbidden, OrganizationNotFound};
use crate::service::{Caller, Services, invitations as service};

#[derive(Serialize, ToSchema)]
pub(crate) struct Invitations {
    /// Newest first.
    invitations: Vec<Invitation>,
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
/// For managers and admins: invitations that can be accepted, at most 500.
#[utoipa::path(
    get,
    path = "/api/organizations/{id}/invitations",
    tag = "Organizations",
    security(("bearer" = [])),
    params(("id" = OrganizationId, Path, description = "The caller's organization.")),
    responses((status = 200, description = "The open invitations.", body = Invitations)),
    extensions(("x-error-codes" = json!([Forbidden, OrganizationNotFound]))),
)]
pub(crate) async fn invitations(
    services: Data<Services>,
    caller: Caller,
    id: Path<String>,
) -> Result<Json<Invitations>, ApiError> {
    let open = service::list(&services, &caller, organization_id(&id)?).await?;
    Ok(Json(Invitations {
        invitations: open.into_iter().map(Invitation::from).collect(),
    }))
}
