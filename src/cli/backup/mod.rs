//! `hallpass backup FILE`, and `hallpass backup verify FILE`

mod secrets;
mod verify;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

pub(super) use verify::{about, lack};

use super::{Failure, output};
use crate::app::{App, Backup as Made, BackupError};
use crate::config::{Config, Database, Mode, PostgresUrls, Variables};
use crate::service::operations::keys::NeededKey;

pub(super) const EXAMPLES: &str = examples!(
    "hallpass backup /backup/hallpass.db                 while the server runs",
    "hallpass backup /backup/hallpass.db --with-secret   and the secrets, in /backup/hallpass.db.secrets",
    "hallpass backup verify /backup/hallpass.db";
    "64  another program does it for this database",
    "65  invalid input",
);

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Backup {
    #[command(subcommand)]
    command: Option<Command>,
    /// A file that does not exist yet
    #[arg(required = true)]
    file: Option<PathBuf>,
    /// Write JWT_SECRET and JWT_SIGNING_KEY to FILE.secrets as well, as lines of an .env file
    #[arg(long)]
    with_secret: bool,
    /// Print {"file", "bytes", "keys": [{"kid", "authenticators", "webhooks", "sessions", "emails"}], "secrets"}
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Open a copy of a backup, check all of it, and prove that the secrets belong to it
    ///
    /// The copy is made in the directory for temporary files (TMPDIR), and deleted.
    #[command(after_help = verify::EXAMPLES)]
    Verify(verify::Verify),
}

impl Backup {
    pub(super) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        match (self.command, self.file) {
            (Some(Command::Verify(verify)), _) => verify.run(variables).await,
            (None, Some(file)) => back_up(&file, self.with_secret, self.json, variables).await,
            (None, None) => Ok(()),
        }
    }
}

async fn back_up(
    file: &Path,
    with_secret: bool,
    as_json: bool,
    variables: &Variables,
) -> Result<(), Failure> {
    let database = Config::read_database(variables, Mode::Serve)?;
    let path = match &database {
        Database::Sqlite { path } => path,
        Database::Postgres(urls) => return Err(use_pg_dump(urls, file)),
    };
    output::note(&format!("database: {database}"));
    App::expect_database(&database).await?;
    let secrets = with_secret.then(|| secrets::beside(file));
    let secrets = match secrets {
        Some(file) => Some((secrets::text(&Config::read_tokens(variables)?)?, file)),
        None => None,
    };
    if let Some((_, file)) = &secrets {
        secrets::must_not_exist(file)?;
    }
    let made = App::back_up(path, file).await?;
    if let Some((text, file)) = &secrets {
        secrets::write(text, file)?;
    }
    let secrets = secrets.map(|(_, file)| file);
    if as_json {
        return output::print_json(&json!({
            "file": file,
            "bytes": made.size,
            "keys": made.keys.iter().map(json_of).collect::<Vec<_>>(),
            "secrets": secrets,
        }));
    }
    output::print(&text_of(&made, file, secrets.as_deref()))
}

fn text_of(made: &Made, file: &Path, secrets: Option<&Path>) -> String {
    let mut lines = vec![format!("Wrote {} ({} bytes).", file.display(), made.size)];
    if !made.keys.is_empty() {
        let keys: Vec<String> = made.keys.iter().map(ToString::to_string).collect();
        lines.push(format!("It needs {}.", keys.join(", ")));
    }
    lines.push(match secrets {
        Some(file) => format!(
            "Wrote {}: whoever has both files can sign in as anybody. Keep them apart.",
            file.display()
        ),
        None => "Keep JWT_SECRET and JWT_SIGNING_KEY as well, in another place: `hallpass secret kid` lists their ids."
            .to_owned(),
    });
    lines.join("\n")
}

pub(super) fn json_of(key: &NeededKey) -> serde_json::Value {
    json!({
        "kid": key.kid,
        "authenticators": key.authenticators,
        "webhooks": key.webhooks,
        "sessions": key.sessions,
        "emails": key.emails,
    })
}

/// The password is left out, as `pg_dump` asks for it or finds it in `~/.pgpass`.
fn use_pg_dump(urls: &PostgresUrls, file: &Path) -> Failure {
    let url = urls.direct.as_ref().unwrap_or(&urls.requests);
    Failure::OtherTool(format!(
        "DATABASE_URL is PostgreSQL, which has its own tool for backups. Run:\n\n  \
         pg_dump --format=custom --file={} '{url}'\n\n\
         It asks for the password unless ~/.pgpass has it. Keep JWT_SECRET and JWT_SIGNING_KEY as well, in another \
         place: without them nobody's authenticator works, e-mails that wait are lost, and everybody signs in again.",
        quoted(file)
    ))
}

/// For a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        let why = error.to_string();
        match error {
            BackupError::Invalid(_) => Self::InvalidInput(why),
            BackupError::Missing(_) => Self::NoDatabase(why),
            BackupError::Failed(_) => Self::Failed(why),
        }
    }
}
