//! Users as members of an organization: `users`, `memberships`, and `reporting_lines`, which triggers maintain.

use diesel::define_sql_function;
use diesel::dsl::{count_star, exists, select};
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::memberships::MembershipRow;
use super::schema::{memberships, reporting_lines, users};
use super::users::UserRow;
use super::{StoreError, Tx, on};
use crate::domain::page::PageRequest;
use crate::domain::{Membership, OrganizationId, Scope, User, UserId};

define_sql_function! {
    /// SQLite changes ASCII letters only, PostgreSQL those that its locale knows.
    fn lower(text: Text) -> Text;
}

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

/// The pattern of `like` for "contains `text`", with `\` as its escape character.
fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
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

/// Those of `$members` whose name or address contains `$text`; all when there is none.
macro_rules! matching {
    ($members:ident, $id:ident, $text:expr, $columns:expr) => {{
        let mut query = $members
            .inner_join(users::table.on(users::id.eq($id)))
            .select($columns)
            .into_boxed();
        if let Some(text) = $text {
            let pattern = containing(text);
            let in_name = lower(users::name).like(lower(pattern.clone())).escape('\\');
            let in_email = users::email.like(lower(pattern).nullable()).escape('\\');
            query = query.filter(in_name.or(in_email));
        }
        query
    }};
}

/// The people in `scope`, with `text` those whose name or address contains it.
///
/// Without `text`, a part by id costs the same in an organization of any size.
pub fn search(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    scope: Scope,
    text: Option<&str>,
    part: Part,
) -> Result<Vec<(User, Membership)>, StoreError> {
    // First the ids, then the people: asked for both at once, either database's planner may sort all members.
    let ids: Vec<UserId> = on!(tx, |conn| in_scope!(
        organization_id,
        scope,
        |members, id| match (text, part) {
            (None, Part::ById(page)) => members
                .filter(id.gt(page.after.unwrap_or(UserId::NIL)))
                .order(id)
                .limit(page.rows())
                .select(id)
                .load(conn),
            (Some(_), Part::ById(page)) => matching!(members, id, text, id)
                .filter(id.gt(page.after.unwrap_or(UserId::NIL)))
                .order(id)
                .limit(page.rows())
                .load(conn),
            (_, Part::ByName { from, size }) => matching!(members, id, text, id)
                .order((users::name, users::id))
                .offset(i64::from(from))
                .limit(i64::from(size))
                .load(conn),
        }
    ))?;
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
    Ok(on!(tx, |conn| in_scope!(
        organization_id,
        scope,
        |members, id| matching!(members, id, text, count_star()).get_result(conn)
    ))?)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_in_the_text_are_escaped() {
        assert_eq!(containing("ada"), "%ada%");
        assert_eq!(containing(r"50%_!\"), r"%50\%\_!\\%");
    }
}
