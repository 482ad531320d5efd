//! `hallpass copy`

use clap::Args;
use serde_json::json;

use super::{Failure, output};
use crate::app::{App, CopiedTable, CopyFailure};
use crate::config::{Config, Database, Environment as _, Mode, Variables, settings};

pub(super) const EXAMPLES: &str = examples!(
    "hallpass copy sqlite:hallpass.db postgres://hallpass@db/hallpass",
    "hallpass copy DATABASE_URL NEW_DATABASE_URL     variables that hold the addresses, and so no password is shown",
);

#[derive(Debug, Args)]
pub(super) struct Copy {
    /// Where from: sqlite:FILE, postgres://…, or the name of a variable that holds it
    from: String,
    /// Where to, likewise
    to: String,
    /// Print {"tables": [{"name", "rows", "checksum"}], "rows"}
    #[arg(long)]
    json: bool,
}

impl Copy {
    pub(super) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let from = database("FROM", &self.from, variables)?;
        let to = database("TO", &self.to, variables)?;
        output::note(&format!("from: {from}"));
        output::note(&format!("to: {to}"));
        let tables = App::copy(&from, &to).await?;
        let rows: u64 = tables.iter().map(|table| table.rows).sum();
        if self.json {
            let tables: Vec<_> = tables.iter().map(json_of).collect();
            return output::print_json(&json!({"tables": tables, "rows": rows}));
        }
        output::print_table(
            ["TABLE", "ROWS", "CHECKSUM"],
            tables.into_iter().map(|table| {
                [
                    table.name.to_owned(),
                    table.rows.to_string(),
                    table.checksum,
                ]
            }),
        )?;
        output::print(&format!(
            "\nCopied {rows} rows; counts and checksums of all tables are the same. Servers of {to} need the same \
             JWT_SECRET and JWT_SIGNING_KEY as those of {from}."
        ))
    }
}

fn json_of(table: &CopiedTable) -> serde_json::Value {
    json!({"name": table.name, "rows": table.rows, "checksum": table.checksum})
}

/// What the argument names. Problems do not repeat a URL, which may hold a password.
fn database(argument: &str, given: &str, variables: &Variables) -> Result<Database, Failure> {
    let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let url = if given.chars().all(is_name) {
        variables.get(given).ok_or_else(|| {
            Failure::InvalidInput(format!("{argument}: the variable {given} is not set"))
        })?
    } else {
        given.to_owned()
    };
    let only = |name: &str| (name == settings::DATABASE_URL.name).then(|| url.clone());
    Config::read_database(&only, Mode::Serve)
        .map_err(|errors| Failure::InvalidInput(format!("{argument}: {errors}")))
}

impl From<CopyFailure> for Failure {
    fn from(failure: CopyFailure) -> Self {
        match failure {
            CopyFailure::Build(error) => error.into(),
            CopyFailure::Copy(error) => Self::Failed(error.to_string()),
        }
    }
}
