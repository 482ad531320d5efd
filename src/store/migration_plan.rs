//! What a migration does to tables that exist, as far as its SQL tells
//! (<https://www.postgresql.org/docs/current/explicit-locking.html>).

/// A statement of a migration on PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// In lower case, on one line.
    pub sql: String,
    /// The table that it changes or reads.
    pub table: Option<String>,
    /// How many rows the table has, as PostgreSQL last counted; `None` if it is new or was never counted.
    pub rows: Option<i64>,
    /// What the others wait for.
    pub lock: &'static str,
    /// What it reads or writes.
    pub work: &'static str,
}

const NO_LOCK: &str = "none on tables in use";
const READS_AND_WRITES: &str = "access exclusive: reads and writes wait";
const WRITES: &str = "share: writes wait";
const TRIGGER_WRITES: &str = "share row exclusive: writes wait";
const NOBODY: &str = "share update exclusive: nobody waits";
const ROWS: &str = "its rows: who writes the same rows waits";
const BATCH: &str = "the rows of a batch: who writes them waits until it is committed";
const NOTHING: &str = "changes the catalog only";
const SCAN: &str = "reads the whole table";
const REWRITE: &str = "rewrites the whole table";
const MATCHES: &str = "reads the table, and writes the rows that match";

/// Judges a statement as `migration_sql` prepares them.
pub(super) fn effect(sql: &str) -> Effect {
    let words: Vec<&str> = sql
        .split([' ', '('])
        .filter(|word| !word.is_empty())
        .collect();
    let after = |word: &str| {
        let rest = words
            .iter()
            .skip_while(move |other| **other != word)
            .skip(1);
        rest.copied()
            .find(|word| !["only", "if", "not", "exists"].contains(word))
    };
    let is_concurrent = words.contains(&"concurrently");
    let (table, lock, work) = match words.as_slice() {
        ["create", "table", ..] if words.contains(&"references") => {
            (after("references"), TRIGGER_WRITES, NOTHING)
        }
        [
            "create",
            "table" | "type" | "sequence" | "view" | "function",
            ..,
        ]
        | ["create", "or", "replace", "function", ..] => (None, NO_LOCK, NOTHING),
        ["create", "index", ..] | ["create", "unique", "index", ..] => {
            let lock = if is_concurrent { NOBODY } else { WRITES };
            (after("on"), lock, SCAN)
        }
        ["create", "trigger", ..] | ["create", "or", "replace", "trigger", ..] => {
            (after("on"), TRIGGER_WRITES, NOTHING)
        }
        ["alter", "table", ..] => (after("table"), READS_AND_WRITES, alteration(sql)),
        ["drop", "table", ..] => (after("table"), READS_AND_WRITES, NOTHING),
        ["drop", "index", ..] => (
            None,
            if is_concurrent {
                NOBODY
            } else {
                READS_AND_WRITES
            },
            NOTHING,
        ),
        ["drop", "trigger", ..] => (after("on"), READS_AND_WRITES, NOTHING),
        ["update", ..] => (after("update"), ROWS, MATCHES),
        ["delete", ..] => (after("from"), ROWS, MATCHES),
        ["insert", ..] => (after("into"), ROWS, "writes new rows"),
        ["do", ..] if sql.contains(" commit;") => {
            let inserts = sql.split("insert into ").nth(1);
            let table = inserts.and_then(|rest| rest.split(' ').next());
            (table, BATCH, "writes new rows")
        }
        _ => (None, "unknown: read the SQL", "unknown: read the SQL"),
    };
    let table = table.map(|table| table.trim_matches(['"', ',', ')']).to_owned());
    Effect {
        sql: sql.to_owned(),
        table,
        rows: None,
        lock,
        work,
    }
}

/// The clauses of `alter table`, the worst of them.
fn alteration(sql: &str) -> &'static str {
    // A default that is computed for each row is written into each row.
    let is_computed = sql.split(" default ").skip(1).any(|value| {
        value
            .split([',', ' '])
            .next()
            .is_some_and(|value| value.contains('('))
    });
    let is_stored = sql.contains(" generated always as (") || sql.contains(" as identity");
    if sql.contains(" type ") || is_computed || is_stored {
        return REWRITE;
    }
    let is_checked = [
        " check",
        " references ",
        " unique",
        " primary key",
        " foreign key",
    ]
    .iter()
    .any(|constraint| sql.contains(constraint));
    let is_not_null = sql.contains("set not null");
    if (is_checked && sql.contains(" add ") && !sql.contains("not valid"))
        || is_not_null
        || sql.contains("validate constraint")
    {
        return SCAN;
    }
    NOTHING
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_judged_by_what_they_lock_and_read() {
        for (sql, table, lock, work) in [
            ("create table a (x int)", None, NO_LOCK, NOTHING),
            (
                "create table a (x int references b (x))",
                Some("b"),
                TRIGGER_WRITES,
                NOTHING,
            ),
            ("create index a_x on a (x)", Some("a"), WRITES, SCAN),
            (
                "create unique index concurrently a_x on a(x)",
                Some("a"),
                NOBODY,
                SCAN,
            ),
            (
                "alter table a add column y int",
                Some("a"),
                READS_AND_WRITES,
                NOTHING,
            ),
            (
                "alter table a add column y int not null default 0",
                Some("a"),
                READS_AND_WRITES,
                NOTHING,
            ),
            (
                "alter table a add column y uuid default gen_random_uuid()",
                Some("a"),
                READS_AND_WRITES,
                REWRITE,
            ),
            (
                "alter table if exists only a alter column x type bigint",
                Some("a"),
                READS_AND_WRITES,
                REWRITE,
            ),
            (
                "alter table a alter column x set not null",
                Some("a"),
                READS_AND_WRITES,
                SCAN,
            ),
            (
                "alter table a add constraint c check (x > 0)",
                Some("a"),
                READS_AND_WRITES,
                SCAN,
            ),
            (
                "alter table a add constraint c check (x > 0) not valid",
                Some("a"),
                READS_AND_WRITES,
                NOTHING,
            ),
            ("update a set x = 1", Some("a"), ROWS, MATCHES),
            ("delete from a where x = 1", Some("a"), ROWS, MATCHES),
            ("drop trigger t on a", Some("a"), READS_AND_WRITES, NOTHING),
            (
                "do $$ begin loop select x into y from b; insert into a (x) select x from b; commit; end loop; end $$",
                Some("a"),
                BATCH,
                "writes new rows",
            ),
        ] {
            let effect = effect(sql);
            assert_eq!(
                (effect.table.as_deref(), effect.lock, effect.work),
                (table, lock, work),
                "{sql}"
            );
        }
        assert!(effect("vacuum a").lock.starts_with("unknown"));
    }
}
