//! What an import does: from the arguments, or from what is stored of a run that goes on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

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
    /// The URL of the database. It is not stored.
    #[serde(skip)]
    pub url: Option<String>,
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
