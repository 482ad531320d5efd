//! SQLite: how a connection is opened.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};

use super::StoreError;

/// What a connection may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    ReadWrite,
    ReadOnly,
}

/// Opens the file, creating it when it is not there: for its owner only, since it holds password hashes.
///
/// `synchronous = full`: an acknowledged password change or revocation survives a power cut, at the
/// price of one `fsync` a write (docs/decisions/0003-sqlite-durability.md).
pub fn open(path: &Path, access: Access) -> Result<SqliteConnection, StoreError> {
    let unavailable = |error: &dyn std::fmt::Display| {
        StoreError::Unavailable(format!(
            "cannot open the SQLite file {}: {error}",
            path.display()
        ))
    };
    let location = path
        .to_str()
        .ok_or_else(|| unavailable(&"its path is not UTF-8"))?;
    if access == Access::ReadWrite {
        // SQLite gives its own files beside this one the same mode.
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| unavailable(&error))?;
    }
    // A plain path: as a URI, a `?` or `%` in a file name would change its meaning.
    let mut connection =
        SqliteConnection::establish(location).map_err(|error| unavailable(&error))?;
    connection
        .batch_execute(
            "pragma busy_timeout = 5000;
             pragma journal_mode = wal;
             pragma synchronous = full;
             pragma foreign_keys = on;
             pragma trusted_schema = off;
             pragma cache_size = -8000;",
        )
        .map_err(|error| unavailable(&error))?;
    if access == Access::ReadOnly {
        connection
            .batch_execute("pragma query_only = on;")
            .map_err(|error| unavailable(&error))?;
    }
    Ok(connection)
}
