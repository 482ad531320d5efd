//! Database errors, told apart by code.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError};

/// A uniqueness rule of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unique {
    UserEmail,
    OrganizationSlug,
    Membership,
    Workspace,
    Identity,
    /// One import runs at a time.
    RunningImport,
}

impl Unique {
    /// PostgreSQL names the constraint. SQLite names only `table.column`, in its message.
    fn violated(information: &dyn DatabaseErrorInformation) -> Option<Self> {
        match (information.constraint_name(), information.message()) {
            (Some("users_email_key"), _) | (None, "UNIQUE constraint failed: users.email") => {
                Some(Self::UserEmail)
            }
            (Some("organizations_slug_key"), _)
            | (None, "UNIQUE constraint failed: organizations.slug") => {
                Some(Self::OrganizationSlug)
            }
            (Some("memberships_pkey"), _)
            | (
                None,
                "UNIQUE constraint failed: memberships.user_id, memberships.organization_id",
            ) => Some(Self::Membership),
            (Some("workspaces_pkey"), _)
            | (None, "UNIQUE constraint failed: workspaces.provider, workspaces.team_id") => {
                Some(Self::Workspace)
            }
            (Some("identities_pkey"), _)
            | (
                None,
                "UNIQUE constraint failed: identities.provider, identities.team_id, identities.external_id",
            ) => Some(Self::Identity),
            (Some("imports_running_idx"), _)
            | (None, "UNIQUE constraint failed: imports.state") => Some(Self::RunningImport),
            _ => None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A row with this value exists already.
    #[error("already taken: {0:?}")]
    Taken(Unique),
    /// The queue in front of the database is full, or the job waited too long; it did not run.
    #[error("the database queue is full")]
    Busy,
    /// The PostgreSQL server responds, but has no database of this name.
    #[error("{0}")]
    NoDatabase(String),
    /// The way to the database lacks something; the sentence says which setting to change.
    #[error("{0}")]
    Unsuitable(String),
    /// The database does not respond or does not accept writes.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// The database rejected a query: a bug of ours.
    #[error("the database refused a query: {0}")]
    Failed(String),
}

/// `sqlite3_errstr` of `SQLITE_BUSY`, `LOCKED`, `IOERR`, `FULL`, `CANTOPEN`, `READONLY` and `PROTOCOL`. Diesel hides
/// the result code, and these texts are constants of the SQLite that is compiled in
/// (<https://sqlite.org/rescode.html>).
const SQLITE_UNAVAILABLE: [&str; 7] = [
    "database is locked",
    "database table is locked",
    "disk I/O error",
    "database or disk is full",
    "unable to open database file",
    "attempt to write a readonly database",
    "locking protocol",
];

/// Codes, or the beginnings of codes, that tell of the server and not of the query
/// (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
const POSTGRES_UNAVAILABLE: [&str; 9] = [
    "08",    // connection exception
    "25006", // read-only transaction
    "25P03", // idle in a transaction for too long
    "40001", // serialization failure
    "40P01", // deadlock
    "53",    // insufficient resources: disk full, too many connections
    "55P03", // lock not available
    "57",    // operator intervention: shutdown, timeout
    "58",    // system error
];

/// An error of the PostgreSQL server.
#[derive(Debug)]
struct PostgresError {
    sqlstate: String,
    message: String,
    constraint: Option<String>,
}

impl DatabaseErrorInformation for PostgresError {
    fn message(&self) -> &str {
        &self.message
    }

    /// The SQLSTATE, for which Diesel has no field. The details that the server sends may hold personal data.
    fn details(&self) -> Option<&str> {
        Some(&self.sqlstate)
    }

    fn hint(&self) -> Option<&str> {
        None
    }

    fn table_name(&self) -> Option<&str> {
        None
    }

    fn column_name(&self) -> Option<&str> {
        None
    }

    fn constraint_name(&self) -> Option<&str> {
        self.constraint.as_deref()
    }

    fn statement_position(&self) -> Option<i32> {
        None
    }
}

impl From<PostgresError> for DieselError {
    fn from(error: PostgresError) -> Self {
        let kind = match error.sqlstate.as_str() {
            "23505" => DatabaseErrorKind::UniqueViolation,
            _ => DatabaseErrorKind::Unknown,
        };
        Self::DatabaseError(kind, Box::new(error))
    }
}

/// Keeps the SQLSTATE. An error without one comes from the connection.
#[expect(clippy::needless_pass_by_value, reason = "it is passed to `map_err`")]
pub(super) fn from_postgres(error: tokio_postgres::Error) -> DieselError {
    let Some(server) = error.as_db_error() else {
        let kind = DatabaseErrorKind::UnableToSendCommand;
        return DieselError::DatabaseError(kind, Box::new(error.to_string()));
    };
    let sqlstate = server.code().code().to_owned();
    PostgresError {
        message: format!("{} (SQLSTATE {sqlstate})", server.message()),
        sqlstate,
        constraint: server.constraint().map(str::to_owned),
    }
    .into()
}

fn is_unavailable(information: &dyn DatabaseErrorInformation) -> bool {
    match information.details() {
        Some(sqlstate) => POSTGRES_UNAVAILABLE
            .iter()
            .any(|code| sqlstate.starts_with(code)),
        None => SQLITE_UNAVAILABLE.contains(&information.message()),
    }
}

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        match &error {
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, information) => {
                match Unique::violated(information.as_ref()) {
                    Some(unique) => Self::Taken(unique),
                    None => Self::Failed(error.to_string()),
                }
            }
            DieselError::DatabaseError(DatabaseErrorKind::UnableToSendCommand, _)
            | DieselError::BrokenTransactionManager
            | DieselError::RollbackErrorOnCommit { .. } => Self::Unavailable(error.to_string()),
            DieselError::DatabaseError(_, information) if is_unavailable(information.as_ref()) => {
                Self::Unavailable(error.to_string())
            }
            _ => Self::Failed(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection as _;
    use diesel::{Connection as _, SqliteConnection};

    use super::*;

    fn postgres(sqlstate: &str, constraint: Option<&str>) -> StoreError {
        let error = PostgresError {
            sqlstate: sqlstate.to_owned(),
            message: "ein Fehler, auf Deutsch gemeldet".to_owned(),
            constraint: constraint.map(str::to_owned),
        };
        StoreError::from(DieselError::from(error))
    }

    #[test]
    fn a_postgres_error_is_known_by_its_sqlstate_in_any_language() {
        for code in [
            "08006", "25006", "25P03", "40001", "40P01", "53100", "53300", "55P03", "57014",
            "57P01", "57P03", "58030",
        ] {
            let error = postgres(code, None);
            assert!(matches!(error, StoreError::Unavailable(_)), "{code}");
        }
        for code in ["22001", "23503", "25P02", "40002", "42703", "XX000"] {
            let error = postgres(code, None);
            assert!(matches!(error, StoreError::Failed(_)), "{code}");
        }
        let taken = postgres("23505", Some("users_email_key"));
        assert!(matches!(taken, StoreError::Taken(Unique::UserEmail)));
    }

    /// Runs `sql` in a file that holds one empty table, without waiting for locks.
    fn sqlite(path: &str, sql: &str) -> StoreError {
        let mut connection = SqliteConnection::establish(path).unwrap();
        connection
            .batch_execute("pragma busy_timeout = 0; create table if not exists t (x)")
            .unwrap();
        StoreError::from(connection.batch_execute(sql).unwrap_err())
    }

    #[test]
    fn the_messages_of_the_bundled_sqlite_are_the_expected_ones() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("errors.db");
        let path = path.to_str().unwrap();
        for (sql, message) in [
            (
                "pragma max_page_count = 3; insert into t values (zeroblob(100000))",
                "database or disk is full",
            ),
            (
                "pragma query_only = on; insert into t values (1)",
                "attempt to write a readonly database",
            ),
        ] {
            let error = sqlite(path, sql);
            let text = format!("the database is unavailable: {message}");
            assert_eq!(error.to_string(), text);
        }
        let mut writer = SqliteConnection::establish(path).unwrap();
        writer.batch_execute("begin immediate").unwrap();
        let error = sqlite(path, "insert into t values (1)");
        let text = "the database is unavailable: database is locked";
        assert_eq!(error.to_string(), text);
    }

    #[test]
    fn a_query_for_a_missing_column_is_a_bug() {
        let error = sqlite(":memory:", "select nmae from t");
        assert!(matches!(error, StoreError::Failed(_)), "{error}");
    }
}
