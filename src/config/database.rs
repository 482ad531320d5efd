//! The database.

use std::fmt;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::reader::Reader;
use super::setting_error::Problem;
use super::settings::{DATABASE_POOL_SIZE, DATABASE_URL};
use super::values::number_within;
use crate::domain::PostgresUrl;

#[derive(Debug, Clone)]
pub enum Database {
    Sqlite {
        path: PathBuf,
    },
    Postgres {
        url: PostgresUrl,
        /// Connections for requests.
        pool_size: usize,
    },
}

impl Database {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let pool_size = reader.value(&DATABASE_POOL_SIZE, number_within(2..=100));
        let url = reader.secret(&DATABASE_URL)?;
        match Self::parse(&url, pool_size? as usize) {
            Ok(database) => Some(database),
            Err(problem) => {
                reader.report(&DATABASE_URL, problem);
                None
            }
        }
    }

    /// The URL may contain a password, so no problem repeats it.
    fn parse(url: &SecretString, pool_size: usize) -> Result<Self, Problem> {
        let hint = "Use sqlite:hallpass.db, or postgres://user:password@host/database.";
        match url.expose_secret().split_once(':') {
            Some(("sqlite", rest)) => sqlite_path(rest).map(|path| Self::Sqlite { path }),
            Some(("postgres" | "postgresql", _)) => {
                let hint = "Use postgres://user:password@host/database, and percent-encode special characters in the \
                            password.";
                let url = PostgresUrl::parse(url.expose_secret());
                let url = url.map_err(|why| Problem::new(why, hint))?;
                Ok(Self::Postgres { url, pool_size })
            }
            _ => {
                let why = "It is neither a SQLite nor a PostgreSQL URL.";
                Err(Problem::new(why, hint))
            }
        }
    }
}

/// Where it is: an absolute path, or a URL without password and parameters.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite { path } => {
                let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                path.display().fmt(f)
            }
            Self::Postgres { url, .. } => url.fmt(f),
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
