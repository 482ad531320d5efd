//! `hallpass import resume`

use clap::Args;

use super::plan::{Place, Plan};
use super::run::Running;
use super::summary::print;
use crate::cli::Failure;
use crate::cli::operator::Console;
use crate::config::Variables;
use crate::domain::ImportId;
use crate::domain::import::{ImportRefusal, ImportState};
use crate::service::Error;
use crate::service::operations::import::{TakeOver, find_import, take_over_import};

pub(super) const EXAMPLES: &str = examples!(
    "hallpass import resume 01997f0c-7d3a-7c55-9f0e-2f3f1f1d2b11",
    "hallpass import resume 01997f0c-7d3a-7c55-9f0e-2f3f1f1d2b11 postgres://reader@old.example/app";
    "65  invalid input; or some rows were refused, and the others were imported",
    "130 stopped by Ctrl-C or a signal; `hallpass import resume` goes on",
);

#[derive(Debug, Args)]
pub(super) struct Resume {
    /// Id of the import
    run: ImportId,
    /// Where the file is now, or the URL of the database, which is not stored
    file: Option<String>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

impl Resume {
    pub(super) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let plan = {
            let console = Console::open(variables).await?;
            let run = find_import(&console.services, self.run).await?;
            if let ImportState::Finished | ImportState::Undone = run.state {
                let (id, state) = (run.id, run.state);
                return Err(Error::from(ImportRefusal::Over { id, state }).into());
            }
            let mut plan: Plan = serde_json::from_str(&run.options).map_err(|error| {
                Failure::Failed(format!("the stored import cannot be read: {error}"))
            })?;
            if let Some(file) = &self.file {
                plan.read_from(Place::parse(file)?);
            }
            plan
        };
        let running = Running::open(plan, variables).await?;
        let report = running.report(true)?;
        // What is wrong with the source is found before the run is taken over.
        let read = running.read().await?;
        let (services, context) = running.with();
        let (held, run) = take_over_import(services, context, self.run, TakeOver::Resume).await?;
        let done = running
            .go(held, read, running.done_of(run.counts.done), report)
            .await?;
        print(&done, self.json)?;
        done.outcome()
    }
}
