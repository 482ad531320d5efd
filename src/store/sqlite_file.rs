//! SQLite files as a whole: copies of them, also while a server writes, and putting one in the place of another.
//!
//! The copy is SQLite's online backup (<https://sqlite.org/backup.html>) within one read transaction, which on a
//! database with a WAL keeps no writer waiting, and is never begun again because of one.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};

use super::StoreError;

/// Pages that are copied at once.
const STEP: i32 = 4_096;

const BUSY: Duration = Duration::from_secs(5);

/// How often, and how long apart, is tried to be alone with a file whose connections are being closed.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// What is kept in the path of a URI.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'.')
    .remove(b'-')
    .remove(b'_');

/// The files that SQLite keeps beside a database.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Each sentence says what to do. None of these leaves a half-written file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("{0} exists already: name another file")]
    Exists(Shown),
    #[error("the folder {0} does not exist or cannot be written: {1}")]
    Folder(Shown, io::Error),
    #[error("the disk of {0} is full: free space there, or name a file on another one")]
    Full(Shown),
    #[error("{0} cannot be read: {1}")]
    Unreadable(Shown, io::Error),
    #[error("{0} is not a SQLite database")]
    NotSqlite(Shown),
    #[error("{0} is damaged or cut off: {1}")]
    Damaged(Shown, String),
    #[error("{0} is in use: stop every server and program that has it open")]
    InUse(Shown),
    #[error("{0}: {1}")]
    Other(Shown, String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A path in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown(PathBuf);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

impl From<&Path> for Shown {
    fn from(path: &Path) -> Self {
        Self(path.to_owned())
    }
}

/// Which of two files an error is about, which SQLite does not always say.
struct Pair<'a> {
    from: &'a Path,
    to: &'a Path,
}

impl Pair<'_> {
    fn fault(&self, error: &rusqlite::Error) -> FileError {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => FileError::Full(self.to.into()),
            Some(ErrorCode::SystemIoFailure) if is_write(error) => fault(self.to, error),
            _ => fault(self.from, error),
        }
    }
}

/// Only the copy is written.
fn is_write(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    let writes = [
        ffi::SQLITE_IOERR_WRITE,
        ffi::SQLITE_IOERR_TRUNCATE,
        ffi::SQLITE_IOERR_FSYNC,
    ];
    code.is_some_and(|code| writes.contains(&code))
}

fn fault(path: &Path, error: &rusqlite::Error) -> FileError {
    let path = path.into();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => FileError::NotSqlite(path),
        Some(ErrorCode::DatabaseCorrupt) => FileError::Damaged(path, error.to_string()),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => FileError::InUse(path),
        Some(ErrorCode::DiskFull) => FileError::Full(path),
        _ => FileError::Other(path, error.to_string()),
    }
}

/// A file that is deleted, with what SQLite keeps beside it, unless it is [kept](Self::keep_as).
pub struct Draft {
    path: PathBuf,
    is_kept: bool,
}

impl Draft {
    /// Creates an empty file next to `target`, which only its owner can read. The name is of this process.
    fn create(target: &Path) -> Result<Self, FileError> {
        let path = with_suffix(target, &format!(".{}.part", std::process::id()));
        let created = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        match created {
            Ok(_) => Ok(Self {
                path,
                is_kept: false,
            }),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Err(FileError::Exists(path.as_path().into()))
            }
            Err(error) if error.kind() == ErrorKind::StorageFull => {
                Err(FileError::Full(path.as_path().into()))
            }
            Err(error) => Err(FileError::Folder(folder(target).into(), error)),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it the name `target`, which nothing has yet, once all of it is on the disk.
    fn keep_as(mut self, target: &Path) -> Result<(), FileError> {
        let failed = |error: io::Error| match error.kind() {
            ErrorKind::AlreadyExists => FileError::Exists(target.into()),
            ErrorKind::StorageFull => FileError::Full(target.into()),
            _ => FileError::Folder(folder(target).into(), error),
        };
        File::open(&self.path)
            .and_then(|file| file.sync_all())
            .map_err(failed)?;
        rename_to_new(&self.path, target).map_err(failed)?;
        self.is_kept = true;
        sync_folder(target).map_err(failed)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_kept {
            let beside = BESIDE.iter().map(|suffix| with_suffix(&self.path, suffix));
            for path in beside.chain([self.path.clone()]) {
                let _ = fs::remove_file(path);
            }
        }
    }
}

/// Renames a file, and replaces none.
fn rename_to_new(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
        // There are file systems without links. On these, a file that appears at this very moment is replaced.
        Err(_) if fs::symlink_metadata(to).is_err() => fs::rename(from, to),
        Err(error) => Err(error),
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// So that the new name is there after a power failure.
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder(path))?.sync_all()
}

fn must_not_exist(path: &Path) -> Result<(), FileError> {
    match fs::symlink_metadata(path) {
        Ok(_) => Err(FileError::Exists(path.into())),
        Err(_) => Ok(()),
    }
}

/// Copies the database of a server, which may run, into a new file. Returns its size in bytes.
///
/// # Errors
/// Says which file is at fault. No file is left then.
pub(super) fn back_up(database: &Path, file: &Path) -> Result<u64, FileError> {
    must_not_exist(file)?;
    let draft = copy(Source::Live(database), file)?;
    let size = fs::metadata(draft.path()).map_or(0, |metadata| metadata.len());
    draft.keep_as(file)?;
    Ok(size)
}

/// What is copied.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    /// The database of a server, which may write to it.
    Live(&'a Path),
    /// A backup, which nobody writes to.
    AtRest(&'a Path),
}

/// A copy of a database next to `target`. It has no WAL.
pub(super) fn copy(source: Source<'_>, target: &Path) -> Result<Draft, FileError> {
    let (Source::Live(from) | Source::AtRest(from)) = source;
    let source = open_source(source)?;
    let draft = Draft::create(target)?;
    let pair = Pair {
        from,
        to: &draft.path,
    };
    let fault = |error: rusqlite::Error| pair.fault(&error);
    let mut copy = Connection::open(&draft.path).map_err(fault)?;
    // A draft that a crash has left is of no use. What is kept is synchronized as a whole.
    copy.execute_batch("pragma journal_mode = off; pragma synchronous = off")
        .map_err(fault)?;
    source
        .execute_batch("begin; select count(*) from sqlite_schema")
        .map_err(fault)?;
    let backup = Backup::new(&source, &mut copy).map_err(fault)?;
    while step(&backup).map_err(fault)? == StepResult::More {}
    drop(backup);
    drop(source);
    without_wal(&copy).map_err(fault)?;
    drop(copy);
    Ok(draft)
}

fn step(backup: &Backup<'_, '_>) -> rusqlite::Result<StepResult> {
    for _ in 0..TRIES {
        match backup.step(STEP)? {
            StepResult::Busy | StepResult::Locked => thread::sleep(PAUSE),
            done => return Ok(done),
        }
    }
    backup.step(STEP)
}

/// A file at rest may be on a medium that cannot be written, so nothing is created beside it, unless it has a WAL.
fn open_source(source: Source<'_>) -> Result<Connection, FileError> {
    let (Source::Live(path) | Source::AtRest(path)) = source;
    File::open(path).map_err(|error| FileError::Unreadable(path.into(), error))?;
    let fault = |error: rusqlite::Error| fault(path, &error);
    let connection = match source {
        Source::AtRest(_) if !with_suffix(path, "-wal").exists() => {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
            Connection::open_with_flags(immutable(path), flags)
        }
        _ => Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE),
    };
    let connection = connection.map_err(fault)?;
    connection.busy_timeout(BUSY).map_err(fault)?;
    Ok(connection)
}

/// The URI of a file that nobody writes to (<https://sqlite.org/uri.html>).
fn immutable(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let encoded = percent_encode(absolute.as_os_str().as_encoded_bytes(), PATH);
    format!("file:{encoded}?immutable=1")
}

/// Whether there is a WAL with something in it.
pub(super) fn has_wal(database: &Path) -> bool {
    fs::metadata(with_suffix(database, "-wal")).is_ok_and(|wal| wal.len() > 0)
}

fn without_wal(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .query_row("pragma journal_mode = delete", [], |row| {
            row.get::<_, String>(0)
        })
        .map(drop)
}

/// What is wrong within a copy of a file, which messages name: nothing, or the first faults.
pub(super) fn faults(copy: &Path, of: &Path) -> Result<Vec<String>, FileError> {
    let fault = |error: rusqlite::Error| fault(of, &error);
    let connection = Connection::open(copy).map_err(fault)?;
    let mut found = Vec::new();
    let mut check = connection
        .prepare("pragma integrity_check(10)")
        .map_err(fault)?;
    let rows = check
        .query_map([], |row| row.get::<_, String>(0))
        .map_err(fault)?;
    for row in rows {
        found.extend(Some(row.map_err(fault)?).filter(|row| row != "ok"));
    }
    let mut check = connection
        .prepare(
            "select \"table\", count(*), parent from pragma_foreign_key_check group by \"table\", parent limit 10",
        )
        .map_err(fault)?;
    let rows = check
        .query_map([], |row| {
            let (table, count, parent): (String, i64, String) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(format!(
                "{count} rows of {table} refer to rows of {parent} that do not exist"
            ))
        })
        .map_err(fault)?;
    for row in rows {
        found.push(row.map_err(fault)?);
    }
    Ok(found)
}

/// Puts the draft in the place of `target`, which no other program may have open. What was there is kept under the name
/// `aside`, without a WAL; without `aside`, nothing may be there.
///
/// # Errors
/// Says which file is at fault. The target is then as it was.
pub(super) fn put_in_place(
    draft: Draft,
    target: &Path,
    aside: Option<&Path>,
) -> Result<(), FileError> {
    // Its connections are being closed.
    drop(alone_with(draft.path(), TRIES)?);
    let Some(aside) = aside else {
        no_leftovers(target)?;
        return draft.keep_as(target);
    };
    must_not_exist(aside)?;
    // Held until the old file has another name, so that no server starts on it.
    let _old = match alone_with(target, 0) {
        Ok(old) => Some(old),
        // Nobody can use it, and it is kept as it is.
        Err(FileError::NotSqlite(_) | FileError::Damaged(..)) => None,
        Err(error) => return Err(error),
    };
    let failed = |error| FileError::Folder(folder(target).into(), error);
    for suffix in BESIDE {
        match fs::rename(with_suffix(target, suffix), with_suffix(aside, suffix)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    fs::rename(target, aside).map_err(failed)?;
    let placed = draft.keep_as(target);
    if placed.is_err() {
        // As it was. If this fails too, the message of the first error is what matters, and nothing is lost.
        let _ = fs::rename(aside, target);
    }
    placed
}

/// A WAL whose database is gone would be taken for that of the new one.
fn no_leftovers(target: &Path) -> Result<(), FileError> {
    BESIDE
        .iter()
        .try_for_each(|suffix| must_not_exist(&with_suffix(target, suffix)))
}

/// Whether another program has the database open, such as a server.
pub(super) fn is_in_use(path: &Path) -> Result<bool, FileError> {
    match alone_with(path, 0) {
        Ok(_) | Err(FileError::NotSqlite(_) | FileError::Damaged(..)) => Ok(false),
        Err(FileError::InUse(_)) => Ok(true),
        Err(error) => Err(error),
    }
}

/// A connection that is the only one, for as long as it is held: only then does a database give up its WAL, which it has
/// written into the file before.
fn alone_with(path: &Path, tries: u32) -> Result<Connection, FileError> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
        .map_err(|error| fault(path, &error))?;
    for tried in 0.. {
        match without_wal(&connection).and_then(|()| connection.execute_batch("begin exclusive")) {
            Ok(()) => return Ok(connection),
            Err(error) => match fault(path, &error) {
                FileError::InUse(_) if tried < tries => thread::sleep(PAUSE),
                fault => return Err(fault),
            },
        }
    }
    Err(FileError::InUse(path.into()))
}
