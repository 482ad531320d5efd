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
    let count = format!("{} select count(*) as n {}", found.with, found.from);
    let page = format!(
        "{} select users.id as id, users.email as email, users.name as name, memberships.role as role {} \
         order by users.name, users.id limit $4 offset $5",
        found.with, found.from
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

/// `union` and not `union all`: a circle of managers ends.
const ONESELF_AND_BELOW: &str = "with recursive seen(id) as (\
         select user_id from memberships where organization_id = $1 and user_id = $2 \
         union \
         select below.user_id from memberships below join seen on below.manager_id = seen.id \
         where below.organization_id = $1)";
const ONESELF: &str = "with seen(id) as (\
         select user_id from memberships where organization_id = $1 and user_id = $2)";
const EVERYBODY: &str = "with seen(id) as (\
         select user_id from memberships where organization_id = $1 and $2 is not null)";

struct Found {
    with: &'static str,
    from: String,
}

/// The same text for both databases: SQLite numbers `$1`, `$2`, … in the order in which they first come, so
/// they first come in the order of their numbers.
fn found(tx: &Tx<'_>, role: Role) -> Found {
    // Both ignore the case of ASCII letters.
    let like = match tx {
        Tx::Sqlite(_) => "like",
        Tx::Postgres(_) => "ilike",
    };
    let with = match role {
        Role::Admin => EVERYBODY,
        Role::Manager => ONESELF_AND_BELOW,
        Role::Employee => ONESELF,
    };
    let from = format!(
        "from seen join users on users.id = seen.id \
         join memberships on memberships.user_id = seen.id and memberships.organization_id = $1 \
         where (users.name {like} $3 escape '!' or users.email {like} $3 escape '!')"
    );
    Found { with, from }
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
