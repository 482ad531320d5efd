//! Applies the migrations that a database lacks, once, even if several instances start at the same time.

use std::fs;
use std::io::ErrorKind;
use std::thread;
use std::time::Duration;

use diesel::Connection as _;
use diesel::backend::Backend;
use diesel::connection::SimpleConnection as _;
use diesel::dsl::{select, sql};
use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::sqlite::Sqlite;
use diesel::{QueryDsl as _, QueryResult, RunQueryDsl as _};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::migration_plan::{Effect, effect};
use super::migration_sql::statements;
use super::pg_connection::PgConnection;
use super::postgres::takes_writes;
use super::{Engine, Requester, Store, StoreError, Tx, on, own_thread};

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

/// How often to ask whether another instance still migrates. Waiting inside PostgreSQL would hold a snapshot, and
/// `create index concurrently` waits for those.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// How long to let others go first after a lock was not free in time.
const LET_OTHERS_PASS: Duration = Duration::from_millis(500);

/// Logical replication copies the rows and not the sequences, so that numbers would be given out again. Only what is
/// behind is changed.
pub(super) const ADVANCE_SEQUENCES: &str = "
do $$
declare
    found record;
begin
    for found in
        select s.oid::regclass as sequence, a.attrelid::regclass as owner, a.attname
        from pg_class s
        join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = s.oid
            and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
        join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
        where s.relkind = 'S' and pg_table_is_visible(s.oid)
    loop
        execute format(
            'select setval(%L, newest) from (select max(%I) as newest from %s) as rows, %s as s
             where newest > s.last_value or (newest = s.last_value and not s.is_called)',
            found.sequence, found.attname, found.owner, found.sequence);
    end loop;
end $$";

const HAS_TABLE: &str = "to_regclass('__diesel_schema_migrations') is not null";

#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    #[error(
        "the database is read-only and lacks migrations ({0}): run `hallpass migrate` where it can be written"
    )]
    ReadOnly(String),
    #[error(
        "the database holds migration {0}, which this version of Hallpass does not know: \
         start a version at least as new as the one that wrote it"
    )]
    TooNew(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A migration that [`Store::migrate`] would apply.
#[derive(Debug)]
pub struct PlannedMigration {
    pub name: String,
    pub is_in_transaction: bool,
    /// On PostgreSQL; empty on SQLite, where others wait until all is done.
    pub statements: Vec<Effect>,
}

impl Store {
    /// What [`migrate`](Self::migrate) would do. It creates and changes nothing.
    ///
    /// # Errors
    /// `TooNew`, or when the database does not answer.
    pub async fn plan(&self) -> Result<Vec<PlannedMigration>, MigrationError> {
        if !self.exists().await? {
            return match self.engine {
                Engine::Sqlite(_) => planned(&missing::<Sqlite>(&[], &SQLITE)?, |_| Ok(Vec::new())),
                Engine::Postgres(_) => planned(&missing::<Pg>(&[], &POSTGRES)?, effects),
            };
        }
        self.read(Requester::OPERATOR, |tx| {
            let applied = applied_versions(tx)?;
            match tx {
                Tx::Sqlite(_) => {
                    planned(&missing::<Sqlite>(&applied, &SQLITE)?, |_| Ok(Vec::new()))
                }
                Tx::Postgres(connection) => {
                    let mut plan = planned(&missing::<Pg>(&applied, &POSTGRES)?, effects)?;
                    for effect in plan.iter_mut().flat_map(|planned| &mut planned.statements) {
                        effect.rows = rows(connection, effect.table.as_deref())?;
                    }
                    Ok(plan)
                }
            }
        })
        .await
    }

    /// Applies the missing migrations and returns their names. Those that follow each other are one transaction. A
    /// read-only PostgreSQL is left as it is.
    ///
    /// # Errors
    /// `TooNew` when a newer version has migrated the database, `ReadOnly` when migrations are missing there.
    /// Nothing is changed then.
    pub async fn migrate(&self) -> Result<Vec<String>, MigrationError> {
        if let Engine::Postgres(_) = &self.engine {
            return self.migrate_postgres(POSTGRES).await;
        }
        let apply_all = |tx: &mut Tx<'_>| match tx {
            Tx::Sqlite(connection) => apply(*connection, &SQLITE),
            Tx::Postgres(_) => Ok(Vec::new()),
        };
        let applied = self.write(Requester::HOUSEKEEPING, apply_all).await?;
        if !applied.is_empty() {
            self.optimize().await?;
        }
        Ok(applied)
    }

    /// As [`migrate`](Self::migrate), with the migrations of `source`, on PostgreSQL: on a thread and a connection of
    /// its own, where statements take as long as they need.
    ///
    /// # Errors
    /// As [`migrate`](Self::migrate).
    pub async fn migrate_postgres(
        &self,
        source: impl MigrationSource<Pg> + Send + 'static,
    ) -> Result<Vec<String>, MigrationError> {
        let Engine::Postgres(addresses) = &self.engine else {
            return Ok(Vec::new());
        };
        let target = addresses.direct.for_migrations();
        own_thread::run("postgres-migrate", move || {
            let (mut connection, _) = target.connect()?;
            run_alone(&mut connection, &source)
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
                Tx::Postgres(connection) => select(sql::<Bool>(HAS_TABLE)).get_result(*connection)
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
            let applied = applied_versions(tx)?;
            Ok(match tx {
                Tx::Sqlite(_) => names(&missing::<Sqlite>(&applied, &SQLITE)?),
                Tx::Postgres(_) => names(&missing::<Pg>(&applied, &POSTGRES)?),
            })
        })
        .await
    }
}

/// Migrates while no other instance does, and only if there is something to do that needs to write.
fn run_alone(
    connection: &mut PgConnection,
    source: &impl MigrationSource<Pg>,
) -> Result<Vec<String>, MigrationError> {
    let pending = missing(&applied(connection)?, source)?;
    if !takes_writes(connection).map_err(StoreError::from)? {
        let pending = names(&pending);
        return if pending.is_empty() {
            tracing::warn!("the database is read-only: what needs a write is answered with 503");
            Ok(pending)
        } else {
            Err(MigrationError::ReadOnly(pending.join(", ")))
        };
    }
    lock(connection).map_err(StoreError::from)?;
    // Now no other instance changes it.
    let applied = connection.applied_migrations().map_err(failed)?;
    let pending = missing(&applied, source)?;
    let mut rest = pending.as_slice();
    while let Some(first) = rest.first() {
        let is_in_transaction =
            |migration: &dyn Migration<Pg>| migration.metadata().run_in_transaction();
        let count = if is_in_transaction(first) {
            let together = rest
                .iter()
                .take_while(|migration| is_in_transaction(*migration));
            together.count()
        } else {
            1
        };
        let (group, others) = rest.split_at(count);
        if is_in_transaction(first) {
            apply_patiently(connection, group)?;
        } else {
            apply_without_transaction(connection, first)?;
        }
        rest = others;
    }
    connection
        .batch_execute(ADVANCE_SEQUENCES)
        .map_err(StoreError::from)?;
    let unlock = format!("select pg_advisory_unlock({MIGRATION_LOCK})");
    connection
        .batch_execute(&unlock)
        .map_err(StoreError::from)?;
    Ok(names(&pending))
}

/// The applied migrations. Unlike Diesel's function it creates no table, which a read-only database refuses.
fn applied(connection: &mut PgConnection) -> Result<Vec<MigrationVersion<'static>>, StoreError> {
    if !select(sql::<Bool>(HAS_TABLE)).get_result::<bool>(connection)? {
        return Ok(Vec::new());
    }
    applied_versions(&mut Tx::Postgres(connection))
}

fn applied_versions(tx: &mut Tx<'_>) -> Result<Vec<MigrationVersion<'static>>, StoreError> {
    let applied: Vec<String> = on!(tx, |conn| __diesel_schema_migrations::table
        .select(__diesel_schema_migrations::version)
        .load(conn))?;
    Ok(applied.into_iter().map(MigrationVersion::from).collect())
}

fn planned<DB: Backend>(
    migrations: &[Box<dyn Migration<DB>>],
    effects: impl Fn(&dyn Migration<DB>) -> Result<Vec<Effect>, MigrationError>,
) -> Result<Vec<PlannedMigration>, MigrationError> {
    let plan = |migration: &dyn Migration<DB>| {
        Ok(PlannedMigration {
            name: migration.name().to_string(),
            is_in_transaction: migration.metadata().run_in_transaction(),
            statements: effects(migration)?,
        })
    };
    migrations
        .iter()
        .map(|migration| plan(migration.as_ref()))
        .collect()
}

fn effects(migration: &dyn Migration<Pg>) -> Result<Vec<Effect>, MigrationError> {
    let statements = statements(migration).map_err(failed)?;
    Ok(statements.iter().map(|sql| effect(sql)).collect())
}

/// What PostgreSQL last counted.
fn rows(connection: &mut PgConnection, table: Option<&str>) -> Result<Option<i64>, StoreError> {
    let Some(table) = table else {
        return Ok(None);
    };
    let rows =
        sql::<BigInt>("coalesce((select reltuples::bigint from pg_class where oid = to_regclass(")
            .bind::<Text, _>(table)
            .sql(")), -1)");
    let rows: i64 = select(rows).get_result(connection)?;
    Ok(Some(rows).filter(|rows| *rows >= 0))
}

/// Until the connection ends.
fn lock(connection: &mut PgConnection) -> QueryResult<()> {
    let lock = format!("pg_try_advisory_lock({MIGRATION_LOCK})");
    let mut is_first_try = true;
    while !select(sql::<Bool>(&lock)).get_result::<bool>(connection)? {
        if is_first_try {
            tracing::info!(
                "another instance is migrating the database; waiting until it has finished"
            );
        }
        is_first_try = false;
        thread::sleep(ASK_AGAIN);
    }
    Ok(())
}

/// Applies migrations in one transaction, and begins again as long as somebody holds a lock that they need: those who
/// came later are served meanwhile.
fn apply_patiently(
    connection: &mut PgConnection,
    group: &[Box<dyn Migration<Pg>>],
) -> Result<(), MigrationError> {
    loop {
        let done = connection.transaction(|connection| connection.run_migrations(group).map(drop));
        let Err(error) = done else {
            return Ok(());
        };
        // Diesel hides the code in a text; ours puts it there.
        if !error.to_string().contains("(SQLSTATE 55P03)") {
            return Err(failed(error));
        }
        tracing::warn!(%error, "a migration waits for a lock that another connection holds; trying again");
        thread::sleep(LET_OTHERS_PASS);
    }
}

/// Applies a migration such as `create index concurrently`, which leaves an invalid index where it was interrupted.
fn apply_without_transaction(
    connection: &mut PgConnection,
    migration: &dyn Migration<Pg>,
) -> Result<(), MigrationError> {
    let text = statements(migration).map_err(failed)?.join(" ");
    let words: Vec<&str> = text.split([' ', '\n', '(', ';', '"']).collect();
    let invalid = invalid_indexes(connection).map_err(StoreError::from)?;
    // What waits here for other transactions lets their statements pass.
    let mut batch = vec!["set lock_timeout = 0".to_owned()];
    let interrupted = invalid.iter().filter(|name| words.contains(&name.as_str()));
    batch.extend(interrupted.map(|name| format!("drop index concurrently \"{name}\"")));
    for statement in batch {
        connection
            .batch_execute(&statement)
            .map_err(StoreError::from)?;
    }
    connection.run_migration(migration).map_err(failed)?;
    let reset = connection.batch_execute("reset lock_timeout");
    Ok(reset.map_err(StoreError::from)?)
}

fn invalid_indexes(connection: &mut PgConnection) -> QueryResult<Vec<String>> {
    let names =
        "coalesce((select string_agg(relname, ',') from pg_index join pg_class on oid = indexrelid
        where not indisvalid and pg_table_is_visible(oid)), '')";
    let names: String = select(sql::<Text>(names)).get_result(connection)?;
    let names = names.split(',').filter(|name| !name.is_empty());
    Ok(names.map(str::to_owned).collect())
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
    known: &impl MigrationSource<DB>,
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
