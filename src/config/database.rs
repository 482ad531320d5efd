//! The database.

use std::fmt;
use std::path::PathBuf;

use super::reader::Reader;
use super::setting_error::Problem;
use super::settings::{DATABASE_DIRECT_URL, DATABASE_POOL_SIZE, DATABASE_READ_URL, DATABASE_URL};
use super::values::number_within;
use crate::domain::PostgresUrl;

#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "a process has one")]
pub enum Database {
    Sqlite { path: PathBuf },
    Postgres(PostgresUrls),
}

#[derive(Debug, Clone)]
pub struct PostgresUrls {
    /// Units of work, perhaps through a connection pooler.
    pub requests: PostgresUrl,
    /// PostgreSQL itself, where `requests` leads to a pooler.
    pub direct: Option<PostgresUrl>,
    /// A standby, to read lists from.
    pub standby: Option<PostgresUrl>,
    /// Connections for requests.
    pub pool_size: usize,
}

impl Database {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let pool_size = reader.value(&DATABASE_POOL_SIZE, number_within(2..=100));
        let direct = reader.value(&DATABASE_DIRECT_URL, server_url);
        let standby = reader.value(&DATABASE_READ_URL, server_url);
        let url = reader.value(&DATABASE_URL, Url::parse)?;
        Some(match url {
            Url::Sqlite(path) => Self::Sqlite { path },
            Url::Postgres(requests) => Self::Postgres(PostgresUrls {
                requests,
                direct,
                standby,
                pool_size: pool_size? as usize,
            }),
        })
    }
}

/// Of either kind. It may contain a password, so no problem repeats it.
enum Url {
    Sqlite(PathBuf),
    Postgres(PostgresUrl),
}

impl Url {
    fn parse(url: &str) -> Result<Self, Problem> {
        match url.split_once(':') {
            Some(("sqlite", rest)) => sqlite_path(rest).map(Self::Sqlite),
            Some(("postgres" | "postgresql", _)) => postgres_url(url).map(Self::Postgres),
            _ => Err(Problem::new(
                "It is neither a SQLite nor a PostgreSQL URL.",
                "Use sqlite:hallpass.db, or postgres://user:password@host/database.",
            )),
        }
    }
}

fn server_url(url: &str) -> Result<PostgresUrl, Problem> {
    match Url::parse(url)? {
        Url::Postgres(url) => Ok(url),
        Url::Sqlite(_) => Err(Problem::new(
            "It is a SQLite URL.",
            "Use postgres://user:password@host/database, or remove it.",
        )),
    }
}

fn postgres_url(url: &str) -> Result<PostgresUrl, Problem> {
    let hint = "Use postgres://user:password@host/database, and percent-encode special characters in the password.";
    PostgresUrl::parse(url).map_err(|why| Problem::new(why, hint))
}

/// Where it is: an absolute path, or a URL without password and parameters.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite { path } => {
                let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                path.display().fmt(f)
            }
            Self::Postgres(urls) => urls.requests.fmt(f),
        }
    }
}

fn sqlite_path(rest: &str) -> Result<PathBuf, Problem> {
    let hint = "Use a file, such as sqlite:hallpass.db or sqlite:///var/lib/hallpass/hallpass.db.";
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.contains(":memory:") || path.starts_with("file:") {
        let why = "An in-memory database loses all accounts when the process ends.";
        return Err(Problem::new(why, hint));
    }
    if path.is_empty() || path.ends_with('/') {
        return Err(Problem::new("It does not name a file.", hint));
    }
    if path.contains('?') {
        return Err(Problem::new(
            "It contains a query, and SQLite options are not supported.",
            hint,
        ));
    }
    Ok(PathBuf::from(path))
}
