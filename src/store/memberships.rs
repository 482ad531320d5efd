//! The `memberships` table.

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, select};
use diesel::prelude::*;

use super::announcement::Announcement;
use super::bulk::pieces;
use super::organizations::RulesRow;
use super::outdated::Outdated;
use super::schema::{active_organizations, memberships, organizations, users};
use super::types::Timestamp;
use super::{StoreError, Tx, find_locked, on, parsed};
use crate::domain::page::PageRequest;
use crate::domain::webhook_event::EventType::{MemberAdded, MemberRemoved, MemberUpdated};
use crate::domain::{
    Email, Member, Membership, MyOrganization, OrganizationId, OrganizationName, OrganizationRules,
    PersonName, Role, Slug, UserId,
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = memberships)]
pub(super) struct MembershipRow {
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
) -> Result<Announcement, StoreError> {
    let values = (
        memberships::user_id.eq(membership.user_id),
        memberships::organization_id.eq(membership.organization_id),
        memberships::role.eq(membership.role.as_str()),
        memberships::manager_id.eq(membership.manager_id),
        memberships::created_at.eq(Timestamp(now)),
        memberships::updated_at.eq(Timestamp(now)),
    );
    on!(tx, |conn| diesel::insert_into(memberships::table)
        .values(values)
        .execute(conn))?;
    let (user_id, organization_id) = (membership.user_id, membership.organization_id);
    Ok(Announcement::member(MemberAdded, user_id, organization_id))
}

/// Managers come before those who report to them.
///
/// # Errors
/// `Taken(Membership)`.
pub fn insert_all(
    tx: &mut Tx<'_>,
    all: &[Membership],
    now: DateTime<Utc>,
) -> Result<Vec<Announcement>, StoreError> {
    for piece in pieces(all) {
        let row = |membership: &Membership| {
            (
                memberships::user_id.eq(membership.user_id),
                memberships::organization_id.eq(membership.organization_id),
                memberships::role.eq(membership.role.as_str()),
                memberships::manager_id.eq(membership.manager_id),
                memberships::created_at.eq(Timestamp(now)),
                memberships::updated_at.eq(Timestamp(now)),
            )
        };
        let rows: Vec<_> = piece.iter().map(row).collect();
        on!(tx, |conn| diesel::insert_into(memberships::table)
            .values(&rows)
            .execute(conn))?;
    }
    let added = |it: &Membership| Announcement::member(MemberAdded, it.user_id, it.organization_id);
    Ok(all.iter().map(added).collect())
}

/// A user's place in an organization.
pub fn find(
    tx: &mut Tx<'_>,
    user_id: UserId,
    organization_id: OrganizationId,
) -> Result<Option<Membership>, StoreError> {
    let row: Option<MembershipRow> = on!(tx, |conn| memberships::table
        .find((user_id, organization_id))
        .select(MembershipRow::as_select())
        .get_result(conn)
        .optional())?;
    row.map(Membership::try_from).transpose()
}

/// A user's place in an organization, kept as it is until the transaction ends.
pub fn lock(
    tx: &mut Tx<'_>,
    user_id: UserId,
    organization_id: OrganizationId,
) -> Result<Option<Membership>, StoreError> {
    let row: Option<MembershipRow> = find_locked!(
        tx,
        for_share,
        memberships::table
            .find((user_id, organization_id))
            .select(MembershipRow::as_select())
    )?;
    row.map(Membership::try_from).transpose()
}

/// Whether an organization has an admin who can sign in, besides this user.
pub fn has_another_admin(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    user_id: UserId,
) -> Result<bool, StoreError> {
    Ok(on!(tx, |conn| select(exists(
        memberships::table
            .inner_join(users::table)
            .filter(memberships::organization_id.eq(organization_id))
            .filter(memberships::role.eq(Role::Admin.as_str()))
            .filter(memberships::user_id.ne(user_id))
            .filter(users::disabled_at.is_null())
    ))
    .get_result(conn))?)
}

/// Whether the member is the organization's only admin who can sign in.
pub fn is_only_admin(tx: &mut Tx<'_>, membership: &Membership) -> Result<bool, StoreError> {
    Ok(membership.role == Role::Admin
        && !has_another_admin(tx, membership.organization_id, membership.user_id)?)
}

/// Whether an organization has members besides this user.
pub fn has_others(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    user_id: UserId,
) -> Result<bool, StoreError> {
    Ok(on!(tx, |conn| select(exists(
        memberships::table
            .filter(memberships::organization_id.eq(organization_id))
            .filter(memberships::user_id.ne(user_id))
    ))
    .get_result(conn))?)
}

/// At most `limit` members of an organization, without `except`.
pub fn list_some(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    except: Option<UserId>,
    limit: u32,
) -> Result<Vec<UserId>, StoreError> {
    Ok(on!(tx, |conn| memberships::table
        .filter(memberships::organization_id.eq(organization_id))
        .filter(memberships::user_id.ne(except.unwrap_or(UserId::NIL)))
        .order(memberships::user_id)
        .select(memberships::user_id)
        .limit(limit.into())
        .load(conn))?)
}

/// Deletes the memberships of these users, to whom nobody reports from then on. Who did is not announced: the
/// organization is about to be deleted, and its webhooks with it.
pub fn delete_some(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    user_ids: &[UserId],
    now: DateTime<Utc>,
) -> Result<Outdated, StoreError> {
    let theirs = memberships::table.filter(memberships::organization_id.eq(organization_id));
    on!(tx, |conn| diesel::update(theirs.filter(
        memberships::manager_id.eq_any(user_ids.iter().copied().map(Some))
    ))
    .set((
        memberships::manager_id.eq(None::<UserId>),
        memberships::updated_at.eq(Timestamp(now))
    ))
    .execute(conn))?;
    on!(tx, |conn| diesel::delete(
        theirs.filter(memberships::user_id.eq_any(user_ids))
    )
    .execute(conn))?;
    let removed = Announcement::members(MemberRemoved, user_ids, organization_id);
    Ok(Outdated::raise(tx, user_ids)?.because(removed))
}

/// Whether the account with this address belongs to an organization.
pub fn includes_email(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    email: &Email,
) -> Result<bool, StoreError> {
    Ok(on!(tx, |conn| select(exists(
        memberships::table
            .inner_join(users::table)
            .filter(memberships::organization_id.eq(organization_id))
            .filter(users::email.eq(email.as_str()))
    ))
    .get_result(conn))?)
}

/// Deletes a membership. No other member may report to it.
pub fn delete(
    tx: &mut Tx<'_>,
    user_id: UserId,
    organization_id: OrganizationId,
) -> Result<Outdated, StoreError> {
    on!(tx, |conn| diesel::delete(
        memberships::table.find((user_id, organization_id))
    )
    .execute(conn))?;
    let removed = Announcement::member(MemberRemoved, user_id, organization_id);
    Ok(Outdated::raise(tx, &[user_id])?.because(removed))
}

/// Removes a member as manager of all who report to them; returns their ids as well.
pub fn release_reports(
    tx: &mut Tx<'_>,
    manager_id: UserId,
    organization_id: OrganizationId,
    now: DateTime<Utc>,
) -> Result<(Vec<UserId>, Announcement), StoreError> {
    let released: Vec<UserId> = on!(tx, |conn| diesel::update(
        memberships::table
            .filter(memberships::organization_id.eq(organization_id))
            .filter(memberships::manager_id.eq(manager_id))
    )
    .set((
        memberships::manager_id.eq(None::<UserId>),
        memberships::updated_at.eq(Timestamp(now))
    ))
    .returning(memberships::user_id)
    .get_results(conn))?;
    let updated = Announcement::members(MemberUpdated, &released, organization_id);
    Ok((released, updated))
}

/// A page of the members, by id.
pub fn list_members(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    request: &PageRequest<UserId>,
) -> Result<Vec<Member>, StoreError> {
    let rows: Vec<(UserId, String, Option<String>, String, Timestamp)> = on!(tx, |conn| {
        memberships::table
            .inner_join(users::table)
            .filter(memberships::organization_id.eq(organization_id))
            .filter(memberships::user_id.gt(request.after.unwrap_or(UserId::NIL)))
            .order(memberships::user_id)
            .limit(request.rows())
            .select((
                memberships::user_id,
                users::name,
                users::email,
                memberships::role,
                memberships::created_at,
            ))
            .load(conn)
    })?;
    rows.into_iter()
        .map(|(id, name, email, role, joined_at)| {
            Ok(Member {
                id,
                name: PersonName::from_stored(name),
                email: email.map(Email::from_stored),
                role: parsed(&role)?,
                joined_at: joined_at.0,
            })
        })
        .collect()
}

/// A user's memberships, oldest first.
pub fn list_of_user(tx: &mut Tx<'_>, user_id: UserId) -> Result<Vec<Membership>, StoreError> {
    let rows: Vec<MembershipRow> = on!(tx, |conn| memberships::table
        .filter(memberships::user_id.eq(user_id))
        .order((memberships::created_at, memberships::organization_id))
        .select(MembershipRow::as_select())
        .load(conn))?;
    rows.into_iter().map(Membership::try_from).collect()
}

/// The organizations of a user, the one joined first in front.
pub fn my_organizations(
    tx: &mut Tx<'_>,
    user_id: UserId,
) -> Result<Vec<MyOrganization>, StoreError> {
    let rows: Vec<(OrganizationId, String, String, String)> = on!(tx, |conn| memberships::table
        .inner_join(organizations::table)
        .filter(memberships::user_id.eq(user_id))
        .order((memberships::created_at, memberships::organization_id))
        .select((
            organizations::id,
            organizations::name,
            organizations::slug,
            memberships::role,
        ))
        .load(conn))?;
    rows.into_iter()
        .map(|(id, name, slug, role)| {
            Ok(MyOrganization {
                id,
                name: OrganizationName::from_stored(name),
                slug: Slug::from_stored(slug),
                role: parsed(&role)?,
            })
        })
        .collect()
}

/// As [`list_of_user`], each with the rules of its organization.
pub fn list_of_user_with_rules(
    tx: &mut Tx<'_>,
    user_id: UserId,
) -> Result<Vec<(Membership, OrganizationRules)>, StoreError> {
    let rows: Vec<(MembershipRow, RulesRow)> = on!(tx, |conn| memberships::table
        .inner_join(organizations::table)
        .filter(memberships::user_id.eq(user_id))
        .order((memberships::created_at, memberships::organization_id))
        .select((MembershipRow::as_select(), RulesRow::as_select()))
        .load(conn))?;
    rows.into_iter()
        .map(|(row, rules)| Ok((row.try_into()?, rules.into())))
        .collect()
}

/// All memberships, or those in one organization, by user, oldest first.
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

/// How many organizations a user belongs to.
pub fn count_of_user(tx: &mut Tx<'_>, user_id: UserId) -> Result<i64, StoreError> {
    Ok(on!(tx, |conn| memberships::table
        .filter(memberships::user_id.eq(user_id))
        .count()
        .get_result(conn))?)
}

/// The organization a user joined first.
pub fn first_of_user(
    tx: &mut Tx<'_>,
    user_id: UserId,
) -> Result<Option<OrganizationId>, StoreError> {
    Ok(on!(tx, |conn| memberships::table
        .filter(memberships::user_id.eq(user_id))
        .order((memberships::created_at, memberships::organization_id))
        .select(memberships::organization_id)
        .get_result(conn)
        .optional())?)
}

/// The organization that the user with this address joined first.
pub fn first_of_email(
    tx: &mut Tx<'_>,
    email: &Email,
) -> Result<Option<OrganizationId>, StoreError> {
    Ok(on!(tx, |conn| memberships::table
        .inner_join(users::table)
        .filter(users::email.eq(email.as_str()))
        .order((memberships::created_at, memberships::organization_id))
        .select(memberships::organization_id)
        .get_result(conn)
        .optional())?)
}

/// The membership in the organization that a user acted in last, or joined first.
pub fn usual(tx: &mut Tx<'_>, user_id: UserId) -> Result<Option<Membership>, StoreError> {
    let is_active = active_organizations::user_id
        .eq(memberships::user_id)
        .and(active_organizations::organization_id.eq(memberships::organization_id));
    let row: Option<MembershipRow> = on!(tx, |conn| memberships::table
        .left_join(active_organizations::table.on(is_active))
        .filter(memberships::user_id.eq(user_id))
        .order((
            active_organizations::user_id.is_null(),
            memberships::created_at,
            memberships::organization_id,
        ))
        .select(MembershipRow::as_select())
        .limit(1)
        .get_result(conn)
        .optional())?;
    row.map(Membership::try_from).transpose()
}

pub fn set_role(
    tx: &mut Tx<'_>,
    user_id: UserId,
    organization_id: OrganizationId,
    role: Role,
    now: DateTime<Utc>,
) -> Result<Outdated, StoreError> {
    on!(tx, |conn| diesel::update(
        memberships::table.find((user_id, organization_id))
    )
    .set((
        memberships::role.eq(role.as_str()),
        memberships::updated_at.eq(Timestamp(now))
    ))
    .execute(conn))?;
    let updated = Announcement::member(MemberUpdated, user_id, organization_id);
    Ok(Outdated::raise(tx, &[user_id])?.because(updated))
}

/// Triggers update the reporting lines of everybody below.
pub fn set_manager(
    tx: &mut Tx<'_>,
    user_id: UserId,
    organization_id: OrganizationId,
    manager_id: Option<UserId>,
    now: DateTime<Utc>,
) -> Result<Announcement, StoreError> {
    on!(tx, |conn| diesel::update(
        memberships::table.find((user_id, organization_id))
    )
    .set((
        memberships::manager_id.eq(manager_id),
        memberships::updated_at.eq(Timestamp(now))
    ))
    .execute(conn))?;
    let updated = Announcement::member(MemberUpdated, user_id, organization_id);
    Ok(updated)
}
