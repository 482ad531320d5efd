//! The people somebody may see, found by words of their names and addresses.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::types::Id;
use super::{StoreError, Tx, on, parsed};
use crate::domain::{OrganizationId, Role, UserId};

/// Whom a search looks among.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Viewer {
    pub user_id: UserId,
    pub organization_id: OrganizationId,
    pub role: Role,
}

/// Which of the people who were found: `size` of them, `from` left out before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub from: u32,
    pub size: u32,
}

/// Somebody in the viewer's organization.
pub struct VisiblePerson {
    pub id: UserId,
    pub email: Option<String>,
    pub name: String,
    pub role: Role,
}

#[derive(QueryableByName)]
struct PersonRow {
    #[diesel(sql_type = Id)]
    id: UserId,
    #[diesel(sql_type = Nullable<Text>)]
    email: Option<String>,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    role: String,
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// Those in the window, by name, and how many there are in all.
pub fn search(
    tx: &mut Tx<'_>,
    viewer: Viewer,
    words: &str,
    window: Window,
) -> Result<(i64, Vec<VisiblePerson>), StoreError> {
    let pattern = pattern(words);
    let found = found(tx, viewer.role);
    let count = format!("select count(*) as n {found}");
    let page = format!(
        "select users.id as id, users.email as email, users.name as name, memberships.role as role {found} \
         order by users.name, users.id limit $4 offset $5"
    );
    let (user_id, organization_id) = (viewer.user_id, viewer.organization_id);
    let total: CountRow = on!(tx, |conn| sql_query(count)
        .bind::<Id, _>(organization_id)
        .bind::<Id, _>(user_id)
        .bind::<Text, _>(&pattern)
        .get_result(conn))?;
    let rows: Vec<PersonRow> = on!(tx, |conn| sql_query(page)
        .bind::<Id, _>(organization_id)
        .bind::<Id, _>(user_id)
        .bind::<Text, _>(&pattern)
        .bind::<BigInt, _>(i64::from(window.size))
        .bind::<BigInt, _>(i64::from(window.from))
        .load(conn))?;
    let people = rows.into_iter().map(|row| {
        Ok(VisiblePerson {
            id: row.id,
            email: row.email,
            name: row.name,
            role: parsed(&row.role)?,
        })
    });
    Ok((total.n, people.collect::<Result<_, StoreError>>()?))
}

/// The same text for both databases: SQLite numbers `$1`, `$2`, … in the order in which they first come, so
/// they first come in the order of their numbers.
fn found(tx: &Tx<'_>, role: Role) -> String {
    // Both ignore the case of ASCII letters.
    let like = match tx {
        Tx::Sqlite(_) => "like",
        Tx::Postgres(_) => "ilike",
    };
    let seen = match role {
        Role::Admin => "memberships.organization_id = $1 and $2 is not null",
        Role::Manager => {
            "memberships.organization_id = $1 and exists (select 1 from reporting_lines as line \
             where line.organization_id = memberships.organization_id and line.manager_id = $2 \
             and line.user_id = memberships.user_id)"
        }
        Role::Employee => "memberships.organization_id = $1 and memberships.user_id = $2",
    };
    format!(
        "from memberships join users on users.id = memberships.user_id \
         where {seen} and (users.name {like} $3 escape '!' or users.email {like} $3 escape '!')"
    )
}

/// Anything that holds the words, whatever signs of `like` are in them.
fn pattern(words: &str) -> String {
    let mut pattern = String::from("%");
    for c in words.chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signs_of_like_mean_themselves() {
        assert_eq!(pattern(""), "%%");
        assert_eq!(pattern("50%_!"), "%50!%!_!!%");
    }
}
