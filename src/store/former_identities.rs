//! The tables `detached_identities` and `removed_identities`: accounts at Slack that led to a user.

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, select};
use diesel::prelude::*;

use super::schema::{detached_identities, identities, removed_identities, workspaces};
use super::types::Timestamp;
use super::{StoreError, Tx, later, on};
use crate::domain::{Identity, IdentityId, OrganizationId, SlackAccount, UserId};

const SLACK: &str = "slack";

/// Deletes these of a user's identities, and remembers that they were theirs.
pub fn detach(
    tx: &mut Tx<'_>,
    user_id: UserId,
    which: &[Identity],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let ids: Vec<IdentityId> = which.iter().map(|identity| identity.id).collect();
    let accounts: Vec<(String, String)> = on!(tx, |conn| diesel::delete(
        identities::table
            .filter(identities::user_id.eq(user_id))
            .filter(identities::id.eq_any(&ids))
    )
    .returning((identities::team_id, identities::external_id))
    .get_results(conn))?;
    for (team_id, external_id) in &accounts {
        let values = (
            detached_identities::user_id.eq(user_id),
            detached_identities::provider.eq(SLACK),
            detached_identities::team_id.eq(team_id),
            detached_identities::external_id.eq(external_id),
            detached_identities::detached_at.eq(Timestamp(now)),
        );
        on!(tx, |conn| diesel::insert_into(detached_identities::table)
            .values(values)
            .on_conflict_do_nothing()
            .execute(conn))?;
    }
    Ok(())
}

/// Remembers that a user was removed from an organization, by all accounts of its workspaces that led to them.
pub fn remember_removal(
    tx: &mut Tx<'_>,
    user_id: UserId,
    organization_id: OrganizationId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for account in accounts_of(tx, user_id, organization_id)? {
        let values = (
            removed_identities::provider.eq(SLACK),
            removed_identities::team_id.eq(account.team_id),
            removed_identities::external_id.eq(account.user_id),
            removed_identities::organization_id.eq(organization_id),
            removed_identities::removed_at.eq(Timestamp(now)),
        );
        later!(
            tx,
            diesel::insert_into(removed_identities::table)
                .values(values)
                .on_conflict_do_nothing()
        )?;
    }
    Ok(())
}

/// Undoes [`remember_removal`], because the organization admits the user again.
pub fn forget_removal(
    tx: &mut Tx<'_>,
    user_id: UserId,
    organization_id: OrganizationId,
) -> Result<(), StoreError> {
    for account in accounts_of(tx, user_id, organization_id)? {
        later!(
            tx,
            diesel::delete(removed_identities::table.find((
                SLACK,
                &account.team_id,
                &account.user_id
            )))
        )?;
    }
    Ok(())
}

/// Whether the owner of an account at Slack was removed from the organization of its workspace.
pub fn is_removed(tx: &mut Tx<'_>, account: &SlackAccount) -> Result<bool, StoreError> {
    Ok(on!(tx, |conn| select(exists(
        removed_identities::table.find((SLACK, &account.team_id, &account.user_id))
    ))
    .get_result(conn))?)
}

/// Whether an account of an organization's workspaces leads to a user, or did until a reset detached it.
pub fn exist_for(
    tx: &mut Tx<'_>,
    user_id: UserId,
    organization_id: OrganizationId,
) -> Result<bool, StoreError> {
    Ok(!accounts_of(tx, user_id, organization_id)?.is_empty())
}

/// The accounts of an organization's workspaces that lead to a user, or did until a reset detached them.
fn accounts_of(
    tx: &mut Tx<'_>,
    user_id: UserId,
    organization_id: OrganizationId,
) -> Result<Vec<SlackAccount>, StoreError> {
    let teams: Vec<String> = on!(tx, |conn| workspaces::table
        .filter(workspaces::organization_id.eq(organization_id))
        .select(workspaces::team_id)
        .load(conn))?;
    let mut accounts: Vec<(String, String)> = on!(tx, |conn| identities::table
        .filter(identities::user_id.eq(user_id))
        .filter(identities::team_id.eq_any(&teams))
        .select((identities::team_id, identities::external_id))
        .load(conn))?;
    let detached: Vec<(String, String)> = on!(tx, |conn| detached_identities::table
        .filter(detached_identities::user_id.eq(user_id))
        .filter(detached_identities::team_id.eq_any(&teams))
        .select((
            detached_identities::team_id,
            detached_identities::external_id
        ))
        .load(conn))?;
    accounts.extend(detached);
    Ok(accounts
        .into_iter()
        .map(|(team_id, user_id)| SlackAccount { team_id, user_id })
        .collect())
}
