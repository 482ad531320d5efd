//! The `imports` table: runs of `hallpass import`, of which one writes at a time.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;

use super::schema::imports;
use super::types::Timestamp;
use super::{StoreError, Tx, on, parsed};
use crate::domain::ImportId;
use crate::domain::import::{Counts, ImportRun, ImportState};

#[derive(Queryable, Selectable)]
#[diesel(table_name = imports)]
struct ImportRow {
    id: ImportId,
    source: String,
    options: String,
    state: String,
    started_at: Timestamp,
    seen_at: Timestamp,
    ended_at: Option<Timestamp>,
    rows_done: i64,
    created: i64,
    updated: i64,
    unchanged: i64,
    refused: i64,
}

impl TryFrom<ImportRow> for ImportRun {
    type Error = StoreError;

    fn try_from(row: ImportRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            source: row.source,
            options: row.options,
            state: parsed(&row.state)?,
            started_at: row.started_at.0,
            seen_at: row.seen_at.0,
            ended_at: row.ended_at.map(|at| at.0),
            counts: Counts {
                done: counted(row.rows_done),
                created: counted(row.created),
                updated: counted(row.updated),
                unchanged: counted(row.unchanged),
                refused: counted(row.refused),
            },
        })
    }
}

fn counted(stored: i64) -> u64 {
    stored.try_into().unwrap_or(0)
}

fn stored(count: u64) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}

/// A new run, which `holder` writes.
pub struct NewImport<'a> {
    pub id: ImportId,
    pub source: &'a str,
    pub options: &'a str,
    pub holder: ImportId,
}

/// # Errors
/// `Taken(RunningImport)` while another one runs.
pub fn insert(
    tx: &mut Tx<'_>,
    new: &NewImport<'_>,
    state: ImportState,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let values = (
        imports::id.eq(new.id),
        imports::source.eq(new.source),
        imports::options.eq(new.options),
        imports::state.eq(state.as_str()),
        imports::holder.eq(new.holder),
        imports::started_at.eq(Timestamp(now)),
        imports::seen_at.eq(Timestamp(now)),
        imports::rows_done.eq(0),
        imports::created.eq(0),
        imports::updated.eq(0),
        imports::unchanged.eq(0),
        imports::refused.eq(0),
    );
    on!(tx, |conn| diesel::insert_into(imports::table)
        .values(values)
        .execute(conn))?;
    Ok(())
}

pub fn find(tx: &mut Tx<'_>, id: ImportId) -> Result<Option<ImportRun>, StoreError> {
    let row: Option<ImportRow> = on!(tx, |conn| imports::table
        .find(id)
        .select(ImportRow::as_select())
        .get_result(conn)
        .optional())?;
    row.map(ImportRun::try_from).transpose()
}

/// The run whose process writes, or was killed while it did.
pub fn find_running(tx: &mut Tx<'_>) -> Result<Option<ImportRun>, StoreError> {
    let row: Option<ImportRow> = on!(tx, |conn| imports::table
        .filter(imports::state.eq(ImportState::Running.as_str()))
        .select(ImportRow::as_select())
        .get_result(conn)
        .optional())?;
    row.map(ImportRun::try_from).transpose()
}

/// All runs, the newest first.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<ImportRun>, StoreError> {
    let rows: Vec<ImportRow> = on!(tx, |conn| imports::table
        .order((imports::started_at.desc(), imports::id.desc()))
        .select(ImportRow::as_select())
        .load(conn))?;
    rows.into_iter().map(ImportRun::try_from).collect()
}

/// Gives the run to a process, whatever others have written; they write nothing more.
///
/// # Errors
/// `Taken(RunningImport)` while another one runs.
pub fn take(
    tx: &mut Tx<'_>,
    id: ImportId,
    holder: ImportId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    on!(tx, |conn| diesel::update(imports::table.find(id))
        .set((
            imports::state.eq(ImportState::Running.as_str()),
            imports::holder.eq(holder),
            imports::seen_at.eq(Timestamp(now)),
            imports::ended_at.eq(None::<Timestamp>),
        ))
        .execute(conn))?;
    Ok(())
}

/// Adds what a batch came to; returns whether the process still holds the run.
pub fn advance(
    tx: &mut Tx<'_>,
    id: ImportId,
    holder: ImportId,
    more: Counts,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let held = imports::table
        .find(id)
        .filter(imports::holder.eq(holder))
        .filter(imports::state.eq(ImportState::Running.as_str()));
    let advanced = on!(tx, |conn| diesel::update(held)
        .set((
            imports::seen_at.eq(Timestamp(now)),
            imports::rows_done.eq(imports::rows_done + stored(more.done)),
            imports::created.eq(imports::created + stored(more.created)),
            imports::updated.eq(imports::updated + stored(more.updated)),
            imports::unchanged.eq(imports::unchanged + stored(more.unchanged)),
            imports::refused.eq(imports::refused + stored(more.refused)),
        ))
        .execute(conn))?;
    Ok(advanced == 1)
}

/// Ends the run, or a part of it, unless another process holds it by now.
pub fn end(
    tx: &mut Tx<'_>,
    id: ImportId,
    holder: ImportId,
    state: ImportState,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    on!(tx, |conn| diesel::update(
        imports::table.find(id).filter(imports::holder.eq(holder))
    )
    .set((
        imports::state.eq(state.as_str()),
        imports::seen_at.eq(Timestamp(now)),
        imports::ended_at.eq(Some(Timestamp(now))),
    ))
    .execute(conn))?;
    Ok(())
}

#[derive(QueryableByName)]
struct DataVersion {
    #[diesel(sql_type = BigInt)]
    data_version: i64,
}

/// A number that changes when another connection has written to an SQLite file
/// (<https://sqlite.org/pragma.html#pragma_data_version>). `None` on PostgreSQL, where writers do not wait for each other.
pub fn writes_of_others(tx: &mut Tx<'_>) -> Result<Option<i64>, StoreError> {
    match tx {
        Tx::Sqlite(connection) => {
            let version: DataVersion = sql_query("select data_version from pragma_data_version")
                .get_result(*connection)?;
            Ok(Some(version.data_version))
        }
        Tx::Postgres(_) => Ok(None),
    }
}
