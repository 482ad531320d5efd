//! The `memberships` table.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::schema::memberships;
use super::types::At;
use super::{StoreError, Tx, on, parsed};
use crate::domain::{Membership, OrganizationId, UserId};

#[derive(Queryable, Selectable)]
#[diesel(table_name = memberships)]
struct MembershipRow {
    user_id: UserId,
    organization_id: OrganizationId,
    role: String,
    manager_id: Option<UserId>,
}

impl TryFrom<MembershipRow> for Membership {
    type Error = StoreError;

    fn try_from(row: MembershipRow) -> Result<Self, StoreError> {
        Ok(Self {
            user_id: row.user_id,
            organization_id: row.organization_id,
            role: parsed(&row.role)?,
            manager_id: row.manager_id,
        })
    }
}

/// # Errors
/// `Taken(Membership)`.
pub fn insert(
    tx: &mut Tx<'_>,
    membership: &Membership,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let values = (
        memberships::user_id.eq(membership.user_id),
        memberships::organization_id.eq(membership.organization_id),
        memberships::role.eq(membership.role.as_str()),
        memberships::manager_id.eq(membership.manager_id),
        memberships::created_at.eq(At(now)),
        memberships::updated_at.eq(At(now)),
    );
    on!(tx, |conn| diesel::insert_into(memberships::table)
        .values(values)
        .execute(conn))?;
    Ok(())
}

/// A user's memberships, the first joined first.
pub fn list_of_user(tx: &mut Tx<'_>, user_id: UserId) -> Result<Vec<Membership>, StoreError> {
    let rows: Vec<MembershipRow> = on!(tx, |conn| memberships::table
        .filter(memberships::user_id.eq(user_id))
        .order((memberships::created_at, memberships::organization_id))
        .select(MembershipRow::as_select())
        .load(conn))?;
    rows.into_iter().map(Membership::try_from).collect()
}

/// Everybody's memberships, or those in one organization, by user and in the order they joined.
pub fn list(
    tx: &mut Tx<'_>,
    organization_id: Option<OrganizationId>,
) -> Result<Vec<Membership>, StoreError> {
    let rows: Vec<MembershipRow> = on!(tx, |conn| {
        let mut query = memberships::table
            .order((
                memberships::user_id,
                memberships::created_at,
                memberships::organization_id,
            ))
            .select(MembershipRow::as_select())
            .into_boxed();
        if let Some(id) = organization_id {
            query = query.filter(memberships::organization_id.eq(id));
        }
        query.load(conn)
    })?;
    rows.into_iter().map(Membership::try_from).collect()
}
