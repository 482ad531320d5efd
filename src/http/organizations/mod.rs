//! Organizations, their members, invitations and join links: part of the token API.

pub(super) mod accept_invitation;
pub(super) mod accept_own_invitation;
pub(super) mod create;
pub(super) mod create_join_link;
pub(super) mod decline_invitation;
pub(super) mod delete;
pub(super) mod invitations;
pub(super) mod invite;
pub(super) mod join;
pub(super) mod join_by_link_or_slug;
pub(super) mod join_links;
pub(super) mod list;
pub(super) mod members;
pub(super) mod my_organization;
mod organization;
pub(super) mod own_invitations;
pub(super) mod read;
pub(super) mod remove_member;
pub(super) mod revoke_invitation;
pub(super) mod revoke_join_link;
pub(super) mod take_over_join_link;
pub(super) mod update;

use std::str::FromStr;

use super::error::ApiError;
use super::error_code::ErrorCode;
use crate::domain::OrganizationId;

/// The organization id in a path; an invalid id counts as not found.
fn organization_id(text: &str) -> Result<OrganizationId, ApiError> {
    OrganizationId::from_str(text).map_err(|_| ErrorCode::OrganizationNotFound.into())
}
