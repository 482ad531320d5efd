//! The `workspaces` table: which Slack workspace belongs to which organization.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::schema::workspaces;
use super::types::Timestamp;
use super::{StoreError, Tx, on};
use crate::domain::OrganizationId;

const SLACK: &str = "slack";

pub fn find(tx: &mut Tx<'_>, team_id: &str) -> Result<Option<OrganizationId>, StoreError> {
    Ok(on!(tx, |conn| workspaces::table
        .find((SLACK, team_id))
        .select(workspaces::organization_id)
        .get_result(conn)
        .optional())?)
}

/// # Errors
/// `Taken(Workspace)`.
pub fn insert(
    tx: &mut Tx<'_>,
    team_id: &str,
    organization_id: OrganizationId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let values = (
        workspaces::provider.eq(SLACK),
        workspaces::team_id.eq(team_id),
        workspaces::organization_id.eq(organization_id),
        workspaces::created_at.eq(Timestamp(now)),
    );
    on!(tx, |conn| diesel::insert_into(workspaces::table)
        .values(values)
        .execute(conn))?;
    Ok(())
}
