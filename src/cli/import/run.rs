//! `hallpass import FILE`

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use clap::{ArgGroup, Args};
use indicatif::ProgressBar;
use people_files::presets;

use super::people::{Reading, Source};
use super::plan::{Place, Plan, absolute};
use super::progress::bar;
use super::rehearsal::Copy;
use super::report_file::ReportFile;
use super::summary::{Done, print};
use crate::adapters::SystemClock;
use crate::cli::operator::Console;
use crate::cli::{Failure, org};
use crate::config::Variables;
use crate::domain::import::OnConflict;
use crate::ports::Clock as _;
use crate::service::operations::import::{
    Ending, Held, ImportSettings, RowReport, Summary, begin_import, import, rehearse_import,
};
use crate::service::{RequestContext, Services};

/// Import people from a file, or from a database of another system
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("mapping").args(["preset", "map"]).required(true))]
pub(super) struct Run {
    /// CSV, NDJSON or JSON, also with gzip; a SQLite file; or the URL of a PostgreSQL database
    #[arg(value_name = "FILE", required = true)]
    file: Option<String>,
    /// The system that the people come from: see `hallpass import presets list`
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,
    /// A mapping of your own, in TOML
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// The file of a further table of the mapping
    #[arg(long, value_name = "NAME=FILE")]
    with: Vec<String>,
    /// Do everything except for keeping it, and print what would come of it
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Import without asking
    #[arg(long)]
    yes: bool,
    /// Import at most so many people
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Import only the people of this organization, which must exist
    #[arg(long, value_name = "SLUG")]
    only_org: Option<String>,
    /// What to do if an address belongs to an account that did not come from the same source
    #[arg(long, value_enum, default_value_t = Conflict::Skip)]
    on_conflict: Conflict,
    /// Take every address as verified; the owners of the old system must have been sure of them
    #[arg(long)]
    trust_emails: bool,
    /// The workspace of accounts at Slack that do not name theirs
    #[arg(long, value_name = "TEAM")]
    slack_team: Option<String>,
    /// Write one line of JSON for each row: row, external_id, id, outcome, code
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Conflict {
    /// Leave the row out
    Skip,
    /// Make the account that person's, if both sides have verified the address
    Update,
    /// Stop
    Fail,
}

impl From<Conflict> for OnConflict {
    fn from(conflict: Conflict) -> Self {
        match conflict {
            Conflict::Skip => Self::Skip,
            Conflict::Update => Self::Update,
            Conflict::Fail => Self::Fail,
        }
    }
}

impl Run {
    pub(super) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let plan = self.plan()?;
        if !self.dry_run && !self.yes && !io::stdin().is_terminal() {
            return Err(Failure::Usage(
                "nothing was imported: add --yes to import, or --dry-run to see what would come of it".to_owned(),
            ));
        }
        let running = Running::open(plan, variables).await?;
        let report = running.report(false)?;
        if self.dry_run {
            let done = running.rehearse(report, variables).await?;
            print(&done, self.json)?;
            return done.outcome();
        }
        if !self.yes {
            let done = running.rehearse(None, variables).await?;
            print(&done, false)?;
            must_say_yes()?;
        }
        let done = running.begin(report).await?;
        print(&done, self.json)?;
        done.outcome()
    }

    fn plan(&self) -> Result<Plan, Failure> {
        let mapping = match (&self.preset, &self.map) {
            (Some(name), _) => presets::find(name)
                .map_err(|error| Failure::InvalidInput(format!("--preset: {error}")))?
                .toml
                .to_owned(),
            (None, Some(path)) => std::fs::read_to_string(path).map_err(|error| {
                Failure::InvalidInput(format!("--map {}: {error}", path.display()))
            })?,
            (None, None) => return Err(Failure::Usage("name a --preset or a --map".to_owned())),
        };
        let mut with = BTreeMap::new();
        for pair in &self.with {
            let (name, path) = pair.split_once('=').ok_or_else(|| {
                Failure::Usage(format!(
                    "--with {pair}: write NAME=FILE, as in account=accounts.csv"
                ))
            })?;
            with.insert(name.to_owned(), absolute(path.as_ref())?);
        }
        let mut plan = Plan {
            file: None,
            with,
            mapping,
            limit: self.limit,
            only_org: self.only_org.clone(),
            on_conflict: self.on_conflict.into(),
            trust_emails: self.trust_emails,
            slack_team: self.slack_team.clone(),
            report: self.report.as_deref().map(absolute).transpose()?,
            seen: Vec::new(),
            url: None,
        };
        plan.read_from(Place::parse(self.file.as_deref().unwrap_or_default())?);
        plan.seen = plan.look();
        Ok(plan)
    }
}

/// # Errors
/// Unless a line says yes.
fn must_say_yes() -> Result<(), Failure> {
    #[expect(clippy::print_stderr, reason = "a prompt is not part of the output")]
    {
        eprint!("\nImport them? [y/N] ");
    }
    let mut line = String::new();
    let _ = io::stdin().lock().read_line(&mut line);
    if ["y", "yes"].contains(&line.trim().to_lowercase().as_str()) {
        return Ok(());
    }
    Err(Failure::Failed("nothing was imported".to_owned()))
}

/// A plan, and what it works with.
pub(super) struct Running {
    plan: Plan,
    source: Source,
    settings: ImportSettings,
    console: Console,
}

impl Running {
    pub(super) async fn open(plan: Plan, variables: &Variables) -> Result<Self, Failure> {
        let console = Console::open(variables).await?;
        let source = Source::new(&plan, console.peppers.clone(), SystemClock.now())?;
        let mapping = source.mapping();
        let only = match &plan.only_org {
            Some(slug) => Some(org::find(&console.services, slug).await?.id),
            None => None,
        };
        let settings = ImportSettings {
            source: mapping.source.clone(),
            on_conflict: plan.on_conflict,
            only,
        };
        Ok(Self {
            plan,
            source,
            settings,
            console,
        })
    }

    /// # Errors
    /// If it cannot be written.
    pub(super) fn report(&self, goes_on: bool) -> Result<Option<ReportFile>, Failure> {
        let path = self.plan.report.as_deref();
        path.map(|path| ReportFile::open(path, goes_on)).transpose()
    }

    pub(super) fn with(&self) -> (&Services, &RequestContext) {
        (&self.console.services, &self.console.context)
    }

    async fn rehearse(
        &self,
        mut report: Option<ReportFile>,
        variables: &Variables,
    ) -> Result<Done, Failure> {
        let begun = Instant::now();
        let read = self.source.read().await?;
        let copy = Copy::of(variables).await?;
        let services = copy
            .as_ref()
            .map_or(&self.console.services, |copy| &copy.services);
        let bar = bar(Some(read.len), "checking");
        let counting = bar.clone();
        let observe = move |rows: &[RowReport]| observe(&mut report, &counting, rows);
        let summary = rehearse_import(
            services,
            &self.console.context,
            &self.settings,
            read.facts,
            read.lines,
            observe,
        )
        .await?;
        bar.finish_and_clear();
        Ok(self.done(None, read.input, (summary, Ending::Finished), begun))
    }

    async fn begin(&self, report: Option<ReportFile>) -> Result<Done, Failure> {
        let options = serde_json::to_string(&self.plan)
            .map_err(|error| Failure::Failed(format!("cannot store the run: {error}")))?;
        let (services, context) = (&self.console.services, &self.console.context);
        // Everything that can be wrong with the source is found before anything is written.
        let read = self.source.read().await?;
        let held = begin_import(services, context, &self.settings.source, options).await?;
        self.go(held, read, 0, report).await
    }

    pub(super) async fn read(&self) -> Result<Reading, Failure> {
        self.source.read().await
    }

    /// How many of so many lines that are done can be left out.
    pub(super) fn done_of(&self, done: u64) -> u64 {
        if self.plan.is_as_it_was() { done } else { 0 }
    }

    /// Writes what was read, but for the lines that are done.
    pub(super) async fn go(
        &self,
        held: Held,
        read: Reading,
        done: u64,
        mut report: Option<ReportFile>,
    ) -> Result<Done, Failure> {
        let begun = Instant::now();
        let bar = bar(Some(read.len), "importing");
        bar.set_position(done);
        let stop = stop_at_signals();
        let counting = bar.clone();
        let mut observe = move |rows: &[RowReport]| observe(&mut report, &counting, rows);
        let ended = import(
            &self.console.services,
            &self.console.context,
            held,
            &self.settings,
            read.facts,
            (read.lines, done),
            (&stop, &mut observe),
        )
        .await;
        bar.finish_and_clear();
        let ended = ended.map_err(|error| Failure::after(error, held.id))?;
        Ok(self.done(Some(held), read.input, ended, begun))
    }

    fn done(
        &self,
        held: Option<Held>,
        input: String,
        (summary, ending): (Summary, Ending),
        begun: Instant,
    ) -> Done {
        Done {
            id: held.map(|held| held.id),
            input,
            trusts_emails: self.plan.trust_emails,
            summary,
            ending,
            seconds: begun.elapsed().as_secs_f64(),
            bcrypt_cost: self.console.bcrypt_cost,
        }
    }
}

fn observe(
    report: &mut Option<ReportFile>,
    bar: &ProgressBar,
    rows: &[RowReport],
) -> Result<(), String> {
    bar.inc(rows.len() as u64);
    match report {
        Some(report) => report.add(rows),
        None => Ok(()),
    }
}

/// Becomes true at Ctrl-C or a signal to terminate.
fn stop_at_signals() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    tokio::spawn(async move {
        let terminate = async {
            use tokio::signal::unix::{SignalKind, signal};
            match signal(SignalKind::terminate()) {
                Ok(mut signal) => signal.recv().await,
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate => {}
        }
        told.store(true, Ordering::Release);
    });
    stop
}
