//! `docs/DATA_MODEL.md`, drawn from `src/store/schema.rs` and the migrations.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use super::root;

/// What the rows of each table are.
const TABLES: &[(&str, &str)] = &[
    (
        "users",
        "Accounts. `ver` is the token version, `pv` the permissions version, `session_ver` the session version.",
    ),
    ("organizations", "Organizations and their rules."),
    (
        "slug_aliases",
        "Former slugs of organizations, which go on leading to them.",
    ),
    (
        "memberships",
        "Which user belongs to which organization, with which role and manager.",
    ),
    (
        "reporting_lines",
        "Each member with themselves and every manager above them; triggers on `memberships` keep it.",
    ),
    (
        "searchable_people",
        "What a search compares: name and address of each member in lower case; triggers keep it, and an index of its own.",
    ),
    (
        "sessions",
        "Sessions, ended ones included for `RETAIN_SESSIONS`; `kind` is their carrier, `ver` the session version.",
    ),
    (
        "one_time_tokens",
        "Hashes of the tokens in links, of challenges and of codes of the Slack sign-in, until they expire.",
    ),
    (
        "totp",
        "Authenticators: the sealed secret, the last time step used, and failures in a row.",
    ),
    ("recovery_codes", "Hashes of unused recovery codes."),
    (
        "api_tokens",
        "Hashes of the tokens of services, revoked ones included for 30 days.",
    ),
    (
        "signing_keys",
        "Ids of the keys that sign tokens and seal secrets: with which ones the database was used, and until when.",
    ),
    (
        "services",
        "Other services that follow revocations and ask about tokens.",
    ),
    (
        "service_keys",
        "Hashes of their keys: one each, or two while a service changes it.",
    ),
    (
        "invitations",
        "Invitations by e-mail, ended ones for `RETAIN_INVITATIONS`; only the link of the newest `letter` works.",
    ),
    (
        "join_links",
        "Links by which people join an organization, until they expire; `hash` is that of their token.",
    ),
    (
        "webhooks",
        "Where organizations are told what happens to their people; `secret` and `previous_secret` are sealed.",
    ),
    (
        "webhook_deliveries",
        "What webhooks are told: delivered events for three days, given up ones for thirty.",
    ),
    ("workspaces", "Which Slack workspace is which organization."),
    (
        "identities",
        "Which account of a Slack workspace is which user.",
    ),
    (
        "detached_identities",
        "Identities that a password reset detached from their user.",
    ),
    (
        "removed_identities",
        "Which accounts of a workspace belong to people who were removed from its organization.",
    ),
    (
        "slack_states",
        "OAuth states that have come back, for ten minutes.",
    ),
    (
        "outbox",
        "E-mails to send, sealed; `letter` is their content until they are sent; rows stay for `RETAIN_EMAILS`.",
    ),
    (
        "changes",
        "What every instance must learn, while tokens it concerns are valid: ended sessions, changed users and so on.",
    ),
    (
        "audit",
        "The audit log, for `RETAIN_AUDIT`. It has no foreign keys, so that rows outlive what they are about.",
    ),
    (
        "failed_attempts",
        "Wrong passwords of the last 15 minutes by account, under a keyed hash, and address.",
    ),
    (
        "known_addresses",
        "From where users have signed in, for a year: the latest addresses, which a lock of their account spares.",
    ),
    (
        "active_organizations",
        "The organization that each user acted in last, for sign-ins that name none.",
    ),
    (
        "known_devices",
        "With which devices users have signed in, and from which networks, for a year; what is new is notified.",
    ),
    (
        "failures_in_a_row",
        "Wrong passwords in a row by account, under a keyed hash, for a day after the last.",
    ),
    (
        "imports",
        "Runs of `hallpass import`: what each needs to go on, how far it is, and what came of it.",
    ),
    (
        "external_ids",
        "Which id a user had elsewhere; `run_id` is null for an account that was here before the import.",
    ),
    (
        "legacy_sessions",
        "Sessions that an earlier system had stored, by the SHA-256 of their tokens, until they end.",
    ),
    (
        "external_organizations",
        "Which organization a name elsewhere became, by source.",
    ),
];

struct Table<'a> {
    name: &'a str,
    key: Vec<&'a str>,
    /// Name and Diesel type.
    columns: Vec<(&'a str, &'a str)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct ForeignKey {
    columns: Vec<String>,
    target: String,
    cascades: bool,
}

/// By table.
#[derive(Debug, Default, PartialEq, Eq)]
struct Migrated {
    columns: BTreeMap<String, BTreeSet<String>>,
    foreign: BTreeMap<String, Vec<ForeignKey>>,
    unique: BTreeMap<String, Vec<String>>,
}

#[test]
fn the_data_model_page_is_up_to_date() {
    let path = root().join("docs/DATA_MODEL.md");
    let schema = fs::read_to_string(root().join("src/store/schema.rs")).unwrap();
    let page = page(&tables(&schema), &Migrated::of("sqlite"));
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == page,
        "docs/DATA_MODEL.md is out of date; run UPDATE_GENERATED=1 cargo test"
    );
}

#[test]
fn the_migrations_of_both_databases_make_the_tables_of_the_schema() {
    let schema = fs::read_to_string(root().join("src/store/schema.rs")).unwrap();
    let mut columns = BTreeMap::new();
    for table in tables(&schema) {
        let names = table.columns.iter().map(|(name, _)| (*name).to_owned());
        columns.insert(table.name.to_owned(), names.collect());
    }
    let (sqlite, postgres) = (Migrated::of("sqlite"), Migrated::of("postgres"));
    assert_eq!(sqlite.columns, columns);
    assert_eq!(sqlite, postgres);
}

fn page(tables: &[Table<'_>], migrated: &Migrated) -> String {
    let mut page = String::from(
        "# Data model\n\n\
         Generated from `src/store/schema.rs` and the migrations; `UPDATE_GENERATED=1 cargo test` regenerates it. Types are\n\
         those of [decision 2](decisions/0002-one-schema-two-databases.md): an `Id` is a `uuid` or a 16-byte `blob`, an\n\
         `Instant` a `timestamptz` or an `integer` of microseconds.\n\n\
         ```mermaid\nerDiagram\n",
    );
    for (table, foreign) in &migrated.foreign {
        let this = tables.iter().find(|known| known.name == table).unwrap();
        for key in foreign {
            let is_optional = key.columns.iter().any(|column| {
                this.columns
                    .iter()
                    .any(|(name, kind)| name == column && kind.starts_with("Nullable"))
            });
            let one = if is_optional { "|o" } else { "||" };
            let many = if this.key == key.columns { "o|" } else { "o{" };
            writeln!(
                page,
                "    {} {one}--{many} {table} : {}",
                key.target, key.columns[0]
            )
            .unwrap();
        }
    }
    page.push_str("```\n");
    assert_eq!(tables.len(), TABLES.len());
    for (name, about) in TABLES {
        let table = tables.iter().find(|table| table.name == *name).unwrap();
        write!(
            page,
            "\n## {name}\n\n{about}\n\n| column | type | key |\n|---|---|---|\n"
        )
        .unwrap();
        for (column, kind) in &table.columns {
            let kind = match kind.strip_prefix("Nullable<") {
                Some(kind) => format!("{}, may be null", kind.trim_end_matches('>')),
                None => (*kind).to_owned(),
            };
            let key = if table.key.contains(column) {
                "primary"
            } else {
                ""
            };
            writeln!(page, "| `{column}` | {kind} | {key} |").unwrap();
        }
        let mut notes = String::new();
        for key in migrated.foreign.get(*name).into_iter().flatten() {
            let columns = key.columns.join(", ");
            let deletes = if key.cascades {
                ", deleted with it"
            } else {
                ""
            };
            writeln!(notes, "- `{columns}` refers to `{}`{deletes}.", key.target).unwrap();
        }
        for unique in migrated.unique.get(*name).into_iter().flatten() {
            writeln!(notes, "- Unique: {unique}.").unwrap();
        }
        if !notes.is_empty() {
            write!(page, "\n{notes}").unwrap();
        }
    }
    page
}

fn tables(schema: &str) -> Vec<Table<'_>> {
    let mut tables = Vec::new();
    for block in schema.split("table! {").skip(1) {
        let mut lines = block.lines().map(str::trim);
        let head = lines.find(|line| line.ends_with(") {")).unwrap();
        let (name, key) = head.trim_end_matches(") {").split_once(" (").unwrap();
        let columns = lines
            .map_while(|line| line.trim_end_matches(',').split_once(" -> "))
            .collect();
        tables.push(Table {
            name,
            key: key.split(", ").collect(),
            columns,
        });
    }
    tables
}

impl Migrated {
    /// After all migrations of a database.
    fn of(database: &str) -> Self {
        let folder = root().join("migrations").join(database);
        let mut migrations: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        migrations.sort();
        let mut migrated = Self::default();
        for migration in migrations {
            let sql = fs::read_to_string(migration.join("up.sql")).unwrap();
            let lines = sql.lines().map(|line| line.split("--").next().unwrap());
            let sql = lines
                .flat_map(str::split_whitespace)
                .collect::<Vec<_>>()
                .join(" ");
            sql.split(';')
                .map(str::trim)
                .for_each(|statement| migrated.apply(statement));
        }
        migrated
    }

    fn apply(&mut self, statement: &str) {
        let words: Vec<_> = statement.split(' ').collect();
        match words[..] {
            ["create", "table", table, ..] => {
                for definition in definitions(inside(statement)) {
                    self.column(table, definition);
                }
            }
            ["alter", "table", table, "rename", "to", name] => {
                if let Some(moved) = self.columns.remove(table) {
                    self.columns.insert(name.to_owned(), moved);
                }
                if let Some(moved) = self.foreign.remove(table) {
                    self.foreign.insert(name.to_owned(), moved);
                }
            }
            ["alter", "table", table, "drop", "constraint", name] => {
                let named = |key: &ForeignKey| {
                    let column = key.columns[0].trim_end_matches("_id");
                    name == format!("{table}_{column}_fkey")
                };
                self.foreign
                    .get_mut(table)
                    .unwrap()
                    .retain(|key| !named(key));
                self.foreign.retain(|_, keys| !keys.is_empty());
            }
            ["alter", "table", table, ..] => {
                for definition in definitions(statement)
                    .iter()
                    .filter_map(|it| it.split_once("add column "))
                {
                    self.column(table, definition.1);
                }
            }
            ["drop", "table", table] => {
                self.columns.remove(table);
                self.foreign.remove(table);
            }
            ["create", "unique", "index", _, "on", table, ..] => {
                let only = statement
                    .split_once(" where ")
                    .map(|(_, when)| format!(" where {when}"));
                let unique = format!("`{}`{}", inside(statement), only.unwrap_or_default());
                self.unique
                    .entry(table.to_owned())
                    .or_default()
                    .push(unique);
            }
            _ => {}
        }
    }

    fn column(&mut self, table: &str, definition: &str) {
        let name = definition.split(' ').next().unwrap();
        if !["constraint", "foreign", "primary", "unique", "check"].contains(&name) {
            self.columns
                .entry(table.to_owned())
                .or_default()
                .insert(name.to_owned());
        }
        if let Some((before, after)) = definition.split_once("references ") {
            let columns = before
                .split_once("foreign key (")
                .map_or(name, |(_, it)| it.split(')').next().unwrap());
            let key = ForeignKey {
                columns: columns.split(", ").map(str::to_owned).collect(),
                target: after.split(' ').next().unwrap().to_owned(),
                cascades: after.contains("on delete cascade"),
            };
            self.foreign.entry(table.to_owned()).or_default().push(key);
        }
        if definition.split(' ').any(|word| word == "unique") {
            self.unique
                .entry(table.to_owned())
                .or_default()
                .push(format!("`{name}`"));
        }
    }
}

/// What is in the first pair of parentheses.
fn inside(statement: &str) -> &str {
    let text = statement.split_once('(').map_or("", |(_, rest)| rest);
    let mut depth = 1;
    let end = text.find(|c| {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        depth == 0
    });
    &text[..end.unwrap_or(text.len())]
}

/// Pieces between commas that are in no parentheses.
fn definitions(text: &str) -> Vec<&str> {
    let mut depth = 0;
    text.split(|c| {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        c == ',' && depth == 0
    })
    .map(str::trim)
    .collect()
}
