//! `hallpass restore`

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::backup::{about, lack};
use super::{Failure, output};
use crate::app::App;
use crate::config::{Config, Database, Mode, Variables};

pub(super) const EXAMPLES: &str = examples!(
    "hallpass restore /backup/hallpass.db            where there is no database yet",
    "hallpass restore /backup/hallpass.db --force    in the place of the database, which is kept beside it";
    "64  another program does it for this database",
    "65  invalid input",
);

#[derive(Debug, Args)]
pub(super) struct Restore {
    /// A file that `hallpass backup` wrote; it is only read
    file: PathBuf,
    /// Replace the database that is there. It is kept as FILE.replaced-TIME
    #[arg(long)]
    force: bool,
    /// Restore although keys are lost. Whoever used an authenticator under them needs `hallpass user reset-mfa`
    #[arg(long)]
    without_keys: bool,
    /// Print {"database", "replaced": name of the old database or null, "migrations", "people"}
    #[arg(long)]
    json: bool,
}

impl Restore {
    pub(super) async fn run(self, variables: &Variables) -> Result<(), Failure> {
        let database = Config::read_database(variables, Mode::Serve)?;
        let Database::Sqlite { path } = &database else {
            return Err(Failure::OtherTool(
                "DATABASE_URL is PostgreSQL, which has its own tool. Restore into an empty database with:\n\n  \
                 pg_restore --no-owner --exit-on-error --dbname=… hallpass.dump"
                    .to_owned(),
            ));
        };
        output::note(&format!("database: {database}"));
        let tokens = Config::read_tokens(variables)?;
        self.may_replace(path)?;
        let examined = App::examine(&self.file, path, &tokens).await?;
        let lost = &examined.proof.lost;
        if !lost.is_nothing() && !self.without_keys {
            return Err(Failure::InvalidSetting(format!(
                "{}. With --without-keys it is restored all the same. Nothing was changed",
                lack(lost)
            )));
        }
        let text = about(&examined);
        let (migrations, people) = (examined.migrated.clone(), examined.proof.contents.people);
        let replaced = examined.put_in_place(path).await?;
        if self.json {
            return output::print_json(&json!({
                "database": path,
                "replaced": replaced,
                "migrations": migrations,
                "people": people,
            }));
        }
        let replaced = replaced.map_or(String::new(), |aside| {
            format!(" What was there is now {}.", aside.display())
        });
        output::print(&format!(
            "{text}\nRestored {} from {}.{replaced}\nSessions that were ended after the backup are valid again: end \
             them with `hallpass user sessions end --all`, or start with a new JWT_SECRET in front of the old one and \
             without the old one 7 days later.",
            path.display(),
            self.file.display()
        ))
    }

    /// A first look, before anything is copied. The last look is while the file is replaced.
    fn may_replace(&self, path: &Path) -> Result<(), Failure> {
        if !path.exists() {
            return Ok(());
        }
        if !self.force {
            return Err(Failure::Failed(format!(
                "{} exists already. To put the backup in its place, and keep it under another name, add --force",
                path.display()
            )));
        }
        if App::is_in_use(path)? {
            return Err(Failure::Failed(format!(
                "{} is in use: stop every server and program that has it open",
                path.display()
            )));
        }
        Ok(())
    }
}
