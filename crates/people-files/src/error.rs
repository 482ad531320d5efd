//! Why nothing can be read.

use std::io;
use std::path::PathBuf;

use crate::mapping::MappingError;

/// Each says which file, row or setting it concerns, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{file}: {error}", file = file.display())]
    File { file: PathBuf, error: io::Error },
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// The first row that is not what the file should hold.
    #[error("{input}, row {row}: {what}")]
    WrongShape {
        input: String,
        row: u64,
        what: String,
    },
    /// The file as a whole is something else.
    #[error("{input}: {what}")]
    NotThis { input: String, what: String },
    #[error("{input} has no column {column:?}, which `{key}` of the mapping names. {known}")]
    MissingColumn {
        input: String,
        column: String,
        /// `person.email`
        key: String,
        /// The columns there are, and the one that may be meant.
        known: String,
    },
    #[error(
        "the mapping reads [also.{name}], and there is no such table. Name its file: --with {name}=FILE. {known}"
    )]
    MissingTable { name: String, known: String },
    #[error("--with {name}=…: the mapping reads no such table. {known}")]
    UnknownTable { name: String, known: String },
    #[error(
        "roles that `membership.role.map` does not have: {roles}. Add them, or \"*\" for all others."
    )]
    UnmappedRoles {
        /// `"boss" (row 2 and 11 more)`
        roles: String,
    },
    #[error(
        "the mapping needs a secret of the old system: set HALLPASS_IMPORT_PEPPER_{setting} or \
         HALLPASS_IMPORT_PEPPER_{setting}_FILE; if that system has none, take it out of a copy of the mapping"
    )]
    MissingSecret { setting: String },
    #[error("0 people in {input}: {what}")]
    NoPeople { input: String, what: String },
    #[error("the database could not be read: {0}")]
    Database(String),
    /// Rows wait in a temporary file until they can be put in order.
    #[error(
        "a temporary file for the rows: {0}. It needs about as much room as the input, below TMPDIR."
    )]
    Spool(#[from] rusqlite::Error),
}
