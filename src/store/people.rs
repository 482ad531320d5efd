//! Users as members of an organization: `users`, `memberships`, and `reporting_lines`, which triggers maintain.

use diesel::dsl::{count_star, exists, select};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Nullable};

use super::memberships::MembershipRow;
use super::schema::{memberships, reporting_lines, users};
use super::types::Id;
use super::users::UserRow;
use super::{StoreError, Tx, on, people_search};
use crate::domain::page::PageRequest;
use crate::domain::{Membership, OrganizationId, Scope, User, UserId};

/// Which part of a list is read.
#[derive(Debug, Clone, Copy)]
pub enum Part {
    /// By user id, which costs the same wherever it begins.
    ById(PageRequest<UserId>),
    /// By name, after the first `from`.
    ByName { from: u32, size: u32 },
}

type Row = (MembershipRow, UserRow);

fn person((membership, user): Row) -> Result<(User, Membership), StoreError> {
    Ok((user.into(), membership.try_into()?))
}

/// Runs `$body` with the members that `$scope` includes, and the column that holds their ids. Each table is read from
/// the index that begins with what it is filtered by.
macro_rules! in_scope {
    ($organization_id:expr, $scope:expr, |$members:ident, $id:ident| $body:expr) => {{
        let of_organization = memberships::organization_id.eq($organization_id);
        match $scope {
            Scope::Oneself(user_id) => {
                let $id = memberships::user_id;
                let $members = memberships::table.filter(of_organization.and($id.eq(user_id)));
                $body
            }
            Scope::Reports(manager_id) => {
                let $id = reporting_lines::user_id;
                let $members = reporting_lines::table
                    .filter(reporting_lines::organization_id.eq($organization_id))
                    .filter(reporting_lines::manager_id.eq(manager_id));
                $body
            }
            Scope::Organization => {
                let $id = memberships::user_id;
                let $members = memberships::table.filter(of_organization);
                $body
            }
        }
    }};
}

/// The people in `scope`, with `text` those whose name or address contains it.
///
/// A part by id costs the same in an organization of any size, with the exceptions of [`people_search`].
pub fn search(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    scope: Scope,
    text: Option<&str>,
    part: Part,
) -> Result<Vec<(User, Membership)>, StoreError> {
    // First the ids, then the people: asked for both at once, either database's planner may sort all members.
    let ids: Vec<UserId> = match (text, part) {
        (Some(text), Part::ById(page)) => {
            people_search::page(tx, organization_id, scope, text, &page)?
        }
        (Some(text), Part::ByName { from, size }) => {
            people_search::by_name(tx, organization_id, scope, text, (from, size))?
        }
        (None, Part::ById(page)) => on!(tx, |conn| in_scope!(
            organization_id,
            scope,
            |members, id| members
                .filter(id.gt(page.after.unwrap_or(UserId::NIL)))
                .order(id)
                .limit(page.rows())
                .select(id)
                .load(conn)
        ))?,
        (None, Part::ByName { from, size }) => on!(tx, |conn| in_scope!(
            organization_id,
            scope,
            |members, id| members
                .inner_join(users::table.on(users::id.eq(id)))
                .order((users::name, users::id))
                .offset(i64::from(from))
                .limit(i64::from(size))
                .select(id)
                .load(conn)
        ))?,
    };
    let rows: Vec<Row> = on!(tx, |conn| memberships::table
        .inner_join(users::table)
        .filter(memberships::organization_id.eq(organization_id))
        .filter(memberships::user_id.eq_any(&ids))
        .select((MembershipRow::as_select(), UserRow::as_select()))
        .load(conn))?;
    let mut people = rows
        .into_iter()
        .map(person)
        .collect::<Result<Vec<_>, _>>()?;
    people.sort_by_key(|(user, _)| ids.iter().position(|id| *id == user.id));
    Ok(people)
}

/// How many people a [`search`] finds in all.
pub fn count(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    scope: Scope,
    text: Option<&str>,
) -> Result<i64, StoreError> {
    match text {
        Some(text) => people_search::count(tx, organization_id, scope, text),
        None => Ok(on!(tx, |conn| in_scope!(
            organization_id,
            scope,
            |members, id| members.select(diesel::dsl::count(id)).get_result(conn)
        ))?),
    }
}

pub fn find(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    user_id: UserId,
) -> Result<Option<(User, Membership)>, StoreError> {
    let row: Option<Row> = on!(tx, |conn| memberships::table
        .inner_join(users::table)
        .filter(memberships::organization_id.eq(organization_id))
        .filter(memberships::user_id.eq(user_id))
        .select((MembershipRow::as_select(), UserRow::as_select()))
        .get_result(conn)
        .optional())?;
    row.map(person).transpose()
}

/// Whether a user is the manager or one of the manager's direct or indirect reports.
pub fn is_below(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    manager_id: UserId,
    user_id: UserId,
) -> Result<bool, StoreError> {
    Ok(on!(tx, |conn| select(exists(
        reporting_lines::table.find((organization_id, manager_id, user_id))
    ))
    .get_result(conn))?)
}

/// On which level of their organization these members are: 1 without a manager.
pub fn levels(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    user_ids: &[UserId],
) -> Result<Vec<(UserId, usize)>, StoreError> {
    let rows: Vec<(UserId, i64)> = on!(tx, |conn| reporting_lines::table
        .filter(reporting_lines::organization_id.eq(organization_id))
        .filter(reporting_lines::user_id.eq_any(user_ids))
        .group_by(reporting_lines::user_id)
        .select((reporting_lines::user_id, count_star()))
        .load(conn))?;
    let level = |(id, lines): (UserId, i64)| (id, usize::try_from(lines).unwrap_or(usize::MAX));
    Ok(rows.into_iter().map(level).collect())
}

#[derive(QueryableByName)]
struct Levels {
    #[diesel(sql_type = Nullable<BigInt>)]
    most: Option<i64>,
}

/// On which level the lowest of all who report to a member would be if the member had this manager.
pub fn levels_with(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    manager_id: UserId,
    user_id: UserId,
) -> Result<usize, StoreError> {
    // Of everybody below the member, how many managers they have.
    let query = sql_query(
        "select max(managers) as most from (
             select count(*) as managers from reporting_lines as below
             join reporting_lines as line
                 on line.organization_id = below.organization_id and line.user_id = below.user_id
             where below.organization_id = $1 and below.manager_id = $2
             group by below.user_id
         ) as everybody",
    );
    let query = query.bind::<Id, _>(organization_id).bind::<Id, _>(user_id);
    let lowest: Levels = on!(tx, |conn| query.get_result(conn))?;
    let lowest = usize::try_from(lowest.most.unwrap_or(1)).unwrap_or(usize::MAX);
    let both = levels(tx, organization_id, &[manager_id, user_id])?;
    let level = |id: UserId| both.iter().find(|(it, _)| *it == id).map_or(1, |it| it.1);
    let below = lowest.saturating_sub(level(user_id)) + 1;
    Ok(level(manager_id).saturating_add(below))
}
