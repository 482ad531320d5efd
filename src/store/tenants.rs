//! Organizations as clients of session tokens see them: by slug, with their rules.

use diesel::prelude::*;

use super::schema::organizations;
use super::{StoreError, Tx, on, parsed};
use crate::domain::{JoinPolicy, OrganizationId, Slug};

/// An organization and the rules that its clients show.
#[derive(Debug, Clone)]
pub struct Tenant {
    pub organization_id: OrganizationId,
    pub slug: Slug,
    pub join_policy: JoinPolicy,
    pub require_mfa: bool,
}

type Row = (OrganizationId, String, String, bool);

fn tenant((organization_id, slug, join_policy, require_mfa): Row) -> Result<Tenant, StoreError> {
    Ok(Tenant {
        organization_id,
        slug: Slug::from_stored(slug),
        join_policy: parsed(&join_policy)?,
        require_mfa,
    })
}

pub fn find(tx: &mut Tx<'_>, id: OrganizationId) -> Result<Option<Tenant>, StoreError> {
    let row: Option<Row> = on!(tx, |conn| organizations::table
        .find(id)
        .select((
            organizations::id,
            organizations::slug,
            organizations::join_policy,
            organizations::require_mfa
        ))
        .get_result(conn)
        .optional())?;
    row.map(tenant).transpose()
}

pub fn find_by_slug(tx: &mut Tx<'_>, slug: &str) -> Result<Option<Tenant>, StoreError> {
    let row: Option<Row> = on!(tx, |conn| organizations::table
        .filter(organizations::slug.eq(slug))
        .select((
            organizations::id,
            organizations::slug,
            organizations::join_policy,
            organizations::require_mfa
        ))
        .get_result(conn)
        .optional())?;
    row.map(tenant).transpose()
}
