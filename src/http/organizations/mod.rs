//! Organizations, their members and invitations: part of the token API.

pub mod accept_invitation;
pub mod invitations;
pub mod invite;
pub mod join;
pub mod members;
mod organization;
pub mod read;
pub mod remove_member;
pub mod revoke_invitation;
pub mod update;

use std::str::FromStr;

use super::error::ApiError;
use super::error_code::ErrorCode;
use crate::domain::OrganizationId;

/// The organization id in a path; an invalid id counts as not found.
fn organization_id(text: &str) -> Result<OrganizationId, ApiError> {
    OrganizationId::from_str(text).map_err(|_| ErrorCode::OrganizationNotFound.into())
}
