//! A temporary database in which rows wait: those of further tables until they are looked up, people until all are
//! there and can be put in order. It has no name, so that it ends with the process, and it uses a few megabytes of
//! memory, however large it is.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use crate::candidate::{Candidate, Line, ManagerBy};
use crate::error::OpenError;
use crate::path::Row;

/// `wishes` are managers by what they are called, `links` by their rows. `people.waiting` counts managers without a
/// level, and `lowest` is the level that the others allow; `frontier` has people whose reports are looked at next.
const SCHEMA: &str = "
    pragma journal_mode = off;
    pragma synchronous = off;
    pragma cache_size = -3000;
    pragma temp_store = file;
    pragma locking_mode = exclusive;
    create table joined (id integer primary key, row text not null);
    create table joined_keys (name integer not null, key text not null, id integer not null);
    create table others (position integer primary key, line text not null);
    create table people (
        row integer primary key, uuid text, created integer, hash integer, candidate text not null,
        waiting integer not null default 0, lowest integer not null default 0, level integer);
    create table emails (email text primary key, row integer not null) without rowid;
    create table ids (external_id text primary key, row integer not null) without rowid;
    create table wishes (
        report integer not null, membership integer not null, by_id integer not null, value text not null);
    create table links (report integer not null, membership integer not null, manager integer not null);
    create table cuts (report integer not null, membership integer not null, primary key (report, membership))
        without rowid;
    create table frontier (level integer not null, row integer not null, primary key (level, row)) without rowid;
    create table shared (hash integer primary key);
    create table places (place integer primary key, row integer not null);
    begin;
";

pub(crate) struct Spool {
    pub(crate) connection: Connection,
    known: RefCell<Known>,
}

/// Rows of further tables that were read lately.
#[derive(Default)]
struct Known {
    rows: HashMap<i64, Rc<Row>>,
    bytes: usize,
}

/// As JSON; in memory they are several times larger.
const KNOWN_BYTES: usize = 1 << 20;

/// Why a person is not kept: the row that was there first.
pub(crate) enum Duplicate {
    ExternalId(u64),
    Email(u64),
}

impl Spool {
    pub(crate) fn new() -> Result<Self, OpenError> {
        // An empty name is a private file that is removed when it is closed.
        let connection = Connection::open("")?;
        connection.set_prepared_statement_cache_capacity(32);
        connection.execute_batch(SCHEMA)?;
        Ok(Self {
            connection,
            known: RefCell::default(),
        })
    }

    /// A row of the table with this number, under each key by which it is looked up.
    pub(crate) fn add_joined(
        &self,
        table: usize,
        keys: &[String],
        row: &Row,
    ) -> Result<(), OpenError> {
        if keys.is_empty() {
            return Ok(());
        }
        self.connection
            .prepare_cached("insert into joined (row) values (?)")?
            .execute([json(row)])?;
        let id = self.connection.last_insert_rowid();
        let mut insert = self
            .connection
            .prepare_cached("insert into joined_keys values (?, ?, ?)")?;
        for key in keys {
            insert.execute(params![number(table), key, id])?;
        }
        Ok(())
    }

    pub(crate) fn end_joined(&self) -> Result<(), OpenError> {
        self.connection
            .execute_batch("create index joined_by_key on joined_keys (name, key, id)")?;
        Ok(())
    }

    /// In the order in which they were added.
    pub(crate) fn joined(&self, table: usize, key: &str) -> Result<Vec<Rc<Row>>, OpenError> {
        let query = "select distinct id from joined_keys where name = ? and key = ? order by id";
        let mut select = self.connection.prepare_cached(query)?;
        let ids = select.query_map(params![number(table), key], |row| row.get(0))?;
        ids.map(|id| self.joined_row(id?)).collect()
    }

    /// Some rows belong to many people, and may be large.
    fn joined_row(&self, id: i64) -> Result<Rc<Row>, OpenError> {
        let known = &mut *self.known.borrow_mut();
        if let Some(row) = known.rows.get(&id) {
            return Ok(Rc::clone(row));
        }
        let mut select = self
            .connection
            .prepare_cached("select row from joined where id = ?")?;
        let text: String = select.query_row([id], |row| row.get(0))?;
        let row: Rc<Row> = Rc::new(read(&text)?);
        if known.bytes > KNOWN_BYTES {
            *known = Known::default();
        }
        known.bytes += text.len();
        known.rows.insert(id, Rc::clone(&row));
        Ok(row)
    }

    /// A row that is not a person.
    pub(crate) fn add_other(&self, line: &OtherLine) -> Result<(), OpenError> {
        let mut insert = self
            .connection
            .prepare_cached("insert into others (line) values (?)")?;
        insert.execute([json(line)])?;
        Ok(())
    }

    /// Keeps the person, unless another one with the same address or external id is there.
    pub(crate) fn add_person(&self, person: &Candidate) -> Result<Option<Duplicate>, OpenError> {
        let row = number(person.row);
        let email = person.email.as_ref().map(|email| email.to_lowercase());
        if let Some(id) = &person.external_id
            && let Some(first) = self.row_of("select row from ids where external_id = ?", id)?
        {
            return Ok(Some(Duplicate::ExternalId(first)));
        }
        if let Some(email) = &email
            && let Some(first) = self.row_of("select row from emails where email = ?", email)?
        {
            return Ok(Some(Duplicate::Email(first)));
        }
        let insert = |query: &str, key: &str| -> Result<(), OpenError> {
            self.connection
                .prepare_cached(query)?
                .execute(params![key, row])?;
            Ok(())
        };
        if let Some(id) = &person.external_id {
            insert("insert into ids values (?, ?)", id)?;
        }
        if let Some(email) = &email {
            insert("insert into emails values (?, ?)", email)?;
        }
        let query =
            "insert into people (row, uuid, created, hash, candidate) values (?, ?, ?, ?, ?)";
        let mut statement = self.connection.prepare_cached(query)?;
        let created = person.created.map(|created| created.timestamp_micros());
        let hash = person
            .password
            .present()
            .map(|hash| digest(&hash.to_string()));
        let uuid = person
            .external_id
            .as_ref()
            .filter(|id| is_uuid(id))
            .map(|id| id.to_lowercase());
        statement.execute(params![row, uuid, created, hash, json(person)])?;
        self.add_wishes(person)?;
        Ok(None)
    }

    /// Finds hashes that so many people have that it is not theirs.
    pub(crate) fn find_shared_hashes(&self, people: i64) -> Result<(), OpenError> {
        let query = "insert into shared select hash from people where hash is not null
                     group by hash having count(*) >= ?";
        self.connection.execute(query, [people])?;
        Ok(())
    }

    fn add_wishes(&self, person: &Candidate) -> Result<(), OpenError> {
        for (at, membership) in person.memberships.iter().enumerate() {
            let Some(manager) = &membership.manager else {
                continue;
            };
            let by_id = manager.by == ManagerBy::ExternalId;
            let mut insert = self
                .connection
                .prepare_cached("insert into wishes values (?, ?, ?, ?)")?;
            insert.execute(params![
                number(person.row),
                number(at),
                by_id,
                manager.value
            ])?;
        }
        Ok(())
    }

    fn row_of(&self, query: &str, key: &str) -> Result<Option<u64>, OpenError> {
        let mut select = self.connection.prepare_cached(query)?;
        let row: Option<i64> = select.query_row([key], |row| row.get(0)).optional()?;
        Ok(row.map(unsigned))
    }

    pub(crate) fn count(&self, table: &str) -> Result<u64, OpenError> {
        let query = format!("select count(*) from {table}");
        self.connection
            .query_row(&query, [], |row| row.get(0))
            .map(unsigned)
            .map_err(Into::into)
    }
}

/// A [`Line`] that is no person, as it is stored.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) enum OtherLine {
    Refused(crate::candidate::RefusedRow),
    Skipped(crate::candidate::SkippedRow),
}

impl From<OtherLine> for Line {
    fn from(line: OtherLine) -> Self {
        match line {
            OtherLine::Refused(row) => Self::Refused(row),
            OtherLine::Skipped(row) => Self::Skipped(row),
        }
    }
}

/// SQLite's integers are signed.
pub(crate) fn number(value: impl TryInto<i64>) -> i64 {
    value.try_into().unwrap_or(i64::MAX)
}

fn unsigned(value: i64) -> u64 {
    value.try_into().unwrap_or(0)
}

pub(crate) fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// What [`json`] wrote.
pub(crate) fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, OpenError> {
    serde_json::from_str(text).map_err(|error| {
        OpenError::Spool(rusqlite::Error::FromSqlConversionFailure(
            0,
            rusqlite::types::Type::Text,
            Box::new(error),
        ))
    })
}

/// To compare texts by.
fn digest(text: &str) -> i64 {
    let [first, ..] = *Sha256::digest(text).as_chunks::<8>().0 else {
        return 0;
    };
    i64::from_be_bytes(first)
}

/// In the usual form: ids of people that are kept are sorted by it.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
