//! `hallpass import undo`

use clap::Args;

use crate::cli::operator::Console;
use crate::cli::{Failure, output};
use crate::config::Variables;
use crate::domain::ImportId;
use crate::service::operations::import::{TakeOver, WhyKept, take_over_import, undo_import};

pub(super) const EXAMPLES: &str = examples!(
    "hallpass import undo 01997f0c-7d3a-7c55-9f0e-2f3f1f1d2b11 --yes",
    "hallpass import undo 01997f0c-7d3a-7c55-9f0e-2f3f1f1d2b11 --yes --json",
);

#[derive(Debug, Args)]
pub(super) struct Undo {
    /// Id of the import
    run: ImportId,
    /// Confirm that accounts are deleted
    #[arg(long, required = true)]
    yes: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

impl Undo {
    pub(super) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let console = Console::open(variables).await?;
        let (services, context) = (&console.services, &console.context);
        let (held, _) = take_over_import(services, context, self.run, TakeOver::Undo).await?;
        let undone = undo_import(services, context, held).await?;
        if self.json {
            return output::print_json(&undone);
        }
        output::print(&format!(
            "{} accounts and {} organizations were removed; {} accounts stay.",
            undone.removed,
            undone.removed_organizations,
            undone.kept.len()
        ))?;
        if undone.kept.is_empty() {
            return Ok(());
        }
        output::print_table(
            ["ID", "EXTERNAL ID", "WHY"],
            undone.kept.iter().map(|kept| {
                let why = match kept.why {
                    WhyKept::SignedIn => "has signed in, or set a password",
                    WhyKept::OnlyAdmin => "is the only admin of people who stay",
                };
                [
                    kept.id.to_string(),
                    kept.external_id.clone(),
                    why.to_owned(),
                ]
            }),
        )
    }
}
