//! The database.

use std::fmt;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::reader::Reader;
use super::setting_error::Problem;
use super::settings::DATABASE_URL;

#[derive(Debug, Clone)]
pub enum Database {
    Sqlite { path: PathBuf },
    Postgres { url: SecretString },
}

impl Database {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let url = reader.secret(&DATABASE_URL)?;
        match Self::parse(url) {
            Ok(database) => Some(database),
            Err(problem) => {
                reader.report(&DATABASE_URL, problem);
                None
            }
        }
    }

    /// The URL may contain a password, so no problem repeats it.
    fn parse(url: SecretString) -> Result<Self, Problem> {
        let hint = "Use sqlite:hallpass.db, or postgres://user:password@host/database.";
        match url.expose_secret().split_once(':') {
            Some(("sqlite", rest)) => sqlite_path(rest).map(|path| Self::Sqlite { path }),
            Some(("postgres" | "postgresql", _)) => {
                let url = without_empty_host(url.expose_secret()).map_or(url, SecretString::from);
                let parsed = Url::parse(url.expose_secret());
                if parsed.is_ok_and(|url| url.has_authority()) {
                    Ok(Self::Postgres { url })
                } else {
                    let why = "It is not a valid PostgreSQL URL.";
                    let hint = "Use postgres://user:password@host/database, and percent-encode special characters \
                                in the password.";
                    Err(Problem::new(why, hint))
                }
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
            Self::Postgres { url } => {
                let Ok(mut url) = Url::parse(url.expose_secret()) else {
                    return f.write_str("PostgreSQL");
                };
                // It cannot fail for a URL with a host.
                let _ = url.set_password(None);
                url.set_query(None);
                url.set_fragment(None);
                url.fmt(f)
            }
        }
    }
}

/// libpq's form for sockets, `postgres://user:password@/database?host=/run/postgresql`, is not a URL: this is the same
/// with user, password and port in the query.
fn without_empty_host(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let (authority, path) = rest.split_once('/')?;
    let (user, host) = authority.rsplit_once('@')?;
    let port = match host.strip_prefix(':') {
        None if host.is_empty() => None,
        port => Some(port?),
    };
    let (user, password) = match user.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (user, None),
    };
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut url = format!("{scheme}:///{path}?{query}");
    for (name, value) in [("user", Some(user)), ("password", password), ("port", port)] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            let value = value.replace('+', "%2B").replace('&', "%26");
            url.push_str(&format!("&{name}={value}"));
        }
    }
    Some(url)
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
