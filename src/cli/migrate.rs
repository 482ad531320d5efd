//! `hallpass migrate`

use clap::Args;
use serde_json::json;

use super::{Failure, operator, output};
use crate::app::App;
use crate::config::{Mode, Variables};

pub(super) const EXAMPLES: &str = examples!(
    "hallpass migrate",
    "DATABASE_URL=postgres://hallpass@db/hallpass hallpass migrate",
);

#[derive(Debug, Args)]
pub(super) struct Migrate {
    /// Print {"applied": [names of migrations]}
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(migrate: &Migrate, variables: &Variables) -> Result<(), Failure> {
    let config = operator::read_settings(variables, Mode::Serve)?;
    output::note(&format!("database: {}", config.database));
    let applied = App::migrate(&config).await?;
    if migrate.json {
        output::print_json(&json!({"applied": applied}))
    } else if applied.is_empty() {
        output::print("The database is up to date.")
    } else {
        output::print(&format!("Applied {}.", applied.join(", ")))
    }
}
