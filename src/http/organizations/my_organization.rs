//! An organization as one of its members lists it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{self, OrganizationId, Role};

/// An organization of the caller.
#[derive(Serialize, ToSchema)]
pub(crate) struct MyOrganization {
    id: OrganizationId,
    #[schema(example = "Analytical Engines")]
    name: String,
    #[schema(example = "analytical-engines")]
    slug: String,
    /// The caller's role there.
    role: Role,
    /// Whether it is the one that the token is for.
    #[schema(example = true)]
    current: bool,
}

impl MyOrganization {
    pub(crate) fn new(
        organization: domain::MyOrganization,
        current: Option<OrganizationId>,
    ) -> Self {
        Self {
            current: Some(organization.id) == current,
            id: organization.id,
            name: organization.name.to_string(),
            slug: organization.slug.to_string(),
            role: organization.role,
        }
    }
}
