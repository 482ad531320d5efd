//! The SQL of a migration, without running it.

use diesel::connection::{
    AnsiTransactionManager, CacheSize, Connection, ConnectionSealed, DynInstrumentation,
    Instrumentation, SimpleConnection,
};
use diesel::migration::Migration;
use diesel::pg::Pg;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::result::{ConnectionResult, Error as DieselError, QueryResult};

/// Keeps the SQL that it is given: a migration shows its text to connections only.
struct Recorder {
    text: String,
    transactions: AnsiTransactionManager,
    instrumentation: DynInstrumentation,
}

impl Recorder {
    fn new() -> Self {
        Self {
            text: String::new(),
            transactions: AnsiTransactionManager::default(),
            instrumentation: DynInstrumentation::none(),
        }
    }
}

impl SimpleConnection for Recorder {
    fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        self.text.push_str(query);
        Ok(())
    }
}

impl ConnectionSealed for Recorder {}

impl Connection for Recorder {
    type Backend = Pg;
    type TransactionManager = AnsiTransactionManager;

    fn establish(_: &str) -> ConnectionResult<Self> {
        Ok(Self::new())
    }

    fn execute_returning_count<T>(&mut self, _: &T) -> QueryResult<usize>
    where
        T: QueryFragment<Pg> + QueryId,
    {
        Err(DieselError::NotFound)
    }

    fn transaction_state(&mut self) -> &mut AnsiTransactionManager {
        &mut self.transactions
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        &mut *self.instrumentation
    }

    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        self.instrumentation = instrumentation.into();
    }

    fn set_prepared_statement_cache_size(&mut self, _: CacheSize) {}
}

/// The statements of a migration in lower case, each on one line, without comments.
pub(super) fn statements(migration: &dyn Migration<Pg>) -> diesel::migration::Result<Vec<String>> {
    let mut recorder = Recorder::new();
    migration.run(&mut recorder)?;
    Ok(split(&recorder.text))
}

/// A semicolon within `$$` or quotes does not end a statement.
fn split(text: &str) -> Vec<String> {
    let lines = text
        .lines()
        .map(|line| line.split("--").next().unwrap_or(line));
    let text = lines.collect::<Vec<_>>().join(" ").to_lowercase();
    let (mut all, mut statement) = (Vec::new(), String::new());
    let (mut is_in_body, mut is_quoted) = (false, false);
    for piece in text.split_inclusive([';', '$', '\'']) {
        statement.push_str(piece);
        match piece.chars().last() {
            Some('\'') if !is_in_body => is_quoted = !is_quoted,
            Some('$') if statement.ends_with("$$") => is_in_body = !is_in_body,
            Some(';') if !is_in_body && !is_quoted => {
                all.push(std::mem::take(&mut statement));
            }
            _ => {}
        }
    }
    all.push(statement);
    let one_line = |statement: &String| {
        let words: Vec<&str> = statement.trim_end_matches(';').split_whitespace().collect();
        words.join(" ")
    };
    all.iter()
        .map(one_line)
        .filter(|statement| !statement.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_split_outside_of_bodies_and_quotes() {
        let text = "create table A (x text); -- one; two\ncreate function f() returns trigger language plpgsql as $$
            begin new.x := 'a;b'; return new; end $$;\nupdate a\n  set x = 'it''s; b';\n\n";
        let expected = [
            "create table a (x text)",
            "create function f() returns trigger language plpgsql as $$ begin new.x := 'a;b'; return new; end $$",
            "update a set x = 'it''s; b'",
        ];
        assert_eq!(split(text), expected);
    }
}
