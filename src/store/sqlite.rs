//! SQLite: opens connections, and reserves disk space.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use diesel::{
    Connection, QueryResult, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query,
};

use super::StoreError;

/// Bytes to keep free inside the file, and the minimum size of its WAL: about seven thousand sign-ins.
const ROOM: u64 = 4 * 1024 * 1024;

/// The size to which a WAL shrinks that a large transaction or a long read has let grow.
const WAL_LIMIT: u64 = 4 * ROOM;

const CACHE: &str = "pragma cache_size = -8000;";
/// 256 KiB, for pages that are not read again, or few.
const SMALL_CACHE: &str = "pragma cache_size = -256;";

/// What a connection may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    ReadWrite,
    ReadOnly,
}

/// Opens the file. A new file is readable by its owner only, since it holds password hashes.
///
/// `synchronous = full`: an acknowledged password change or revocation survives a power failure, at the
/// price of one `fsync` per write (docs/decisions/0003-sqlite-durability.md).
pub(super) fn open(path: &Path, access: Access) -> Result<SqliteConnection, StoreError> {
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
        // SQLite gives the WAL and its index the same mode.
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
             pragma wal_autocheckpoint = 500;
             pragma synchronous = full;
             pragma foreign_keys = on;
             pragma trusted_schema = off;",
        )
        .and_then(|()| {
            connection.batch_execute(&format!("pragma journal_size_limit = {WAL_LIMIT};"))
        })
        .and_then(|()| connection.batch_execute(CACHE))
        .map_err(|error| unavailable(&error))?;
    if access == Access::ReadOnly {
        connection
            .batch_execute("pragma query_only = on;")
            .map_err(|error| unavailable(&error))?;
    }
    Ok(connection)
}

/// As [`open`], to read a few rows by key.
pub(super) fn open_for_point_reads(path: &Path) -> Result<SqliteConnection, StoreError> {
    let mut connection = open(path, Access::ReadOnly)?;
    connection.batch_execute(SMALL_CACHE)?;
    Ok(connection)
}

#[derive(QueryableByName)]
struct Free {
    #[diesel(sql_type = BigInt)]
    bytes: i64,
}

/// Reserves the space that writes need when the disk is full: free pages in the file, and a WAL that is large enough to
/// be overwritten from its beginning. Shrinks a WAL that is far larger.
///
/// See docs/decisions/0022-room-on-a-full-disk.md.
pub(super) fn keep_room(path: &Path, connection: &mut SqliteConnection) -> QueryResult<()> {
    let free: Free = sql_query(
        "select freelist_count * page_size as bytes from pragma_freelist_count, pragma_page_size",
    )
    .get_result(connection)?;
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    let wal = std::fs::metadata(wal).map_or(0, |wal| wal.len());
    if wal > WAL_LIMIT {
        // Unless a read takes longer, the next write begins at the start of the WAL and cuts it off at the limit.
        connection.batch_execute(
            "pragma busy_timeout = 100; pragma wal_checkpoint(restart); pragma busy_timeout = 5000;",
        )?;
    } else if u64::try_from(free.bytes).unwrap_or(0) >= ROOM / 2 && wal >= ROOM {
        return Ok(());
    }
    connection.batch_execute(SMALL_CACHE)?;
    let made = make_room(connection);
    connection.batch_execute(CACHE)?;
    made
}

fn make_room(connection: &mut SqliteConnection) -> QueryResult<()> {
    // In two transactions: pages that are allocated and freed within one are never written.
    connection.immediate_transaction(|connection| {
        connection.batch_execute(&format!(
            "drop table if exists room;
             create table room (filler blob not null) strict;
             insert into room (filler) values (zeroblob({ROOM}));"
        ))
    })?;
    connection.batch_execute("drop table if exists room")
}

/// Collects statistics of the tables that have changed much, without which queries with several filters may take the
/// wrong index. Samples are enough, and take milliseconds.
pub(super) fn optimize(connection: &mut SqliteConnection) -> QueryResult<()> {
    // 0x10000: also tables that this connection has not queried. Other connections read statistics with the schema, so
    // it is changed, and back.
    connection.batch_execute("pragma analysis_limit = 1000; pragma optimize = 0x10002;")?;
    connection.immediate_transaction(|connection| {
        connection.batch_execute("create table renewed (n integer) strict; drop table renewed;")
    })
}
