//! `POST /api/organizations/{id}/invitations`

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use super::invitations::Invitation;
use super::organization_id;
use crate::domain::{Email, OrganizationId, Role};
use crate::http::body::Valid;
use crate::http::body_macro::body;
use crate::http::error::ApiError;
use crate::http::error_code::ErrorCode::{
    AlreadyMember, EmailNotVerified, Forbidden, NoOrganization, OrganizationClosed,
    OrganizationNotFound, ReauthenticationRequired,
};
use crate::service::invitations::{self, Invite};
use crate::service::{MemberCaller, Services};

body! {
    pub struct InviteRequest {
        #[schema(value_type = String, format = "email", max_length = 254, example = "bob@example.com")]
        email: Email,
        /// At most the caller's own role; `employee` by default. To invite an admin, the caller must have authenticated
        /// within the last fifteen minutes.
        role: Option<Role>,
    }
}

/// Invite a user
///
/// For managers and admins. The address gets an e-mail with a link that works once, for seven days. Inviting it again
/// replaces the open invitation with its role, link and expiry.
///
/// The caller's own address must be verified, unless Slack calls them an owner or admin of the organization's workspace.
/// An account can send 100 invitations an hour, an organization or an address 500.
#[utoipa::path(
    post,
    path = "/api/organizations/{id}/invitations",
    tag = "Organizations",
    security(("bearer" = [])),
    params(("id" = OrganizationId, Path, description = "The caller's organization.")),
    request_body = InviteRequest,
    responses((status = 201, description = "Invited.", body = Invitation)),
    extensions(("x-error-codes" = json!([NoOrganization, Forbidden, EmailNotVerified, OrganizationNotFound, AlreadyMember,
        OrganizationClosed, ReauthenticationRequired]))),
)]
pub(crate) async fn invite(
    services: Data<Services>,
    caller: MemberCaller,
    id: Path<String>,
    Valid(body): Valid<InviteRequest>,
) -> Result<HttpResponse, ApiError> {
    let id = organization_id(&id)?;
    let invite = Invite {
        email: body.email,
        role: body.role.unwrap_or(Role::Employee),
    };
    let invitation = invitations::invite(&services, &caller, id, invite).await?;
    Ok(HttpResponse::Created().json(Invitation::from(invitation)))
}
