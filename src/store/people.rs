//! Users as members of an organization: `users`, `memberships`, and `reporting_lines`, which triggers keep.

use diesel::define_sql_function;
use diesel::dsl::{exists, select};
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::memberships::MembershipRow;
use super::schema::{memberships, reporting_lines, users};
use super::users::UserRow;
use super::{StoreError, Tx, on};
use crate::domain::page::PageRequest;
use crate::domain::{Membership, OrganizationId, User, UserId};

define_sql_function! {
    /// Lower case: of ASCII in SQLite, of whatever the locale knows in PostgreSQL.
    fn lower(text: Text) -> Text;
}

/// Whose people are listed.
#[derive(Debug, Clone, Copy)]
pub enum Listed {
    One(UserId),
    /// Somebody and all below them.
    Below(UserId),
    Everybody,
}

type Row = (MembershipRow, UserRow);

fn person((membership, user): Row) -> Result<(User, Membership), StoreError> {
    Ok((user.into(), membership.try_into()?))
}

/// What `like` takes for "holds `text`".
fn holding(text: &str) -> String {
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

/// Members by user id; with `text`, those whose name or address holds it.
///
/// Without `text` a page costs the same in an organization of any size. With it, rows are looked at until the page
/// is full.
pub fn page(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    listed: Listed,
    text: Option<&str>,
    request: &PageRequest<UserId>,
) -> Result<Vec<(User, Membership)>, StoreError> {
    let after = request.after.unwrap_or(UserId::NIL);
    /// The two queries differ in where they begin, so that each walks along an index.
    macro_rules! narrowed {
        ($query:expr) => {{
            let mut query = $query;
            if let Some(text) = text {
                let pattern = holding(text);
                let in_name = lower(users::name).like(lower(pattern.clone())).escape('\\');
                let in_email = users::email.like(lower(pattern).nullable()).escape('\\');
                query = query.filter(in_name.or(in_email));
            }
            query
        }};
    }
    match (listed, text) {
        (Listed::Below(manager_id), None) => {
            let ids = ids_below(tx, organization_id, manager_id, request)?;
            return list(tx, organization_id, &ids);
        }
        (Listed::Everybody, None) => {
            let ids = ids_of_everybody(tx, organization_id, request)?;
            return list(tx, organization_id, &ids);
        }
        _ => {}
    }
    let rows: Vec<Row> = match listed {
        Listed::One(_) | Listed::Everybody => on!(tx, |conn| {
            let mut query = memberships::table
                .inner_join(users::table)
                .filter(memberships::organization_id.eq(organization_id))
                .filter(memberships::user_id.gt(after))
                .order(memberships::user_id)
                .limit(request.rows())
                .select((MembershipRow::as_select(), UserRow::as_select()))
                .into_boxed();
            if let Listed::One(user_id) = listed {
                query = query.filter(memberships::user_id.eq(user_id));
            }
            narrowed!(query).load(conn)
        })?,
        Listed::Below(manager_id) => on!(tx, |conn| narrowed!(
            reporting_lines::table
                .inner_join(
                    memberships::table.on(memberships::organization_id
                        .eq(reporting_lines::organization_id)
                        .and(memberships::user_id.eq(reporting_lines::user_id)))
                )
                .inner_join(users::table.on(users::id.eq(reporting_lines::user_id)))
                .filter(reporting_lines::organization_id.eq(organization_id))
                .filter(reporting_lines::manager_id.eq(manager_id))
                .filter(reporting_lines::user_id.gt(after))
                .order(reporting_lines::user_id)
                .limit(request.rows())
                .select((MembershipRow::as_select(), UserRow::as_select()))
                .into_boxed()
        )
        .load(conn))?,
    };
    rows.into_iter().map(person).collect()
}

/// The ids first, and then who they are: asked for all at once, either database's planner may sort everybody.
fn ids_of_everybody(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    request: &PageRequest<UserId>,
) -> Result<Vec<UserId>, StoreError> {
    Ok(on!(tx, |conn| memberships::table
        .filter(memberships::organization_id.eq(organization_id))
        .filter(memberships::user_id.gt(request.after.unwrap_or(UserId::NIL)))
        .order(memberships::user_id)
        .limit(request.rows())
        .select(memberships::user_id)
        .load(conn))?)
}

/// As [`ids_of_everybody`], of somebody and all below them.
fn ids_below(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    manager_id: UserId,
    request: &PageRequest<UserId>,
) -> Result<Vec<UserId>, StoreError> {
    Ok(on!(tx, |conn| reporting_lines::table
        .filter(reporting_lines::organization_id.eq(organization_id))
        .filter(reporting_lines::manager_id.eq(manager_id))
        .filter(reporting_lines::user_id.gt(request.after.unwrap_or(UserId::NIL)))
        .order(reporting_lines::user_id)
        .limit(request.rows())
        .select(reporting_lines::user_id)
        .load(conn))?)
}

/// These members, by their ids.
fn list(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    ids: &[UserId],
) -> Result<Vec<(User, Membership)>, StoreError> {
    let rows: Vec<Row> = on!(tx, |conn| memberships::table
        .inner_join(users::table)
        .filter(memberships::organization_id.eq(organization_id))
        .filter(memberships::user_id.eq_any(ids))
        .order(memberships::user_id)
        .select((MembershipRow::as_select(), UserRow::as_select()))
        .load(conn))?;
    rows.into_iter().map(person).collect()
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

/// Whether somebody is a manager's report, at whatever distance, or the manager.
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
    fn what_is_searched_for_is_meant_literally() {
        assert_eq!(holding("ada"), "%ada%");
        assert_eq!(holding(r"50%_\"), r"%50\%\_\\%");
    }
}
