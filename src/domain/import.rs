//! Runs of `hallpass import`: what they are for, and how far they are.

use std::fmt;
use std::ops::AddAssign;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::ImportId;

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRun {
    pub id: ImportId,
    /// The namespace of the external ids.
    pub source: String,
    /// What it needs to go on, as JSON.
    pub options: String,
    pub state: ImportState,
    pub started_at: DateTime<Utc>,
    /// The last time that it wrote.
    pub seen_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    pub counts: Counts,
}

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ImportState {
    /// A process writes, or was killed.
    Running,
    /// It was told to stop, or failed, and can be resumed.
    Stopped,
    Finished,
    /// Whoever had not signed in yet was removed.
    Undone,
}

impl ImportState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Finished => "finished",
            Self::Undone => "undone",
        }
    }
}

/// The text is not a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an import is one of running, stopped, finished, undone")]
pub struct UnknownImportState;

impl FromStr for ImportState {
    type Err = UnknownImportState;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Running, Self::Stopped, Self::Finished, Self::Undone]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or(UnknownImportState)
    }
}

impl fmt::Display for ImportState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How many rows of the source came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Those that are done, in the order in which they are imported.
    #[serde(rename = "rows")]
    pub done: u64,
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
    pub refused: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        self.done += more.done;
        self.created += more.created;
        self.updated += more.updated;
        self.unchanged += more.unchanged;
        self.refused += more.refused;
    }
}

/// What becomes of a person whose address belongs to somebody who was not imported from the same source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnConflict {
    /// The account stays as it is, and the row is refused.
    #[default]
    Skip,
    /// If both sides have verified the address, the account becomes that person's, and gets what it lacks.
    Update,
    /// The run stops.
    Fail,
}

/// Why a run does not go on, or does not begin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportRefusal {
    #[error(
        "row {row}: the address belongs to an account here that did not come from this source. Nothing of the batch was \
         written. `--on-conflict skip` leaves such rows out, `--on-conflict update` makes the accounts theirs."
    )]
    Conflict { row: u64 },
    #[error(
        "import {id} is running, and wrote {seconds} seconds ago. One import runs at a time: wait until it has finished, \
         and see `hallpass import status`."
    )]
    Running { id: ImportId, seconds: i64 },
    #[error(
        "import {id} was killed while it ran, and must be ended first: `hallpass import resume {id}` or \
         `hallpass import undo {id}`."
    )]
    Killed { id: ImportId },
    #[error(
        "another process has taken import {id} over; this one has stopped, and has written nothing twice"
    )]
    TakenOver { id: ImportId },
    #[error("there is no import {id}; `hallpass import status` lists them")]
    Unknown { id: ImportId },
    #[error("import {id} is {state}: there is nothing to resume")]
    Over { id: ImportId, state: ImportState },
    #[error("import {id} is undone already")]
    Undone { id: ImportId },
}
