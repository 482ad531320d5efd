//! `hallpass export`

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::operator::Console;
use super::{Failure, output};
use crate::config::Variables;
use crate::service::operations::operator::{ExportError, export_people};

pub(super) const EXAMPLES: &str = examples!(
    "hallpass export people.ndjson",
    "hallpass export people.ndjson --with-secrets    hashes of passwords and secrets of authenticators as well",
    "hallpass export | jq -r .email",
);

#[derive(Debug, Args)]
pub(super) struct Export {
    /// A file that does not exist yet [default: standard output]
    file: Option<PathBuf>,
    /// Include password_hash, totp and recovery_code_hashes. Whoever has the file can guess passwords and make codes
    #[arg(long)]
    with_secrets: bool,
}

impl Export {
    pub(super) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        if self.with_secrets && self.file.is_none() && io::stdout().is_terminal() {
            return Err(Failure::InvalidInput(
                "secrets are not written to a terminal: name a file".to_owned(),
            ));
        }
        let console = Console::open(variables).await?;
        let (services, context) = (&console.services, &console.context);
        let written = match &self.file {
            None => export_people(services, context, self.with_secrets, io::stdout()).await,
            Some(path) => {
                let file = create(path)?;
                let written = export_people(services, context, self.with_secrets, file).await;
                if written.is_err() {
                    // Half of the people are no export.
                    let _ = fs::remove_file(path);
                }
                written
            }
        };
        match written {
            Ok(count) => {
                output::note(&format!("exported {count} people"));
                Ok(())
            }
            // `| head`
            Err(ExportError::Write(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Only its owner can read it: it holds addresses, and perhaps secrets.
fn create(path: &Path) -> Result<fs::File, Failure> {
    let opened = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    opened.map_err(|error| {
        let why = match error.kind() {
            ErrorKind::AlreadyExists => "exists already: name another file".to_owned(),
            _ => format!("cannot be created: {error}"),
        };
        Failure::Failed(format!("{} {why}", path.display()))
    })
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        let why = error.to_string();
        match error {
            ExportError::Write(_) => Self::Failed(why),
            ExportError::Sealed(_) => Self::InvalidSetting(why),
            ExportError::Store(_) => Self::DatabaseUnavailable(why),
            ExportError::Service(error) => error.into(),
        }
    }
}
