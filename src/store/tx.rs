//! One unit of work on one of the two databases.

use diesel::SqliteConnection;

use super::pg_connection::PgConnection;

/// The connection of a unit of work. Only the functions of `store` use what is inside.
pub enum Tx<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection),
}

impl Tx<'_> {
    /// Asks on PostgreSQL in one round trip what will be asked one by one: each query of `questions`, which sees no rows,
    /// is answered there and then, in their order, for the next one that is the same. The order counts for locks: what is
    /// read under a lock comes after it. Nothing is asked twice but what was written meanwhile.
    pub fn ahead<T>(&mut self, questions: impl FnOnce(&mut Tx<'_>) -> T) {
        if let Self::Postgres(connection) = self {
            connection.ahead(|connection| questions(&mut Tx::Postgres(connection)));
        }
    }
}

/// Runs one Diesel expression on the database of `$tx`. The expression is compiled once for each database.
macro_rules! on {
    ($tx:expr, |$conn:ident| $body:expr) => {
        match $tx {
            $crate::store::Tx::Sqlite($conn) => {
                let $conn: &mut ::diesel::SqliteConnection = $conn;
                $body
            }
            $crate::store::Tx::Postgres($conn) => {
                let $conn: &mut $crate::store::pg_connection::PgConnection = $conn;
                $body
            }
        }
    };
}

/// Runs one Diesel statement whose result is not needed. On PostgreSQL it is sent with the next one that is answered.
macro_rules! later {
    ($tx:expr, $statement:expr) => {
        match $tx {
            $crate::store::Tx::Sqlite(connection) => ::diesel::RunQueryDsl::execute(
                $statement,
                &mut **connection as &mut ::diesel::SqliteConnection,
            )
            .map(drop),
            $crate::store::Tx::Postgres(connection) => connection.execute_later(&$statement),
        }
    };
}

/// Reads one row and locks it until the transaction ends, with a method of Diesel such as `for_share`. If it has to wait
/// for the lock, PostgreSQL returns the row as it is afterwards. SQLite has one writer, and needs no lock.
macro_rules! find_locked {
    ($tx:expr, $lock:ident, $query:expr) => {
        match $tx {
            $crate::store::Tx::Sqlite(connection) => $query.get_result(*connection).optional(),
            $crate::store::Tx::Postgres(connection) => {
                $query.$lock().get_result(*connection).optional()
            }
        }
    };
}

pub(super) use {find_locked, later, on};
