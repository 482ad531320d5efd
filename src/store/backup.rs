//! Backups of a SQLite database, and its way back. PostgreSQL has its own tools.

use std::path::{Path, PathBuf};

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Integer;

use super::schema::{memberships, organizations, sessions, users};
use super::sqlite_file::{self, Draft, FileError, Source};
use super::users::UserRow;
use super::{Engine, Requester, Store, StoreError, Tx, on, own_thread, parsed};
use crate::domain::{ActiveOrganization, OrganizationId, User};

#[derive(QueryableByName)]
struct Checkpoint {
    #[diesel(sql_type = Integer)]
    log: i32,
    #[diesel(sql_type = Integer)]
    checkpointed: i32,
}

/// How the WAL is written into the file (<https://sqlite.org/pragma.html#pragma_wal_checkpoint>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settle {
    /// Others are waited for as long as for a lock, and the WAL is emptied.
    AtTheEnd,
    /// Servers that run go on, with the space that their WAL reserves.
    IfNobodyIsInTheWay,
}

/// Returns whether the file alone is now the database: a read that began before the last write prevents it.
fn write_wal(connection: &mut SqliteConnection, how: Settle) -> QueryResult<bool> {
    let checkpoint = match how {
        Settle::AtTheEnd => "pragma wal_checkpoint(truncate)",
        Settle::IfNobodyIsInTheWay => "pragma wal_checkpoint(passive)",
    };
    let done: Checkpoint = sql_query(checkpoint).get_result(connection)?;
    Ok(done.log == done.checkpointed)
}

/// Whether there is a WAL with something in it.
pub fn has_wal(database: &Path) -> bool {
    sqlite_file::has_wal(database)
}

impl Store {
    /// Writes everything into the SQLite file itself. Returns whether a copy of the file is
    /// whole. PostgreSQL needs nothing of the kind.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn settle(&self, how: Settle) -> Result<bool, StoreError> {
        let work = move |tx: &mut Tx<'_>| match tx {
            Tx::Sqlite(connection) => Ok(write_wal(connection, how)?),
            Tx::Postgres(_) => Ok(true),
        };
        self.reserved_writers.run(Requester::OPERATOR, work).await
    }

    /// Copies the database into a new file that only its owner can read, as it is at one moment. Servers go on writing.
    /// Returns its size in bytes.
    ///
    /// # Errors
    /// Says which file is at fault, and leaves none. `Store` on PostgreSQL.
    pub async fn back_up(&self, file: PathBuf) -> Result<u64, FileError> {
        let Engine::Sqlite(path) = self.engine.clone() else {
            let why = "only a SQLite database is a file".to_owned();
            return Err(StoreError::Failed(why).into());
        };
        own_thread::run("backup", move || sqlite_file::back_up(&path, &file)).await
    }
}

/// A copy of a backup next to `target`, which only its owner can read.
///
/// # Errors
/// Says which file is at fault, and leaves none.
pub async fn copy_of(backup: PathBuf, target: PathBuf) -> Result<Draft, FileError> {
    let copy = move || sqlite_file::copy(Source::AtRest(&backup), &target);
    own_thread::run("backup-copy", copy).await
}

/// What is wrong within a copy of a file, which messages name: nothing, or the first faults.
///
/// # Errors
/// When the copy cannot be read.
pub async fn faults(copy: PathBuf, of: PathBuf) -> Result<Vec<String>, FileError> {
    own_thread::run("backup-check", move || sqlite_file::faults(&copy, &of)).await
}

/// Puts the copy of a backup in the place of a database that no program has open. What was there gets the name `aside`;
/// without that name, nothing may be there.
///
/// # Errors
/// Says which file is at fault. Everything is then as it was.
pub async fn put_in_place(
    draft: Draft,
    target: PathBuf,
    aside: Option<PathBuf>,
) -> Result<(), FileError> {
    let put = move || sqlite_file::put_in_place(draft, &target, aside.as_deref());
    own_thread::run("restore", put).await
}

/// Whether a program, such as a server, has the database open.
///
/// # Errors
/// When the file cannot be opened.
pub fn is_in_use(file: &Path) -> Result<bool, FileError> {
    sqlite_file::is_in_use(file)
}

/// How many rows of each kind a database holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contents {
    pub people: i64,
    pub organizations: i64,
    pub sessions: i64,
}

pub fn contents(tx: &mut Tx<'_>) -> Result<Contents, StoreError> {
    Ok(on!(tx, |conn| Contents {
        people: users::table.count().get_result(conn)?,
        organizations: organizations::table.count().get_result(conn)?,
        sessions: sessions::table.count().get_result(conn)?,
    }))
}

/// Somebody, and an organization of theirs.
pub fn somebody(tx: &mut Tx<'_>) -> Result<Option<(User, Option<ActiveOrganization>)>, StoreError> {
    type Membership = Option<(OrganizationId, String)>;
    let found: Option<(UserRow, Membership)> = on!(tx, |conn| users::table
        .left_join(memberships::table)
        .filter(users::deleted_at.is_null())
        .order(users::id)
        .select((
            UserRow::as_select(),
            (memberships::organization_id, memberships::role).nullable()
        ))
        .limit(1)
        .get_result(conn)
        .optional())?;
    let Some((row, membership)) = found else {
        return Ok(None);
    };
    let active = membership.map(|(id, role)| {
        Ok::<_, StoreError>(ActiveOrganization {
            id,
            role: parsed(&role)?,
        })
    });
    Ok(Some((row.into(), active.transpose()?)))
}
