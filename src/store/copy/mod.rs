//! Copies a whole database into another one, of the same kind or the other.
//!
//! A row travels as its canonical text, a JSON array that is the same on both databases. What was read is compared with
//! what the target holds, table by table, by counts and by sums of hashes, before the target's one transaction is
//! committed: either everything is there, or nothing. See docs/decisions/0061-export-and-copy.md.

mod dialect;
mod shape;

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use ring::digest::{SHA256, digest};

use super::own_thread::{self, with_connection};
use super::sqlite::Access;
use super::{Engine, MigrationError, Store, StoreError, Tx, in_transaction, snapshot};
use dialect::{BATCH, Suspended};
use shape::{Table, tables};

/// Batches that are read ahead of those that are written.
const AHEAD: usize = 4;

/// A table of the target as a running server fills it without anybody's doing. What it holds is replaced.
const OF_THE_SERVER: &str = "signing_keys";

#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error("the source is no database of Hallpass")]
    NoSource,
    #[error(
        "the source lacks migrations ({0}): run `hallpass migrate` there, or copy with the version of Hallpass that \
         wrote it"
    )]
    OldSource(String),
    #[error("the target is not empty: there are rows in its table {0}. Copy into a new database")]
    NotEmpty(&'static str),
    #[error(
        "the table {table} differs after the copy: {read} rows were read, {written} are in the target. Nothing was \
         kept"
    )]
    Differs {
        table: &'static str,
        read: u64,
        written: u64,
    },
    #[error(transparent)]
    Schema(#[from] MigrationError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A table that is in the target as it was in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedTable {
    pub name: &'static str,
    pub rows: u64,
    /// The sum of the hashes of all rows, in 32 hexadecimal digits.
    pub checksum: String,
}

/// The rows of a table, in whatever order: how many, and the sum of their hashes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sum {
    rows: u64,
    hashes: u128,
}

impl Sum {
    fn add(&mut self, row: &str) {
        let hash = digest(&SHA256, row.as_bytes());
        let mut first = [0; 16];
        let half = hash.as_ref().iter().zip(&mut first);
        half.for_each(|(byte, place)| *place = *byte);
        self.rows += 1;
        self.hashes = self.hashes.wrapping_add(u128::from_be_bytes(first));
    }
}

/// What the reader sends to the writer.
enum Message {
    /// Rows of the table with this index.
    Rows(usize, Vec<String>),
    /// All has been read.
    End(Vec<Sum>),
    Failed(StoreError),
}

impl Store {
    /// Copies everything as it is at one moment into `target`, which is migrated first and must hold nothing. A server
    /// may use the source meanwhile.
    ///
    /// # Errors
    /// Says what is in the way. The target is then as it was.
    pub async fn copy_to(&self, target: &Self) -> Result<Vec<CopiedTable>, CopyError> {
        if !self.exists().await? {
            return Err(CopyError::NoSource);
        }
        let pending = self.pending_migrations().await?;
        if !pending.is_empty() {
            return Err(CopyError::OldSource(pending.join(", ")));
        }
        target.migrate().await?;
        let (from, to) = (self.engine.clone(), target.engine.clone());
        let copied = own_thread::run("copy", move || copy(from, &to)).await?;
        target.optimize().await?;
        Ok(copied)
    }
}

fn copy(from: Engine, to: &Engine) -> Result<Vec<CopiedTable>, CopyError> {
    let tables = tables();
    with_connection(to, Access::ReadWrite, |tx| {
        in_transaction(tx, |tx| {
            expect_empty(tx, &tables)?;
            let suspended = Suspended::triggers(tx, &tables)?;
            let read = receive(tx, &tables, &start_reading(from)?)?;
            dialect::fill_searchable_people(tx)?;
            suspended.restore(tx)?;
            dialect::advance_sequences(tx)?;
            compare(tx, &tables, &read)
        })
    })
}

fn expect_empty(tx: &mut Tx<'_>, tables: &[Table]) -> Result<(), CopyError> {
    dialect::clear(tx, OF_THE_SERVER)?;
    for table in tables {
        if !dialect::is_empty(tx, table)? {
            return Err(CopyError::NotEmpty(table.name));
        }
    }
    Ok(())
}

/// Reads the source on a thread of its own, which ends when nobody receives any more.
fn start_reading(from: Engine) -> Result<Receiver<Message>, StoreError> {
    let (sender, receiver) = sync_channel(AHEAD);
    let read = move || {
        super::pg_runtime::wait_without_limit();
        let read = snapshot::of_engine(&from, |tx| send_all(tx, &sender));
        let _ = sender.send(read.map_or_else(Message::Failed, Message::End));
    };
    thread::Builder::new()
        .name("copy-read".to_owned())
        .spawn(read)
        .map_err(|error| StoreError::Failed(error.to_string()))?;
    Ok(receiver)
}

fn send_all(tx: &mut Tx<'_>, sender: &SyncSender<Message>) -> Result<Vec<Sum>, StoreError> {
    let gone = |_| StoreError::Failed("the target has failed".to_owned());
    let tables = tables();
    let mut sums = Vec::with_capacity(tables.len());
    for (at, table) in tables.iter().enumerate() {
        let mut sum = Sum::default();
        let mut batch = Vec::with_capacity(BATCH);
        dialect::read(tx, table, |row| {
            sum.add(&row);
            batch.push(row);
            if batch.len() < BATCH {
                return Ok(());
            }
            let rows = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
            sender.send(Message::Rows(at, rows)).map_err(gone)
        })?;
        if !batch.is_empty() {
            sender.send(Message::Rows(at, batch)).map_err(gone)?;
        }
        sums.push(sum);
    }
    Ok(sums)
}

/// Writes what is received, and returns what was read.
fn receive(
    tx: &mut Tx<'_>,
    tables: &[Table],
    receiver: &Receiver<Message>,
) -> Result<Vec<Sum>, StoreError> {
    loop {
        match receiver.recv() {
            Ok(Message::Rows(at, rows)) => {
                if let Some(table) = tables.get(at) {
                    dialect::write(tx, table, &rows)?;
                }
            }
            Ok(Message::End(sums)) => return Ok(sums),
            Ok(Message::Failed(error)) => return Err(error),
            Err(_) => return Err(StoreError::Failed("reading the source panicked".to_owned())),
        }
    }
}

fn compare(tx: &mut Tx<'_>, tables: &[Table], read: &[Sum]) -> Result<Vec<CopiedTable>, CopyError> {
    let compare = |(table, read): (&Table, &Sum)| {
        let mut written = Sum::default();
        dialect::read(tx, table, |row| {
            written.add(&row);
            Ok(())
        })?;
        if written != *read {
            return Err(CopyError::Differs {
                table: table.name,
                read: read.rows,
                written: written.rows,
            });
        }
        Ok(CopiedTable {
            name: table.name,
            rows: written.rows,
            checksum: format!("{:032x}", written.hashes),
        })
    };
    tables.iter().zip(read).map(compare).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_depends_on_every_row_and_not_on_their_order() {
        let sum = |rows: &[&str]| {
            let mut sum = Sum::default();
            rows.iter().for_each(|row| sum.add(row));
            sum
        };
        assert_eq!(sum(&["[1]", "[2]"]), sum(&["[2]", "[1]"]));
        for other in [&["[1]"][..], &["[1]", "[1]"], &["[1]", "[3]"], &[]] {
            assert_ne!(sum(&["[1]", "[2]"]), sum(other), "{other:?}");
        }
    }
}
