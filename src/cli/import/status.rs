//! `hallpass import status`

use clap::Args;
use serde::Serialize;

use crate::cli::operator::Console;
use crate::cli::{Failure, output};
use crate::config::Variables;
use crate::domain::ImportId;
use crate::domain::import::{Counts, ImportRun, ImportState};
use crate::service::operations::import::{find_import, list_imports};

pub(super) const EXAMPLES: &str = examples!(
    "hallpass import status",
    "hallpass import status 01997f0c-7d3a-7c55-9f0e-2f3f1f1d2b11 --json",
);

#[derive(Debug, Args)]
pub(super) struct Status {
    /// Id of an import
    run: Option<ImportId>,
    /// Print the imports as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RunJson<'a> {
    id: ImportId,
    source: &'a str,
    state: ImportState,
    started_at: chrono::DateTime<chrono::Utc>,
    seen_at: chrono::DateTime<chrono::Utc>,
    ended_at: Option<chrono::DateTime<chrono::Utc>>,
    #[serde(flatten)]
    counts: Counts,
}

impl<'a> From<&'a ImportRun> for RunJson<'a> {
    fn from(run: &'a ImportRun) -> Self {
        Self {
            id: run.id,
            source: &run.source,
            state: run.state,
            started_at: run.started_at,
            seen_at: run.seen_at,
            ended_at: run.ended_at,
            counts: run.counts,
        }
    }
}

impl Status {
    pub(super) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let console = Console::open(variables).await?;
        let runs = match self.run {
            Some(id) => vec![find_import(&console.services, id).await?],
            None => list_imports(&console.services).await?,
        };
        if self.json {
            let runs: Vec<RunJson<'_>> = runs.iter().map(RunJson::from).collect();
            return output::print_json(&runs);
        }
        output::print_table(
            [
                "ID",
                "SOURCE",
                "STATE",
                "STARTED",
                "ROWS",
                "CREATED",
                "UPDATED",
                "UNCHANGED",
                "REFUSED",
            ],
            runs.iter().map(|run| {
                [
                    run.id.to_string(),
                    run.source.clone(),
                    run.state.to_string(),
                    run.started_at.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
                    run.counts.done.to_string(),
                    run.counts.created.to_string(),
                    run.counts.updated.to_string(),
                    run.counts.unchanged.to_string(),
                    run.counts.refused.to_string(),
                ]
            }),
        )
    }
}
