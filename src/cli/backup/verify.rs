//! `hallpass backup verify`

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::json_of;
use crate::app::{App, Examined};
use crate::cli::{Failure, output};
use crate::config::{Config, Variables};
use crate::service::operations::keys::Lost;
use crate::service::operations::prove::Sealed;

pub(super) const EXAMPLES: &str = examples!(
    "hallpass backup verify /backup/hallpass.db",
    "JWT_SECRET_FILE=/run/secrets/jwt hallpass backup verify /backup/hallpass.db",
    "TMPDIR=/var/tmp hallpass backup verify /backup/hallpass.db",
);

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// A file that `hallpass backup` wrote
    file: PathBuf,
    /// Print {"people", "organizations", "sessions", "migrations", "tokenOf", "opened", "lost": {"keys", "emails"}}
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub(super) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let tokens = Config::read_tokens(variables)?;
        let name = self.file.file_name().unwrap_or(self.file.as_os_str());
        let scratch = std::env::temp_dir().join(name);
        let examined = App::examine(&self.file, &scratch, &tokens).await?;
        let lost = &examined.proof.lost;
        if self.json {
            output::print_json(&json!({
                "people": examined.proof.contents.people,
                "organizations": examined.proof.contents.organizations,
                "sessions": examined.proof.contents.sessions,
                "migrations": examined.migrated,
                "tokenOf": examined.proof.token_of,
                "opened": examined.proof.opened.map(Sealed::name),
                "lost": {"keys": lost.keys.iter().map(json_of).collect::<Vec<_>>(), "emails": lost.emails},
            }))?;
        } else {
            output::print(&about(&examined))?;
        }
        if lost.is_nothing() {
            Ok(())
        } else {
            Err(Failure::InvalidSetting(lack(lost)))
        }
    }
}

/// What was proven, for people.
pub(crate) fn about(examined: &Examined) -> String {
    let proof = &examined.proof;
    let mut lines = vec![format!(
        "It is whole: {} people, {} organizations, {} sessions.",
        proof.contents.people, proof.contents.organizations, proof.contents.sessions
    )];
    if !examined.migrated.is_empty() {
        lines.push(format!(
            "Its schema is older: {} migrations were applied to the copy, as a start of the server does.",
            examined.migrated.len()
        ));
    }
    if let Some(id) = proof.token_of {
        lines.push(format!("A token for {id} was issued and verified."));
    }
    if let Some(opened) = proof.opened {
        lines.push(format!("The secret opens {}.", opened.name()));
    }
    lines.join("\n")
}

/// What the secrets lack, and what to do.
pub(crate) fn lack(lost: &Lost) -> String {
    format!(
        "JWT_SECRET and JWT_SIGNING_KEY lack what the database needs: {lost}. Set them as they were for the server that \
         wrote it: `hallpass secret kid` lists the ids of those that are set"
    )
}
