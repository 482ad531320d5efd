//! The `external_organizations` table: which organization a name elsewhere became.

use diesel::prelude::*;

use super::schema::external_organizations;
use super::{StoreError, Tx, later, on};
use crate::domain::{ImportId, OrganizationId};

/// The organization that this name of the source became.
pub fn find(
    tx: &mut Tx<'_>,
    source: &str,
    name: &str,
) -> Result<Option<OrganizationId>, StoreError> {
    Ok(on!(tx, |conn| external_organizations::table
        .find((source, name))
        .select(external_organizations::organization_id)
        .get_result(conn)
        .optional())?)
}

/// Notes what a name has become; `run_id` is the run that created the organization, if one did.
pub fn insert(
    tx: &mut Tx<'_>,
    (source, name): (&str, &str),
    organization_id: OrganizationId,
    run_id: Option<ImportId>,
) -> Result<(), StoreError> {
    let values = (
        external_organizations::source.eq(source),
        external_organizations::name.eq(name),
        external_organizations::organization_id.eq(organization_id),
        external_organizations::run_id.eq(run_id),
    );
    later!(
        tx,
        diesel::insert_into(external_organizations::table)
            .values(values)
            .on_conflict_do_nothing()
    )?;
    Ok(())
}

/// At most `limit` organizations that a run has created, after `after`.
pub fn list_created_by(
    tx: &mut Tx<'_>,
    (run_id, source): (ImportId, &str),
    after: &str,
    limit: u32,
) -> Result<Vec<(String, OrganizationId)>, StoreError> {
    Ok(on!(tx, |conn| external_organizations::table
        .filter(external_organizations::source.eq(source))
        .filter(external_organizations::name.gt(after))
        .filter(external_organizations::run_id.eq(run_id))
        .order(external_organizations::name)
        .select((
            external_organizations::name,
            external_organizations::organization_id
        ))
        .limit(limit.into())
        .load(conn))?)
}
