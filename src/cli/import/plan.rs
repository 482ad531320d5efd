//! What an import does: from the arguments, or from what is stored of a run that goes on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use people_files::Mapping;
use serde::{Deserialize, Serialize};

use crate::cli::Failure;
use crate::domain::import::OnConflict;

/// Everything that a run needs to go on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Plan {
    /// The file; `None` for a database, whose URL may have a password.
    pub file: Option<PathBuf>,
    /// Files of further tables.
    pub with: BTreeMap<String, PathBuf>,
    /// The text of the mapping.
    pub mapping: String,
    pub limit: Option<u64>,
    pub only_org: Option<String>,
    pub on_conflict: OnConflict,
    pub trust_emails: bool,
    pub slack_team: Option<String>,
    pub report: Option<PathBuf>,
    /// What the files looked like when the run began.
    #[serde(default)]
    pub seen: Vec<Seen>,
    /// The URL of the database. It is not stored.
    #[serde(skip)]
    pub url: Option<String>,
}

/// A file, by what changes when it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seen {
    path: PathBuf,
    bytes: u64,
    modified: Option<SystemTime>,
}

/// Where people are read from.
pub(super) enum Place {
    File(PathBuf),
    Url(String),
}

impl Place {
    /// A URL of PostgreSQL, or a path, which must not depend on the directory.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        if ["postgres://", "postgresql://"]
            .iter()
            .any(|it| text.starts_with(it))
        {
            return Ok(Self::Url(text.to_owned()));
        }
        absolute(Path::new(text)).map(Self::File)
    }
}

impl Plan {
    /// # Errors
    /// What is wrong in which line.
    pub(super) fn mapping(&self) -> Result<Mapping, Failure> {
        Mapping::parse(&self.mapping).map_err(|error| Failure::InvalidInput(error.to_string()))
    }

    /// What the files look like now; nothing for a database.
    pub(super) fn look(&self) -> Vec<Seen> {
        let files = self.file.iter().chain(self.with.values());
        let look = |path: &PathBuf| {
            let about = std::fs::metadata(path).ok()?;
            Some(Seen {
                path: path.clone(),
                bytes: about.len(),
                modified: about.modified().ok(),
            })
        };
        files.filter_map(look).collect()
    }

    /// Whether the lines are the same ones in the same order as when the run began. If in doubt, all are gone through
    /// again, which writes nothing for those that are done.
    pub(super) fn is_as_it_was(&self) -> bool {
        self.file.is_some() && !self.seen.is_empty() && self.seen == self.look()
    }

    /// Takes another file or database than the stored one.
    pub(super) fn read_from(&mut self, place: Place) {
        match place {
            Place::File(path) => (self.file, self.url) = (Some(path), None),
            Place::Url(url) => (self.file, self.url) = (None, Some(url)),
        }
    }
}

/// # Errors
/// If the directory is gone.
pub(super) fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path)
        .map_err(|error| Failure::InvalidInput(format!("{}: {error}", path.display())))
}
