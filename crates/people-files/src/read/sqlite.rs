//! Tables of a SQLite file, which is only read.

use std::path::Path;
use std::rc::Rc;

use data_encoding::HEXLOWER;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use super::{Each, Table};
use crate::error::OpenError;
use crate::path::Row;

/// The first bytes of each SQLite file.
pub(super) const MAGIC: &[u8] = b"SQLite format 3\0";

pub(crate) struct Sqlite {
    name: String,
    connection: Rc<Connection>,
}

impl Sqlite {
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(path, flags).map_err(|error| database(&error))?;
        Ok(Self {
            name: path.display().to_string(),
            connection: Rc::new(connection),
        })
    }

    /// Tables and views.
    pub(super) fn tables(&self) -> Result<Vec<String>, OpenError> {
        let query = "select name from sqlite_schema where type in ('table', 'view') and name not like 'sqlite_%' \
                     order by name";
        let read = || -> rusqlite::Result<Vec<String>> {
            let mut statement = self.connection.prepare(query)?;
            statement.query_map([], |row| row.get(0))?.collect()
        };
        read().map_err(|error| database(&error))
    }

    /// The name may differ in case, as in SQL.
    pub(super) fn table(&self, name: &str) -> Result<Option<SqliteTable>, OpenError> {
        let tables = self.tables()?;
        let found = tables
            .into_iter()
            .find(|table| table.eq_ignore_ascii_case(name));
        let open = |table: String| {
            let query = format!("select * from \"{}\"", table.replace('"', "\"\""));
            let statement = self
                .connection
                .prepare(&query)
                .map_err(|error| database(&error))?;
            let columns = statement
                .column_names()
                .into_iter()
                .map(str::to_owned)
                .collect();
            let connection = Rc::clone(&self.connection);
            Ok(SqliteTable {
                name: format!("table {table:?} of {}", self.name),
                connection,
                query,
                columns,
            })
        };
        found.map(open).transpose()
    }
}

pub(crate) struct SqliteTable {
    name: String,
    connection: Rc<Connection>,
    query: String,
    columns: Vec<String>,
}

impl Table for SqliteTable {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn form(&self) -> String {
        "SQLite".to_owned()
    }

    fn columns(&self) -> Option<&[String]> {
        Some(&self.columns)
    }

    fn read(&mut self, each: &mut Each<'_>) -> Result<(), OpenError> {
        let failed = |error: rusqlite::Error| database(&error);
        let mut statement = self.connection.prepare(&self.query).map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        let mut number = 0;
        while let Some(row) = rows.next().map_err(failed)? {
            number += 1;
            let mut cells = Row::new();
            for (at, column) in self.columns.iter().enumerate() {
                cells.insert(column.clone(), value(row.get_ref(at).map_err(failed)?));
            }
            each(number, cells)?;
        }
        Ok(())
    }
}

/// Bytes that are no text are hexadecimal.
fn value(cell: ValueRef<'_>) -> Value {
    match cell {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::from(number),
        ValueRef::Real(number) => Value::from(number),
        ValueRef::Text(bytes) => Value::from(String::from_utf8_lossy(bytes)),
        ValueRef::Blob(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Value::from(text),
            Err(_) => Value::from(HEXLOWER.encode(bytes)),
        },
    }
}

fn database(error: &rusqlite::Error) -> OpenError {
    OpenError::Database(error.to_string())
}
