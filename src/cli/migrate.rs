//! `hallpass migrate`

use clap::Args;
use serde_json::{Value, json};

use super::{Failure, operator, output};
use crate::app::{App, PlannedMigration};
use crate::config::{Mode, Variables};

pub(super) const EXAMPLES: &str = examples!(
    "hallpass migrate",
    "hallpass migrate --plan",
    "DATABASE_URL=postgres://hallpass@db/hallpass hallpass migrate",
);

#[derive(Debug, Args)]
pub(super) struct Migrate {
    /// Print what would be applied, which tables each statement locks, and how many rows they have; apply nothing
    #[arg(long)]
    plan: bool,
    /// Print {"applied": [names of migrations]}; with --plan {"pending": [{"name", "transaction", "statements"}]}
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(migrate: &Migrate, variables: &Variables) -> Result<(), Failure> {
    let config = operator::read_settings(variables, Mode::Serve).await?;
    output::note(&format!("database: {}", config.database));
    if migrate.plan {
        let pending = App::plan_migrations(&config).await?;
        return if migrate.json {
            let pending: Vec<_> = pending.iter().map(json_of).collect();
            output::print_json(&json!({"pending": pending}))
        } else {
            output::print(&text_of(&pending))
        };
    }
    let applied = App::migrate(&config).await?;
    if migrate.json {
        output::print_json(&json!({"applied": applied}))
    } else if applied.is_empty() {
        output::print("The database is up to date.")
    } else {
        output::print(&format!("Applied {}.", applied.join(", ")))
    }
}

fn json_of(planned: &PlannedMigration) -> Value {
    let statements = planned.statements.iter().map(|effect| {
        json!({
            "sql": effect.sql,
            "table": effect.table,
            "rows": effect.rows,
            "lock": effect.lock,
            "work": effect.work,
        })
    });
    json!({
        "name": planned.name,
        "transaction": planned.is_in_transaction,
        "statements": statements.collect::<Vec<_>>(),
    })
}

/// The beginning of each statement is enough to know it by.
const SHOWN: usize = 70;

fn text_of(pending: &[PlannedMigration]) -> String {
    if pending.is_empty() {
        return "The database is up to date.".to_owned();
    }
    let mut lines = Vec::new();
    for planned in pending {
        let outside = if planned.is_in_transaction {
            ""
        } else {
            ", outside of a transaction"
        };
        lines.push(format!("{}{outside}", planned.name));
        for effect in &planned.statements {
            let sql: String = effect.sql.chars().take(SHOWN).collect();
            let rows = effect
                .rows
                .map_or(String::new(), |rows| format!(", about {rows} rows"));
            lines.push(format!("  {sql}"));
            lines.push(format!("    lock: {}; {}{rows}", effect.lock, effect.work));
        }
    }
    lines.join("\n")
}
