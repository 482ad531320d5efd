//! `GET /api/invitations`

use actix_web::web::{Data, Json};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{InvitationId, OrganizationId, Role};
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{EmailNotVerified, Forbidden};
use crate::service::invitations::{self, OwnInvitation as Own};
use crate::service::{Caller, Services};

#[derive(Serialize, ToSchema)]
pub(crate) struct OwnInvitations {
    /// Newest first, at most fifty.
    invitations: Vec<OwnInvitation>,
}

/// An invitation that the caller can accept.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OwnInvitation {
    id: InvitationId,
    organization: InvitingOrganization,
    role: Role,
    /// The name of who invites; null for an automatic invitation and for one of the operator.
    #[schema(required, example = "Ada Lovelace")]
    inviter: Option<String>,
    #[schema(example = "2026-11-22T09:30:00Z")]
    created_at: DateTime<Utc>,
    #[schema(example = "2026-11-29T09:30:00Z")]
    expires_at: DateTime<Utc>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct InvitingOrganization {
    id: OrganizationId,
    #[schema(example = "Analytical Engines")]
    name: String,
}

impl From<Own> for OwnInvitation {
    fn from(own: Own) -> Self {
        Self {
            id: own.id,
            organization: InvitingOrganization {
                id: own.organization_id,
                name: own.organization.to_string(),
            },
            role: own.role,
            inviter: own.inviter.map(|name| name.to_string()),
            created_at: own.created_at,
            expires_at: own.expires_at,
        }
    }
}

/// List one's invitations
///
/// Those of the caller's verified address that can be accepted, in every organization.
#[utoipa::path(
    get,
    path = "/api/invitations",
    tag = "Organizations",
    security(("bearer" = [])),
    responses((status = 200, description = "The caller's invitations.", body = OwnInvitations)),
    extensions(("x-error-codes" = json!([EmailNotVerified, Forbidden]))),
)]
pub(crate) async fn own_invitations(
    services: Data<Services>,
    caller: Caller,
) -> Result<Json<OwnInvitations>, ApiError> {
    let own = invitations::list_own(&services, &caller).await?;
    Ok(Json(OwnInvitations {
        invitations: own.into_iter().map(OwnInvitation::from).collect(),
    }))
}
