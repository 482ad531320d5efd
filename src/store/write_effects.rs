//! Which queries a statement may answer differently from before, told from the texts that Diesel makes of both.

/// Tables whose rows take those that refer to them with them when they are deleted.
const REFERRED_TO: [&str; 6] = [
    "\"imports\"",
    "\"memberships\"",
    "\"organizations\"",
    "\"services\"",
    "\"users\"",
    "\"webhooks\"",
];

/// Tables, and those that their triggers write.
const TRIGGERS: [(&str, &str); 3] = [
    ("\"memberships\"", "\"reporting_lines\""),
    ("\"memberships\"", "\"searchable_people\""),
    ("\"users\"", "\"searchable_people\""),
];

/// Whether the answer to `query` may be another one after `write`. In doubt it may.
pub(super) fn may_change(write: &str, query: &str) -> bool {
    let Some(table) = written_table(write) else {
        return !is_function_call(write);
    };
    let is_deletion = write.starts_with("DELETE");
    let mut triggers = TRIGGERS.iter();
    query.contains(table)
        || is_deletion && REFERRED_TO.contains(&table)
        || triggers.any(|(origin, written)| table == *origin && query.contains(written))
}

/// The name, in quotes, of the table to which a statement of Diesel's writes.
fn written_table(write: &str) -> Option<&str> {
    let verbs = ["INSERT INTO ", "UPDATE ", "DELETE FROM "];
    let rest = verbs.iter().find_map(|verb| write.strip_prefix(verb))?;
    let name = rest.strip_prefix('"')?.split('"').next()?;
    rest.get(..name.len() + 2)
}

/// Our own SQL calls functions for their effect: it takes locks.
fn is_function_call(write: &str) -> bool {
    write.starts_with("select ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;

    const ROWS: &str = r#"SELECT "sessions"."id" FROM "sessions" WHERE ("sessions"."id" = $1)"#;

    #[test]
    fn a_write_changes_the_answers_about_its_table() {
        for (write, changes) in [
            (r#"INSERT INTO "sessions" ("id") VALUES ($1)"#, true),
            (r#"UPDATE "sessions" SET "ver" = $1"#, true),
            (
                r#"DELETE FROM "sessions" WHERE ("sessions"."id" = $1)"#,
                true,
            ),
            (r#"INSERT INTO "session_tokens" ("id") VALUES ($1)"#, false),
            (r#"UPDATE "users" SET "ver" = $1"#, false),
            (r#"DELETE FROM "one_time_tokens""#, false),
            ("select pg_advisory_xact_lock($1)", false),
            ("with gone as (delete from x) select 1", true),
        ] {
            assert_eq!(may_change(write, ROWS), changes, "{write}");
        }
    }

    #[test]
    fn a_deletion_reaches_what_refers_to_it_and_a_trigger_what_it_writes() {
        assert!(may_change(r#"DELETE FROM "users" WHERE true"#, ROWS));
        let lines = r#"SELECT "reporting_lines"."user_id" FROM "reporting_lines""#;
        assert!(may_change(r#"UPDATE "memberships" SET "role" = $1"#, lines));
        assert!(!may_change(r#"UPDATE "memberships" SET "role" = $1"#, ROWS));
    }

    /// All migrations for PostgreSQL.
    fn migrations() -> String {
        let folders = fs::read_dir("migrations/postgres").unwrap();
        let texts = folders.map(|entry| {
            let up = entry.unwrap().path().join("up.sql");
            fs::read_to_string(&up).unwrap().replace('\n', " ")
        });
        texts.collect()
    }

    /// The first word, in quotes.
    fn word(text: &str) -> String {
        let is_part = |c: &char| c.is_ascii_alphabetic() || *c == '_';
        let name: String = text.trim_start().chars().take_while(is_part).collect();
        format!("\"{name}\"")
    }

    #[test]
    fn every_table_that_rows_refer_to_is_known() {
        let migrations = migrations();
        let references = migrations.split(" references ").skip(1);
        let found: BTreeSet<String> = references.map(word).collect();
        assert_eq!(found, REFERRED_TO.map(str::to_owned).into());
    }

    #[test]
    fn every_table_with_a_trigger_that_writes_another_is_known() {
        let migrations = migrations();
        let triggers = migrations.split("create trigger ").skip(1);
        let tables = triggers.filter_map(|trigger| trigger.split_once(" on "));
        let found: BTreeSet<String> = tables.map(|(_, rest)| word(rest)).collect();
        // Those of `sessions` only complete the row that is inserted.
        let known = TRIGGERS.iter().map(|(origin, _)| *origin);
        let known = known.chain(["\"sessions\""]).map(str::to_owned);
        assert_eq!(found, known.collect());
    }
}
