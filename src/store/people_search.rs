//! People whose name or address contains a text: `searchable_people`, which triggers keep, and its index.
//!
//! Two ways lead to them. Members in the order of their ids, a window at a time, are right for what many names contain:
//! a page is full soon. The index of [`TRIGRAM`]s is right for the rest. Which one is taken depends on what the first
//! window holds, and no statement leaves a database's planner another choice, whatever its statistics say
//! (docs/decisions/0051-searches-by-index.md).

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Text};

use super::types::Id;
use super::{StoreError, Tx};
use crate::domain::page::PageRequest;
use crate::domain::{OrganizationId, Scope, UserId};

/// The index holds each three characters that follow each other; shorter texts are not in it.
const TRIGRAM: usize = 3;

/// How many members a statement looks at in the order of their ids.
const WINDOW: usize = 1_000;

#[derive(QueryableByName)]
struct Seen {
    #[diesel(sql_type = Id)]
    user_id: UserId,
    #[diesel(sql_type = Bool)]
    is_match: bool,
}

#[derive(QueryableByName)]
struct Match {
    #[diesel(sql_type = Id)]
    user_id: UserId,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// The first parameters of each statement: `$1` the organization, `$2` after which user, `$3` the pattern. The last one
/// is the user that the scope begins with, if it does.
struct Search<'a> {
    organization_id: OrganizationId,
    scope: Scope,
    text: &'a str,
}

/// Runs a statement, with `$1` as `?1` on SQLite, where `$1` would be a name.
macro_rules! load {
    ($tx:expr, $sql:expr, $($kind:ty: $value:expr),+; $leader:expr) => {
        match $tx {
            Tx::Sqlite(connection) => {
                let query = sql_query($sql.replace('$', "?")).into_boxed()$(.bind::<$kind, _>($value))+;
                match $leader {
                    Some(leader) => query.bind::<Id, _>(leader).load(*connection),
                    None => query.load(*connection),
                }
            }
            Tx::Postgres(connection) => {
                let query = sql_query($sql).into_boxed()$(.bind::<$kind, _>($value))+;
                match $leader {
                    Some(leader) => query.bind::<Id, _>(leader).load(*connection),
                    None => query.load(*connection),
                }
            }
        }
    };
}

/// The ids of a page of the people in `scope` whose name or address contains `text`.
///
/// A text of three characters or more costs what it finds, a shorter one what the organization holds.
pub(super) fn page(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    scope: Scope,
    text: &str,
    page: &PageRequest<UserId>,
) -> Result<Vec<UserId>, StoreError> {
    let search = Search {
        organization_id,
        scope,
        text,
    };
    search.page(tx, page)
}

/// The ids of `size` people after the first `from`, in the order of their names.
pub(super) fn by_name(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    scope: Scope,
    text: &str,
    (from, size): (u32, u32),
) -> Result<Vec<UserId>, StoreError> {
    let search = Search {
        organization_id,
        scope,
        text,
    };
    let order = "(select name from users where id = candidates.user_id), user_id";
    search.list(tx, UserId::NIL, order, size.into(), from.into())
}

/// How many people in `scope` have a name or address that contains `text`.
pub(super) fn count(
    tx: &mut Tx<'_>,
    organization_id: OrganizationId,
    scope: Scope,
    text: &str,
) -> Result<i64, StoreError> {
    let search = Search {
        organization_id,
        scope,
        text,
    };
    search.count(tx)
}

impl Search<'_> {
    fn page(&self, tx: &mut Tx<'_>, page: &PageRequest<UserId>) -> Result<Vec<UserId>, StoreError> {
        let wanted = usize::try_from(page.rows()).unwrap_or(usize::MAX);
        let mut after = page.after.unwrap_or(UserId::NIL);
        let mut found = Vec::new();
        loop {
            let window = self.window(tx, after)?;
            let matches = window.iter().filter(|seen| seen.is_match);
            found.extend(matches.map(|seen| seen.user_id));
            found.truncate(wanted);
            match window.last() {
                Some(last) if window.len() == WINDOW && found.len() < wanted => {
                    after = last.user_id;
                }
                _ => return Ok(found),
            }
            if self.is_indexed() {
                found.extend(self.list(tx, after, "user_id", page.rows(), 0)?);
                found.truncate(wanted);
                return Ok(found);
            }
        }
    }

    /// The next members of the scope, whether they match or not.
    fn window(&self, tx: &mut Tx<'_>, after: UserId) -> Result<Vec<Seen>, StoreError> {
        let is_match = r"p.text like lower($3) escape '\'";
        let sql = match self.scope {
            Scope::Organization | Scope::Oneself(_) => format!(
                "select user_id, {is_match} as is_match from searchable_people as p
                 where organization_id = $1 and user_id > $2 {} order by user_id limit {WINDOW}",
                self.reach("p", "$4")
            ),
            // A subquery, because a join might begin with everybody in the organization.
            Scope::Reports(_) => format!(
                "select user_id, coalesce((
                     select {is_match} from searchable_people as p
                     where p.organization_id = $1 and p.user_id = line.user_id
                 ), false) as is_match
                 from reporting_lines as line
                 where organization_id = $1 and user_id > $2 and manager_id = $4
                 order by user_id limit {WINDOW}"
            ),
        };
        Ok(
            load!(tx, sql, Id: self.organization_id, Id: after, Text: self.pattern(); self.leader())?,
        )
    }

    /// All that match, in an order.
    fn list(
        &self,
        tx: &mut Tx<'_>,
        after: UserId,
        order: &str,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<UserId>, StoreError> {
        let sql = format!(
            "{} order by {order} limit $5 offset $6",
            self.matches(tx, "user_id", "$7")
        );
        let tokens = self.tokens(tx);
        let rows: Vec<Match> = load!(
            tx, sql,
            Id: self.organization_id, Id: after, Text: self.pattern(), Text: tokens, BigInt: limit, BigInt: offset;
            self.leader()
        )?;
        Ok(rows.into_iter().map(|row| row.user_id).collect())
    }

    fn count(&self, tx: &mut Tx<'_>) -> Result<i64, StoreError> {
        let sql = self.matches(tx, "count(*) as count", "$5");
        let tokens = self.tokens(tx);
        let rows: Vec<Count> = load!(
            tx, sql, Id: self.organization_id, Id: UserId::NIL, Text: self.pattern(), Text: tokens;
            self.leader()
        )?;
        Ok(rows.first().map_or(0, |row| row.count))
    }

    /// What matches. The candidates are all that the index or the primary key finds, so that nothing else is left to a
    /// planner; `$4` is what the index is asked for.
    fn matches(&self, tx: &Tx<'_>, columns: &str, leader: &str) -> String {
        let candidates = match tx {
            _ if !self.is_indexed() => {
                "searchable_people as p where p.organization_id = $1 and $4 is not null"
            }
            Tx::Sqlite(_) => {
                "searchable_people_index cross join searchable_people as p
                 on p.number = searchable_people_index.rowid
                 where searchable_people_index match $4"
            }
            Tx::Postgres(_) => {
                r#"searchable_people as p
                 where search_tokens(p.organization_id, p.text) collate "C" @> search_tokens($1, lower($4))"#
            }
        };
        format!(
            r"with candidates as materialized (select p.organization_id, p.user_id, p.text from {candidates})
             select {columns} from candidates
             where organization_id = $1 and user_id > $2 and text like lower($3) escape '\' {}",
            self.reach("candidates", leader)
        )
    }

    /// What is true of those of `people` who are in the scope, which begins with `leader`.
    fn reach(&self, people: &str, leader: &str) -> String {
        match self.scope {
            Scope::Organization => String::new(),
            Scope::Oneself(_) => format!("and {people}.user_id = {leader}"),
            Scope::Reports(_) => format!(
                "and (select count(*) from reporting_lines as line where line.organization_id = $1
                     and line.manager_id = {leader} and line.user_id = {people}.user_id) = 1"
            ),
        }
    }

    fn leader(&self) -> Option<UserId> {
        match self.scope {
            Scope::Organization => None,
            Scope::Oneself(id) | Scope::Reports(id) => Some(id),
        }
    }

    fn is_indexed(&self) -> bool {
        self.text.chars().count() >= TRIGRAM
    }

    /// The pattern of `like` for "contains the text", with `\` as its escape character.
    fn pattern(&self) -> String {
        let mut pattern = String::from("%");
        for c in self.text.chars() {
            if matches!(c, '%' | '_' | '\\') {
                pattern.push('\\');
            }
            pattern.push(c);
        }
        pattern.push('%');
        pattern
    }

    /// What the index is asked for. The functions of PostgreSQL make tokens of the text; on SQLite, whose `lower` changes
    /// ASCII letters only, they are those of the view `searchable_people_tokens`.
    fn tokens(&self, tx: &Tx<'_>) -> String {
        if let Tx::Postgres(_) = tx {
            return self.text.to_owned();
        }
        let text: Vec<char> = self.text.to_ascii_lowercase().chars().collect();
        let organization = format!("o{}", self.organization_id.0.simple());
        let trigrams = text.windows(TRIGRAM).map(|trigram| {
            let bytes = trigram.iter().collect::<String>().into_bytes();
            format!("t{}", data_encoding::HEXLOWER.encode(&bytes))
        });
        std::iter::once(organization)
            .chain(trigrams)
            .collect::<Vec<_>>()
            .join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(text: &str) -> Search<'_> {
        Search {
            organization_id: OrganizationId(uuid::Uuid::from_u128(0xab)),
            scope: Scope::Organization,
            text,
        }
    }

    #[test]
    fn wildcards_in_the_text_are_escaped() {
        assert_eq!(search("ada").pattern(), "%ada%");
        assert_eq!(search(r"50%_!\").pattern(), r"%50\%\_!\\%");
    }

    #[test]
    fn texts_are_asked_of_the_index_from_three_characters_on() {
        for (text, is_indexed) in [("", false), ("ad", false), ("äö", false), ("äöü", true)] {
            assert_eq!(search(text).is_indexed(), is_indexed, "{text}");
        }
    }
}
