//! Tables of a PostgreSQL database, read in one transaction that sees one state and cannot write.

use std::cell::RefCell;
use std::error::Error;
use std::rc::Rc;

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, SimpleQueryMessage, Socket};

use super::{Each, Table};
use crate::error::OpenError;
use crate::path::Row;

/// How many rows are fetched at once.
const ROWS: u32 = 500;

pub(crate) struct Postgres {
    name: String,
    session: Rc<Session>,
}

struct Session {
    runtime: Runtime,
    client: RefCell<Client>,
}

impl Postgres {
    pub(super) fn connect<T>(url: &str, tls: T) -> Result<Self, OpenError>
    where
        T: MakeTlsConnect<Socket>,
        T::Stream: Send + 'static,
    {
        let (url, schema) = without_parameters_of_prisma(url);
        let mut config: tokio_postgres::Config = url.parse().map_err(|error| database(&error))?;
        if config.get_application_name().is_none() {
            config.application_name("hallpass import");
        }
        let name = config.get_dbname().map_or_else(
            || "the database".to_owned(),
            |name| format!("database {name:?}"),
        );
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| OpenError::Database(error.to_string()))?;
        let (client, connection) = runtime
            .block_on(config.connect(tls))
            .map_err(|error| database(&error))?;
        // It ends with its client, which hears of its errors.
        drop(runtime.spawn(connection));
        let session = Session {
            runtime,
            client: RefCell::new(client),
        };
        session.ask("begin isolation level repeatable read, read only")?;
        session.ask("set local time zone 'UTC'")?;
        if let Some(schema) = schema {
            session.ask(&format!("set local search_path to {}", quoted(&schema)))?;
        }
        Ok(Self {
            name,
            session: Rc::new(session),
        })
    }

    /// Tables and views that may be read, without a schema where a name without one leads to them.
    pub(super) fn tables(&self) -> Result<Vec<String>, OpenError> {
        let rows = self.session.ask(
            "select case when pg_table_is_visible(c.oid) then relname else nspname || '.' || relname end \
             from pg_class c join pg_namespace n on n.oid = relnamespace \
             where relkind in ('r', 'p', 'v', 'm', 'f') and nspname not in ('pg_catalog', 'information_schema') \
             and nspname not like 'pg\\_toast%' and has_schema_privilege(n.oid, 'usage') \
             and has_table_privilege(c.oid, 'select') order by 1",
        )?;
        Ok(rows)
    }

    /// `users` or `auth.users`, in exactly these letters.
    pub(super) fn table(&self, name: &str) -> Result<Option<PostgresTable>, OpenError> {
        let parts: Vec<String> = name.splitn(2, '.').map(quoted).collect();
        let table = parts.join(".");
        let oids = self
            .session
            .ask(&format!("select to_regclass({})::oid", literal(&table)))?;
        let Some(oid) = oids.first().filter(|oid| !oid.is_empty()) else {
            return Ok(None);
        };
        let columns = self.session.ask(&format!(
            "select attname from pg_attribute where attrelid = {oid} and attnum > 0 and not attisdropped \
             order by attnum"
        ))?;
        let name = format!("table {name:?} of {}", self.name);
        Ok(Some(PostgresTable {
            name,
            session: Rc::clone(&self.session),
            table,
            columns,
        }))
    }
}

impl Session {
    /// The first column of each row; nothing is an empty text.
    fn ask(&self, query: &str) -> Result<Vec<String>, OpenError> {
        let client = self.client.borrow();
        let answer = self.runtime.block_on(client.simple_query(query));
        let rows = answer.map_err(|error| database(&error))?.into_iter();
        let first = rows.filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
            _ => None,
        });
        Ok(first.collect())
    }
}

pub(crate) struct PostgresTable {
    name: String,
    session: Rc<Session>,
    /// Quoted.
    table: String,
    columns: Vec<String>,
}

impl Table for PostgresTable {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn form(&self) -> String {
        "PostgreSQL".to_owned()
    }

    fn columns(&self) -> Option<&[String]> {
        Some(&self.columns)
    }

    fn read(&mut self, each: &mut Each<'_>) -> Result<(), OpenError> {
        let query = format!(
            "declare rows no scroll cursor for select row_to_json(t)::text from {} t",
            self.table
        );
        self.session.ask(&query)?;
        let mut number = 0;
        loop {
            let rows = self.session.ask(&format!("fetch {ROWS} from rows"))?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                number += 1;
                let row: Row =
                    serde_json::from_str(&row).map_err(|error| OpenError::WrongShape {
                        input: self.name.clone(),
                        row: number,
                        what: error.to_string(),
                    })?;
                each(number, row)?;
            }
        }
        self.session.ask("close rows").map(drop)
    }
}

/// Prisma's URLs have parameters that no other client knows, and `schema`, which says where tables are
/// (<https://www.prisma.io/docs/orm/overview/databases/postgresql#arguments>).
fn without_parameters_of_prisma(url: &str) -> (String, Option<String>) {
    const OTHERS: [&str; 8] = [
        "connection_limit",
        "pgbouncer",
        "pool_timeout",
        "single_use_connections",
        "socket_timeout",
        "sslaccept",
        "sslidentity",
        "statement_cache_size",
    ];
    let Some((start, query)) = url.split_once('?') else {
        return (url.to_owned(), None);
    };
    let mut schema = None;
    let mut kept = Vec::new();
    for parameter in query.split('&') {
        match parameter.split_once('=') {
            Some(("schema", name)) => schema = Some(name.to_owned()),
            Some((name, _)) if OTHERS.contains(&name) => {}
            _ => kept.push(parameter),
        }
    }
    let separator = if kept.is_empty() { "" } else { "?" };
    (format!("{start}{separator}{}", kept.join("&")), schema)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Standard strings, as each session has them unless it says otherwise.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The library's own message says little, its cause more.
fn database(error: &tokio_postgres::Error) -> OpenError {
    OpenError::Database(match (error.as_db_error(), error.source()) {
        (Some(error), _) => error.message().to_owned(),
        (None, Some(source)) => format!("{error}: {source}"),
        (None, None) => error.to_string(),
    })
}
