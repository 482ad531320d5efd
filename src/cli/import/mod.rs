//! `hallpass import`

mod check;
mod people;
mod plan;
mod presets;
mod progress;
mod rehearsal;
mod report_file;
mod resume;
mod run;
mod sessions;
mod status;
mod summary;
mod undo;

use clap::{Args, Subcommand};

use super::Failure;
use crate::config::Variables;

pub(super) const EXAMPLES: &str = examples!(
    "hallpass import people.csv --preset nextauth --dry-run          see what would come of it",
    "hallpass import people.csv --map acme.toml --yes --report report.ndjson",
    "hallpass import users.csv --preset nextauth --with account=accounts.csv --yes",
    "hallpass import postgres://reader@old.example/app --preset supabase --dry-run",
    "hallpass import presets show nextauth > acme.toml               a mapping to begin with";
    "3   a dry run says that some rows would be refused",
    "65  invalid input; or some rows were refused, and the others were imported",
    "130 stopped by Ctrl-C or a signal; `hallpass import resume` goes on",
);

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Import {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: run::Run,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the imports, or show one
    #[command(after_help = status::EXAMPLES)]
    Status(status::Status),
    /// Go on with an import that was stopped or killed
    #[command(after_help = resume::EXAMPLES)]
    Resume(resume::Resume),
    /// Remove the people of an import who have not signed in yet, and list the others
    #[command(after_help = undo::EXAMPLES)]
    Undo(undo::Undo),
    /// Check after an import that its people can sign in
    #[command(after_help = check::EXAMPLES)]
    Check(check::Check),
    /// Import the sessions that the earlier system stored, so that nobody is signed out
    ///
    /// The file is NDJSON or a JSON array, and each row has `token`, `userId` and `expiresAt`, as the table of better-auth
    /// has, or `sessionToken`, `userId` and `expires`, as that of NextAuth. The people must have been imported before.
    /// Running it again is harmless.
    #[command(after_help = sessions::EXAMPLES)]
    Sessions(sessions::Sessions),
    /// Show which systems people can come from, and the mapping for each
    #[command(subcommand, after_help = presets::EXAMPLES)]
    Presets(presets::Command),
}

pub(super) async fn run(import: Import, variables: &Variables) -> Result<(), Failure> {
    match import.command {
        None => Box::pin(import.run.run(variables)).await,
        Some(Command::Status(command)) => command.run(variables).await,
        Some(Command::Resume(command)) => command.run(variables).await,
        Some(Command::Undo(command)) => command.run(variables).await,
        Some(Command::Check(command)) => command.run(variables).await,
        Some(Command::Sessions(command)) => command.run(variables).await,
        Some(Command::Presets(command)) => presets::run(command),
    }
}
