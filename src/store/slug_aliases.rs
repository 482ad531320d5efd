//! The `slug_aliases` table: former slugs, which go on leading to their organizations.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::schema::slug_aliases;
use super::types::Timestamp;
use super::{StoreError, Tx, on};
use crate::domain::{OrganizationId, Slug};

pub fn insert(
    tx: &mut Tx<'_>,
    slug: &Slug,
    organization_id: OrganizationId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let values = (
        slug_aliases::slug.eq(slug.as_str()),
        slug_aliases::organization_id.eq(organization_id),
        slug_aliases::created_at.eq(Timestamp(now)),
    );
    on!(tx, |conn| diesel::insert_into(slug_aliases::table)
        .values(values)
        .execute(conn))?;
    Ok(())
}

/// The organization that had this slug, and has another one now.
pub fn owner(tx: &mut Tx<'_>, slug: &Slug) -> Result<Option<OrganizationId>, StoreError> {
    Ok(on!(tx, |conn| slug_aliases::table
        .find(slug.as_str())
        .select(slug_aliases::organization_id)
        .get_result(conn)
        .optional())?)
}

/// How many former slugs an organization has.
pub fn count_of(tx: &mut Tx<'_>, organization_id: OrganizationId) -> Result<i64, StoreError> {
    Ok(on!(tx, |conn| slug_aliases::table
        .filter(slug_aliases::organization_id.eq(organization_id))
        .count()
        .get_result(conn))?)
}

pub fn delete(tx: &mut Tx<'_>, slug: &Slug) -> Result<(), StoreError> {
    on!(tx, |conn| diesel::delete(
        slug_aliases::table.find(slug.as_str())
    )
    .execute(conn))?;
    Ok(())
}
