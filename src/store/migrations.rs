//! Applies the migrations that a database lacks, once, even if several instances start at the same time.

use std::fs;
use std::io::ErrorKind;

use diesel::backend::Backend;
use diesel::dsl::{select, sql};
use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel::pg::Pg;
use diesel::sql_types::Bool;
use diesel::sqlite::Sqlite;
use diesel::{QueryDsl as _, RunQueryDsl as _, sql_query};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{Engine, Requester, Store, StoreError, Tx, on};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

diesel::table! {
    /// The table of Diesel.
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}

/// `hallpass` in ASCII: the advisory lock that lets one instance migrate at a time.
const MIGRATION_LOCK: i64 = 0x6861_6c6c_7061_7373;

#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    #[error(
        "the database holds migration {0}, which this version of Hallpass does not know: \
         start a version at least as new as the one that wrote it"
    )]
    TooNew(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Applies the missing migrations in one transaction and returns their names.
    ///
    /// # Errors
    /// `TooNew` when a newer version has migrated the database. Nothing is changed then.
    pub async fn migrate(&self) -> Result<Vec<String>, MigrationError> {
        self.write(Requester::HOUSEKEEPING, |tx| match tx {
            Tx::Sqlite(connection) => apply(*connection, &SQLITE),
            Tx::Postgres(connection) => {
                sql_query(format!("select pg_advisory_xact_lock({MIGRATION_LOCK})"))
                    .execute(*connection)
                    .map_err(StoreError::from)?;
                apply(*connection, &POSTGRES)
            }
        })
        .await
    }

    /// Whether the database exists and was migrated before. Creates nothing, as opening a missing SQLite file would.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn exists(&self) -> Result<bool, StoreError> {
        if let Engine::Sqlite(path) = &self.engine {
            match fs::metadata(path) {
                Ok(file) if file.len() > 0 => {}
                Err(error) if error.kind() != ErrorKind::NotFound => {}
                _ => return Ok(false),
            }
        }
        let has_table = self
            .read(Requester::OPERATOR, |tx| match tx {
                Tx::Sqlite(connection) => select(sql::<Bool>(
                    "exists (select 1 from sqlite_master where name = '__diesel_schema_migrations')",
                ))
                .get_result(*connection)
                .map_err(StoreError::from),
                Tx::Postgres(connection) => select(sql::<Bool>(
                    "to_regclass('__diesel_schema_migrations') is not null",
                ))
                .get_result(*connection)
                .map_err(StoreError::from),
            })
            .await;
        match has_table {
            Err(StoreError::NoDatabase(_)) => Ok(false),
            has_table => has_table,
        }
    }

    /// The names of the migrations that `migrate` would apply to a database that was migrated before. It does not use
    /// Diesel's function, which creates the table if it is missing: a read-only database refuses that statement.
    ///
    /// # Errors
    /// As `migrate`.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, MigrationError> {
        self.read(Requester::READINESS, |tx| {
            let applied: Vec<String> = on!(tx, |conn| __diesel_schema_migrations::table
                .select(__diesel_schema_migrations::version)
                .load(conn))
            .map_err(StoreError::from)?;
            let applied: Vec<_> = applied.into_iter().map(MigrationVersion::from).collect();
            Ok(match tx {
                Tx::Sqlite(_) => names(&missing::<Sqlite>(&applied, &SQLITE)?),
                Tx::Postgres(_) => names(&missing::<Pg>(&applied, &POSTGRES)?),
            })
        })
        .await
    }
}

fn apply<DB, C>(
    connection: &mut C,
    known: &EmbeddedMigrations,
) -> Result<Vec<String>, MigrationError>
where
    DB: Backend,
    C: MigrationHarness<DB>,
{
    let applied = connection.applied_migrations().map_err(failed)?;
    let pending = missing(&applied, known)?;
    connection.run_migrations(&pending).map_err(failed)?;
    Ok(names(&pending))
}

fn missing<DB: Backend>(
    applied: &[MigrationVersion<'_>],
    known: &EmbeddedMigrations,
) -> Result<Vec<Box<dyn Migration<DB>>>, MigrationError> {
    let mut known: Vec<Box<dyn Migration<DB>>> = known.migrations().map_err(failed)?;
    let is_known = |version: &MigrationVersion<'_>| {
        known
            .iter()
            .any(|migration| migration.name().version() == *version)
    };
    if let Some(foreign) = applied.iter().find(|version| !is_known(version)) {
        return Err(MigrationError::TooNew(foreign.to_string()));
    }
    known.retain(|migration| !applied.contains(&migration.name().version().as_owned()));
    Ok(known)
}

fn names<DB: Backend>(migrations: &[Box<dyn Migration<DB>>]) -> Vec<String> {
    migrations
        .iter()
        .map(|migration| migration.name().to_string())
        .collect()
}

/// Diesel boxes the error; the code inside decides what it means.
fn failed(error: Box<dyn std::error::Error + Send + Sync>) -> MigrationError {
    let error = match error.downcast::<diesel::result::Error>() {
        Ok(error) => StoreError::from(*error),
        Err(error) => StoreError::Failed(error.to_string()),
    };
    error.into()
}
