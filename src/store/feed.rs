//! How an instance follows the `changes` table: it misses no row, and it notices when the database is another one.
//!
//! On PostgreSQL each row carries the id of its transaction. A reader remembers the snapshot of its last read and asks
//! for the rows of transactions that were running then or began later; so writers need no lock, and a transaction that
//! is stuck delays only its own rows. SQLite has one writer, and its numbers become visible in order.
//!
//! A number means nothing after a failover that lost transactions, a restore or a crash, because it is given out again.
//! So each read compares what identifies the history: system, timeline, database, file of the table and connection on
//! PostgreSQL (<https://www.postgresql.org/docs/current/functions-info.html>), the last row on SQLite
//! (docs/decisions/0045-a-feed-without-a-lock.md).

use chrono::{DateTime, Utc};
use diesel::dsl::{select, sql};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text};

use super::changes::{ChangeRow, Facts};
use super::pg_connection::PgConnection;
use super::schema::changes;
use super::types::{Id, Instant, Timestamp};
use super::{StoreError, Tx, on};
use crate::domain::change::RecordedChange;
use crate::domain::{OrganizationId, SessionId, UserId};

/// How many rows a page has at most: in the worst order, each is a read of the disk.
pub const PAGE: u16 = 2_000;

/// How far an instance has read.
#[derive(Debug, Clone)]
pub struct Position(At);

#[derive(Debug, Clone)]
enum At {
    Sqlite {
        seq: i64,
        /// The row with that number, unless it was deleted.
        row: Option<RecordedChange>,
    },
    Postgres(Marks),
}

/// What identifies a read on PostgreSQL.
#[derive(Debug, Clone)]
struct Marks {
    snapshot: Snapshot,
    /// The system, the timeline and the database, which stay the same during a connection.
    history: String,
    /// The file of the table.
    file: String,
    /// The server and its process for this connection.
    connection: String,
}

impl Position {
    /// The next transaction and those in progress: all others have been read.
    pub fn unread(&self) -> (i64, &[i64]) {
        match &self.0 {
            At::Sqlite { seq, .. } => (seq + 1, &[]),
            At::Postgres(marks) => (marks.snapshot.xmax, &marks.snapshot.in_progress),
        }
    }

    /// What all instances see of the database's history, until its server starts again: a crash may have lost
    /// transactions. `None` on SQLite, of which there is one instance.
    pub fn history(&self) -> Option<String> {
        let At::Postgres(marks) = &self.0 else {
            return None;
        };
        let server_start = marks.connection.split('/').next();
        Some([&marks.history, &marks.file, server_start?].join("/"))
    }

    /// Whether it is one of the history in which `earlier` was read.
    pub fn continues(&self, earlier: &Self) -> bool {
        match (&self.0, &earlier.0) {
            (At::Postgres(now), At::Postgres(earlier)) => {
                now.history == earlier.history && now.snapshot.xmax >= earlier.snapshot.xmax
            }
            _ => true,
        }
    }
}

/// What a read found.
#[derive(Debug)]
pub enum News {
    /// The changes since the position, each once, and the position after them.
    Changes(Vec<RecordedChange>, Position),
    /// The connection is new: [`begin`] again, and compare. Even if the position [`continues`](Position::continues),
    /// the server may have crashed: transactions that were not on disk are lost, and their ids are given out again.
    Reconnected,
    /// The table is not the one that was read: a backup was restored.
    Replaced,
    /// The database is a standby, whose snapshots do not say what is in progress.
    Standby,
}

/// Where to begin: the changes before are read in pages, those after by [`read`]. `None` on a standby.
///
/// # Errors
/// When the database cannot be read.
pub fn begin(tx: &mut Tx<'_>) -> Result<Option<Position>, StoreError> {
    match tx {
        Tx::Sqlite(connection) => {
            // First, because the row may be newer.
            let seq = last_number(connection)?;
            let row = rows_since(connection, seq)?.into_iter().next();
            let row = row.filter(|row| row.seq == seq);
            Ok(Some(Position(At::Sqlite { seq, row })))
        }
        Tx::Postgres(connection) => {
            let query = format!(
                "select marks.*, case when file is not null then
                     concat_ws('/', (select system_identifier from pg_control_system()),
                         left(pg_walfile_name(pg_current_wal_insert_lsn()), 8),
                         (select oid from pg_database where datname = current_database()))
                 end as history from ({MARKS}) marks"
            );
            let begin = sql_query(query).get_result::<Begin>(*connection)?;
            let marks = begin.marks.parsed(begin.history)?;
            Ok(marks.map(|marks| Position(At::Postgres(marks))))
        }
    }
}

/// Reads what was written since the position.
///
/// # Errors
/// When the database cannot be read.
pub fn read(tx: &mut Tx<'_>, position: &Position) -> Result<News, StoreError> {
    match (tx, &position.0) {
        (Tx::Sqlite(connection), At::Sqlite { seq, row }) => {
            read_sqlite(connection, *seq, row.as_ref())
        }
        (Tx::Postgres(connection), At::Postgres(last)) => read_postgres(connection, last),
        _ => Err(StoreError::Failed(
            "a position in the feed of another database".to_owned(),
        )),
    }
}

fn read_sqlite(
    connection: &mut SqliteConnection,
    seq: i64,
    row: Option<&RecordedChange>,
) -> Result<News, StoreError> {
    let mut rows = rows_since(connection, seq)?;
    if rows.first().is_some_and(|first| first.seq == seq) {
        let first = rows.remove(0);
        if row.is_some_and(|row| *row != first) {
            return Ok(News::Replaced);
        }
    }
    let position = match rows.last() {
        Some(last) => At::Sqlite {
            seq: last.seq,
            row: Some(*last),
        },
        None if last_number(connection)? < seq => return Ok(News::Replaced),
        None => At::Sqlite {
            seq,
            row: row.copied(),
        },
    };
    Ok(News::Changes(rows, Position(position)))
}

fn rows_since(
    connection: &mut SqliteConnection,
    seq: i64,
) -> Result<Vec<RecordedChange>, StoreError> {
    let rows: Vec<ChangeRow> = changes::table
        .filter(changes::seq.ge(seq))
        .order(changes::seq)
        .select(ChangeRow::as_select())
        .load(connection)?;
    let rows = rows.into_iter().map(|row| ChangeRow {
        xid: row.seq,
        ..row
    });
    rows.map(RecordedChange::try_from).collect()
}

diesel::table! {
    /// SQLite's own table of the numbers it has given out (<https://sqlite.org/autoinc.html>).
    sqlite_sequence (name) {
        name -> Text,
        seq -> BigInt,
    }
}

/// The highest number given out, even if its row was deleted; 0 before the first.
fn last_number(connection: &mut SqliteConnection) -> Result<i64, StoreError> {
    let seq = sqlite_sequence::table
        .filter(sqlite_sequence::name.eq("changes"))
        .select(sqlite_sequence::seq)
        .load::<i64>(connection)?;
    Ok(seq.first().copied().unwrap_or(0))
}

/// `txid_snapshot` as PostgreSQL writes it: `xmin:xmax:` and the transactions in progress, separated by commas.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Snapshot {
    /// The first id that had not been given out.
    xmax: i64,
    in_progress: Vec<i64>,
}

impl Snapshot {
    fn parse(text: &str) -> Option<Self> {
        let (_, rest) = text.split_once(':')?;
        let (xmax, list) = rest.split_once(':')?;
        let list = list.split(',').filter(|id| !id.is_empty());
        Some(Self {
            xmax: xmax.parse().ok()?,
            in_progress: list.map(|id| id.parse().ok()).collect::<Option<_>>()?,
        })
    }
}

/// Cheap, because it is read with every poll. The file is null on a standby.
const MARKS: &str = "select pg_current_snapshot()::text as snapshot,
    case when not pg_is_in_recovery() then pg_relation_filenode('changes')::text end as file,
    concat_ws('/', extract(epoch from pg_postmaster_start_time()), pg_backend_pid()) as connection";

#[derive(QueryableByName)]
struct MarkRow {
    #[diesel(sql_type = Text)]
    snapshot: String,
    #[diesel(sql_type = Nullable<Text>)]
    file: Option<String>,
    #[diesel(sql_type = Text)]
    connection: String,
}

#[derive(QueryableByName)]
struct Begin {
    #[diesel(embed)]
    marks: MarkRow,
    #[diesel(sql_type = Nullable<Text>)]
    history: Option<String>,
}

impl MarkRow {
    /// `None` on a standby.
    fn parsed(self, history: Option<String>) -> Result<Option<Marks>, StoreError> {
        let (Some(file), Some(history)) = (self.file, history) else {
            return Ok(None);
        };
        let snapshot = Snapshot::parse(&self.snapshot)
            .ok_or_else(|| StoreError::Failed(format!("a snapshot {:?}", self.snapshot)))?;
        Ok(Some(Marks {
            snapshot,
            history,
            file,
            connection: self.connection,
        }))
    }
}

/// A row beside the marks of the same snapshot; one without a row if there are none.
#[derive(QueryableByName)]
struct Polled {
    #[diesel(embed)]
    marks: MarkRow,
    #[diesel(sql_type = Nullable<BigInt>)]
    seq: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    kind: Option<String>,
    #[diesel(sql_type = Nullable<Id>)]
    user_id: Option<UserId>,
    #[diesel(sql_type = Nullable<Id>)]
    session_id: Option<SessionId>,
    #[diesel(sql_type = Nullable<Integer>)]
    min_ver: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    min_pv: Option<i32>,
    #[diesel(sql_type = Nullable<Id>)]
    organization_id: Option<OrganizationId>,
    #[diesel(sql_type = Nullable<Instant>)]
    expires_at: Option<Timestamp>,
    #[diesel(sql_type = Nullable<BigInt>)]
    xid: Option<i64>,
}

impl Polled {
    fn split(self) -> (MarkRow, Option<ChangeRow>) {
        let facts = Facts {
            kind: self.kind.unwrap_or_default(),
            user_id: self.user_id,
            session_id: self.session_id,
            min_ver: self.min_ver,
            min_pv: self.min_pv,
            organization_id: self.organization_id,
        };
        let row = self.seq.zip(self.expires_at).zip(self.xid);
        let row = row.map(|((seq, expires_at), xid)| ChangeRow {
            seq,
            facts,
            expires_at,
            xid,
        });
        (self.marks, row)
    }
}

fn read_postgres(connection: &mut PgConnection, last: &Marks) -> Result<News, StoreError> {
    // One statement, because the rows must be those of the snapshot.
    let query = format!(
        "select marks.*, new.seq, new.kind, new.user_id, new.session_id, new.min_ver, new.min_pv, new.organization_id,
             new.expires_at, new.xid
         from ({MARKS}) marks left join lateral (
             select * from changes where xid >= $1
             union all
             select * from changes where xid = any ($2) and xid < $1
         ) new on true
         order by new.seq"
    );
    let polled: Vec<Polled> = sql_query(query)
        .bind::<BigInt, _>(last.snapshot.xmax)
        .bind::<Array<BigInt>, _>(&last.snapshot.in_progress)
        .load(connection)?;
    let (marks, rows): (Vec<MarkRow>, Vec<Option<ChangeRow>>) =
        polled.into_iter().map(Polled::split).unzip();
    let marks = marks.into_iter().next();
    let marks = marks.ok_or_else(|| StoreError::Failed("the feed has no snapshot".to_owned()))?;
    let Some(marks) = marks.parsed(Some(last.history.clone()))? else {
        return Ok(News::Standby);
    };
    if marks.connection != last.connection {
        return Ok(News::Reconnected);
    }
    if marks.file != last.file {
        return Ok(News::Replaced);
    }
    let changes = rows.into_iter().flatten().map(RecordedChange::try_from);
    let changes = changes.collect::<Result<_, _>>()?;
    Ok(News::Changes(changes, Position(At::Postgres(marks))))
}

/// What the last `span` transactions before a position have written, at most `most` changes, and the transaction from
/// which on that is all. Nothing on SQLite, where a position is of no use to another process.
///
/// # Errors
/// When the database cannot be read.
pub fn recent(
    tx: &mut Tx<'_>,
    position: &Position,
    (span, most): (i64, usize),
) -> Result<(i64, Vec<RecordedChange>), StoreError> {
    let (next, _) = position.unread();
    let Tx::Postgres(connection) = tx else {
        return Ok((next, Vec::new()));
    };
    let first = next - span;
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let rows: Vec<ChangeRow> = changes::table
        .filter(changes::xid.ge(first))
        .order(changes::xid.desc())
        .limit(limit)
        .select(ChangeRow::as_select())
        .load(*connection)?;
    // Some of the last transaction's may be missing.
    let first = match rows.last() {
        Some(last) if rows.len() == most => last.xid + 1,
        _ => first,
    };
    let rows = rows.into_iter().rev().filter(|row| row.xid >= first);
    let rows: Result<_, _> = rows.map(RecordedChange::try_from).collect();
    Ok((first, rows?))
}

/// A row that is visible although no transaction with its id can have ended.
const FOREIGN: &str = "xid >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint";

/// At most [`PAGE`] changes that expire after the last one of the page before, first those that expire first.
///
/// # Errors
/// When the database cannot be read.
pub fn page(
    tx: &mut Tx<'_>,
    after: (DateTime<Utc>, i64),
) -> Result<Vec<RecordedChange>, StoreError> {
    let rows: Vec<ChangeRow> = on!(tx, |conn| changes::table
        .filter(
            sql::<Bool>("(expires_at, seq) > (")
                .bind::<Instant, _>(Timestamp(after.0))
                .sql(", ")
                .bind::<BigInt, _>(after.1)
                .sql(")")
        )
        .order((changes::expires_at, changes::seq))
        .limit(i64::from(PAGE))
        .select(ChangeRow::as_select())
        .load(conn))?;
    rows.into_iter().map(RecordedChange::try_from).collect()
}

/// Whether rows come from another system, whose ids say nothing here.
///
/// # Errors
/// When the database cannot be read.
pub fn has_foreign(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    match tx {
        Tx::Sqlite(_) => Ok(false),
        // The newest row alone: of a number that it does not know, PostgreSQL thinks that a third of all rows are above it.
        Tx::Postgres(connection) => Ok(select(sql::<Bool>(&format!(
            "exists (select 1 from (select max(xid) as xid from changes) as newest where {FOREIGN})"
        )))
        .get_result(*connection)?),
    }
}

/// Marks the rows that a restore or a replication has brought from another system as old. They would be read again and
/// again.
///
/// # Errors
/// When the database cannot be written.
pub fn adopt(tx: &mut Tx<'_>) -> Result<usize, StoreError> {
    match tx {
        Tx::Sqlite(_) => Ok(0),
        Tx::Postgres(connection) => Ok(sql_query(format!(
            "update changes set xid = 0 where {FOREIGN}"
        ))
        .execute(*connection)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_read_as_postgresql_writes_it() {
        let snapshot = |xmax, in_progress: &[i64]| {
            Some(Snapshot {
                xmax,
                in_progress: in_progress.to_vec(),
            })
        };
        for (text, read) in [
            ("742:742:", snapshot(742, &[])),
            ("742:750:742,745", snapshot(750, &[742, 745])),
            ("7:4294967301:7", snapshot(4_294_967_301, &[7])),
            ("", None),
            ("742:742", None),
            ("742:x:", None),
            ("742:750:742,x", None),
        ] {
            assert_eq!(Snapshot::parse(text), read, "{text}");
        }
    }
}
