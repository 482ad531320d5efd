//! The `identities` table: which Slack account belongs to which user.

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, select};
use diesel::prelude::*;

use super::bulk::pieces;
use super::schema::{identities, memberships, workspaces};
use super::types::Timestamp;
use super::{StoreError, Tx, later, on};
use crate::domain::{Identity, IdentityId, OrganizationId, SlackAccount, SlackPerson, UserId};

const SLACK: &str = "slack";

pub fn find(tx: &mut Tx<'_>, account: &SlackAccount) -> Result<Option<UserId>, StoreError> {
    Ok(on!(tx, |conn| identities::table
        .find((SLACK, &account.team_id, &account.user_id))
        .select(identities::user_id)
        .get_result(conn)
        .optional())?)
}

/// # Errors
/// `Taken(Identity)`.
pub fn insert(
    tx: &mut Tx<'_>,
    id: IdentityId,
    person: &SlackPerson,
    user_id: UserId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let account = &person.account;
    let values = (
        identities::provider.eq(SLACK),
        identities::team_id.eq(&account.team_id),
        identities::external_id.eq(&account.user_id),
        identities::user_id.eq(user_id),
        identities::created_at.eq(Timestamp(now)),
        identities::is_workspace_admin.eq(person.is_admin),
        identities::id.eq(id),
    );
    on!(tx, |conn| diesel::insert_into(identities::table)
        .values(values)
        .execute(conn))?;
    Ok(())
}

/// Links these accounts at Slack, each to a user.
///
/// # Errors
/// `Taken(Identity)`.
pub fn insert_all(
    tx: &mut Tx<'_>,
    all: &[(IdentityId, SlackAccount, UserId)],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for piece in pieces(all) {
        let row = |(id, account, user_id): &(IdentityId, SlackAccount, UserId)| {
            (
                identities::provider.eq(SLACK),
                identities::team_id.eq(account.team_id.clone()),
                identities::external_id.eq(account.user_id.clone()),
                identities::user_id.eq(*user_id),
                identities::created_at.eq(Timestamp(now)),
                identities::is_workspace_admin.eq(false),
                identities::id.eq(*id),
            )
        };
        let rows: Vec<_> = piece.iter().map(row).collect();
        on!(tx, |conn| diesel::insert_into(identities::table)
            .values(&rows)
            .execute(conn))?;
    }
    Ok(())
}

/// Those of these accounts at Slack that lead to a user, and to whom.
pub fn list_linked(
    tx: &mut Tx<'_>,
    accounts: &[SlackAccount],
) -> Result<Vec<(SlackAccount, UserId)>, StoreError> {
    let ids = accounts.iter().map(|account| account.user_id.as_str());
    let rows: Vec<(String, String, UserId)> = on!(tx, |conn| identities::table
        .filter(identities::provider.eq(SLACK))
        .filter(identities::team_id.eq_any(accounts.iter().map(|it| it.team_id.as_str())))
        .filter(identities::external_id.eq_any(ids))
        .select((
            identities::team_id,
            identities::external_id,
            identities::user_id
        ))
        .load(conn))?;
    let linked = |(team_id, user_id, owner)| (SlackAccount { team_id, user_id }, owner);
    let mut rows: Vec<_> = rows.into_iter().map(linked).collect();
    rows.retain(|(account, _)| accounts.contains(account));
    Ok(rows)
}

/// A user's identities, oldest first.
pub fn list_of_user(tx: &mut Tx<'_>, user_id: UserId) -> Result<Vec<Identity>, StoreError> {
    let rows: Vec<(IdentityId, String, String)> = on!(tx, |conn| identities::table
        .filter(identities::user_id.eq(user_id))
        .order((identities::created_at, identities::id))
        .select((identities::id, identities::provider, identities::team_id))
        .load(conn))?;
    Ok(rows
        .into_iter()
        .map(|(id, provider, team)| Identity { id, provider, team })
        .collect())
}

/// Whether the user can sign in with an identity, other than `except`: they are a member of its workspace's
/// organization.
pub fn another_leads_in(
    tx: &mut Tx<'_>,
    user_id: UserId,
    except: Option<IdentityId>,
) -> Result<bool, StoreError> {
    Ok(on!(tx, |conn| select(exists(
        identities::table
            .inner_join(workspaces::table.on(workspaces::team_id.eq(identities::team_id)))
            .filter(identities::user_id.eq(user_id))
            .filter(identities::id.ne(except.unwrap_or(IdentityId::NIL)))
            .filter(
                workspaces::organization_id.eq_any(
                    memberships::table
                        .filter(memberships::user_id.eq(user_id))
                        .select(memberships::organization_id)
                )
            )
    ))
    .get_result(conn))?)
}

/// Whether the user is linked to an account of another provider.
pub fn exists_for(tx: &mut Tx<'_>, user_id: UserId) -> Result<bool, StoreError> {
    Ok(on!(tx, |conn| select(exists(
        identities::table.filter(identities::user_id.eq(user_id))
    ))
    .get_result(conn))?)
}

/// Stores whether Slack calls a linked person an owner or admin of the workspace, if that has changed.
pub fn update_workspace_admin(tx: &mut Tx<'_>, person: &SlackPerson) -> Result<(), StoreError> {
    let account = &person.account;
    later!(
        tx,
        diesel::update(
            identities::table
                .find((SLACK, &account.team_id, &account.user_id))
                .filter(identities::is_workspace_admin.ne(person.is_admin))
        )
        .set(identities::is_workspace_admin.eq(person.is_admin))
    )?;
    Ok(())
}

/// Whether the user is an owner or admin of the workspace that is the organization.
pub fn is_workspace_admin(
    tx: &mut Tx<'_>,
    user_id: UserId,
    organization_id: OrganizationId,
) -> Result<bool, StoreError> {
    Ok(on!(tx, |conn| select(exists(
        identities::table
            .inner_join(workspaces::table.on(workspaces::team_id.eq(identities::team_id)))
            .filter(identities::user_id.eq(user_id))
            .filter(identities::is_workspace_admin)
            .filter(workspaces::organization_id.eq(organization_id))
    ))
    .get_result(conn))?)
}

/// Deletes the user's links to accounts of other providers.
pub fn delete_of_user(tx: &mut Tx<'_>, user_id: UserId) -> Result<(), StoreError> {
    on!(tx, |conn| diesel::delete(
        identities::table.filter(identities::user_id.eq(user_id))
    )
    .execute(conn))?;
    Ok(())
}
