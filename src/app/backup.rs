//! Backups: made while a server runs, examined, and put back.

use std::path::{Path, PathBuf};

use super::App;
use super::build::{rules, store, token_keys};
use crate::adapters::SystemClock;
use crate::config::{self, Database};
use crate::ports::Clock as _;
use crate::service;
use crate::service::operations::keys::{NeededKey, needed_keys};
use crate::service::operations::prove::{Proof, prove};
use crate::store::backup::{self, Settle, copy_of, faults, put_in_place};
use crate::store::sqlite_file::{Draft, FileError};
use crate::store::{Store, StoreError};

/// Each sentence names the file and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The backup is not one, or not whole.
    #[error("{0}")]
    Invalid(String),
    /// There is no such file.
    #[error("{0}")]
    Missing(String),
    #[error("{0}")]
    Failed(String),
}

impl From<FileError> for BackupError {
    fn from(error: FileError) -> Self {
        let why = error.to_string();
        match error {
            FileError::Unreadable(..) => Self::Missing(why),
            FileError::NotSqlite(_) | FileError::Damaged(..) => Self::Invalid(why),
            FileError::Exists(_)
            | FileError::Folder(..)
            | FileError::Full(_)
            | FileError::InUse(_)
            | FileError::Other(..)
            | FileError::Store(_) => Self::Failed(why),
        }
    }
}

/// A backup that was made.
#[derive(Debug)]
pub struct Backup {
    /// Bytes.
    pub size: u64,
    /// Whose ids must be kept with it; empty also where a schema of another version does not say.
    pub keys: Vec<NeededKey>,
}

/// The copy of a backup that was opened and examined.
pub struct Examined {
    draft: Draft,
    /// What this version of Hallpass has added to the schema of the copy.
    pub migrated: Vec<String>,
    pub proof: Proof,
}

impl App {
    /// Copies a SQLite database into a new file, whatever its schema.
    ///
    /// # Errors
    /// Says which file is at fault, and leaves none.
    pub async fn back_up(database: &Path, file: &Path) -> Result<Backup, BackupError> {
        let store = open(database)?;
        let size = store.back_up(file.to_owned()).await?;
        let keys = match store.pending_migrations().await {
            Ok(pending) if pending.is_empty() => {
                let store = service::Database::new(store);
                needed_keys(&store, SystemClock.now())
                    .await
                    .unwrap_or_default()
            }
            _ => Vec::new(),
        };
        Ok(Backup { size, keys })
    }

    /// Copies a backup next to `beside`, opens the copy, checks every page and reference in it, migrates it, and has it
    /// prove that the keys belong to it. The backup itself is only read.
    ///
    /// # Errors
    /// Says what is wrong with the backup.
    pub async fn examine(
        backup: &Path,
        beside: &Path,
        tokens: &config::Tokens,
    ) -> Result<Examined, BackupError> {
        let named = backup.display();
        let draft = copy_of(backup.to_owned(), beside.to_owned()).await?;
        let found = faults(draft.path().to_owned(), backup.to_owned()).await?;
        if !found.is_empty() {
            let faults = found.join("; ");
            return Err(BackupError::Invalid(format!(
                "{named} is damaged: {faults}"
            )));
        }
        let failed =
            |error: StoreError| BackupError::Failed(format!("{named} cannot be examined: {error}"));
        let store = open(draft.path())?;
        if !store.exists().await.map_err(failed)? {
            return Err(BackupError::Invalid(format!(
                "{named} holds no database of Hallpass"
            )));
        }
        let migrated = store.migrate().await;
        let migrated =
            migrated.map_err(|error| BackupError::Invalid(format!("{named}: {error}")))?;
        let keys = token_keys(tokens, 0);
        let keys = keys.map_err(|error| BackupError::Failed(error.to_string()))?;
        let database = service::Database::new(store);
        let proof = prove(&database, &keys, &rules(tokens), SystemClock.now()).await;
        let proof = proof.map_err(failed)?;
        Ok(Examined {
            draft,
            migrated,
            proof,
        })
    }

    /// Writes what is only in the WAL of a SQLite database into its file, if nobody is in the way.
    pub async fn settle(database: &Database) {
        let Database::Sqlite { path } = database else {
            return;
        };
        if backup::has_wal(path)
            && let Ok(store) = store(database)
            && let Err(error) = store.settle(Settle::IfNobodyIsInTheWay).await
        {
            tracing::debug!(%error, "the WAL was not written into the database");
        }
    }

    /// Whether a server has the database open.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn is_in_use(database: &Path) -> Result<bool, BackupError> {
        Ok(backup::is_in_use(database)?)
    }
}

impl Examined {
    /// Puts the copy in the place of a database that no program has open. What was there is kept beside it; returns its
    /// new name.
    ///
    /// # Errors
    /// Says which file is at fault. Everything is then as it was.
    pub async fn put_in_place(self, target: &Path) -> Result<Option<PathBuf>, BackupError> {
        let aside = target.exists().then(|| aside(target));
        put_in_place(self.draft, target.to_owned(), aside.clone()).await?;
        Ok(aside)
    }
}

/// `hallpass.db.replaced-20261130T142300Z` for `hallpass.db`.
fn aside(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(
        SystemClock
            .now()
            .format(".replaced-%Y%m%dT%H%M%SZ")
            .to_string(),
    );
    name.into()
}

fn open(path: &Path) -> Result<Store, BackupError> {
    let started = store(&Database::Sqlite {
        path: path.to_owned(),
    });
    started.map_err(|error| BackupError::Failed(error.to_string()))
}
