//! Diesel over tokio-postgres, one blocking call at a time.
//!
//! What is begun or written in a transaction without an answer being needed waits for the next call that is answered, at
//! the latest the commit, and is sent with it: a transaction costs one round trip for each answer, not for each
//! statement (docs/decisions/0049-statements-that-wait.md).
//!
//! Diesel's errors have no room for a SQLSTATE, so this is where it is kept
//! (docs/decisions/0023-database-errors-by-code.md).

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::ops::Range;

use bytes::BytesMut;
use diesel::connection::{
    AnsiTransactionManager, CacheSize, Connection, ConnectionSealed, DynInstrumentation,
    Instrumentation, LoadConnection, SimpleConnection,
};
use diesel::expression::QueryMetadata;
use diesel::migration::{CREATE_MIGRATIONS_TABLE, MigrationConnection};
use diesel::pg::{GetPgMetadataCache, Pg, PgMetadataCache, PgQueryBuilder, PgValue};
use diesel::query_builder::bind_collector::RawBytesBindCollector;
use diesel::query_builder::{Query, QueryBuilder as _, QueryFragment, QueryId};
use diesel::result::{ConnectionError, ConnectionResult, Error as DieselError, QueryResult};
use diesel::row::{Field, PartialRow, Row, RowIndex, RowSealed};
use futures_util::future::{join, join_all};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Statement};

use super::error::from_postgres;
use super::pg_runtime::block_on;

/// Prepared statements that a connection keeps. Ours are some hundred; lists of values could make more.
const MAX_STATEMENTS: usize = 500;

/// More are sent by themselves: `join_all` starts so few in their order.
const MAX_WAITING: usize = 24;

/// A PostgreSQL connection that Diesel can use without async code.
#[expect(
    unnameable_types,
    reason = "it appears in public signatures, and only this folder uses it"
)]
pub struct PgConnection {
    client: Client,
    transactions: AnsiTransactionManager,
    /// By SQL and the types of its parameters.
    statements: HashMap<(String, Vec<Type>), Statement>,
    types: PgMetadataCache,
    instrumentation: DynInstrumentation,
    transaction: Transaction,
    waiting: Vec<Prepared>,
}

/// A statement that the server knows, and the values for it.
type Prepared = (Statement, Vec<Parameter>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transaction {
    None,
    /// Begun here. The server is told with the first statement.
    Unsent,
    Open,
}

impl PgConnection {
    pub fn new(client: Client) -> Self {
        Self {
            client,
            transactions: AnsiTransactionManager::default(),
            statements: HashMap::new(),
            types: PgMetadataCache::new(),
            instrumentation: DynInstrumentation::none(),
            transaction: Transaction::None,
            waiting: Vec::new(),
        }
    }

    /// Runs a statement whose result is not needed. In a transaction it is sent with the next one that is answered,
    /// which then fails if this one does.
    ///
    /// # Errors
    /// When it cannot be prepared.
    pub fn execute_later<T>(&mut self, source: &T) -> QueryResult<()>
    where
        T: QueryFragment<Pg> + QueryId,
    {
        let prepared = self.prepare(source)?;
        if self.transaction == Transaction::None || self.waiting.len() == MAX_WAITING {
            return self.execute_prepared(&prepared).map(drop);
        }
        self.waiting.push(prepared);
        Ok(())
    }

    /// Sends what waits and then a call, and waits for all answers.
    fn answered<T>(
        &mut self,
        call: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> QueryResult<T> {
        let is_unsent = self.transaction == Transaction::Unsent;
        if is_unsent {
            self.transaction = Transaction::Open;
        }
        let (client, waiting) = (&self.client, std::mem::take(&mut self.waiting));
        let begin = async {
            if is_unsent {
                client.batch_execute("BEGIN").await?;
            }
            Ok(())
        };
        let earlier = join_all(waiting.iter().map(async |(statement, parameters)| {
            let parameters: Vec<_> = parameters.iter().map(Parameter::as_sql).collect();
            client.execute(statement, &parameters).await.map(drop)
        }));
        // Each is sent when it is first polled, so they arrive in this order.
        let ((begun, earlier), answer) = block_on(join(join(begin, earlier), call(client)));
        let mut earlier = std::iter::once(begun).chain(earlier);
        earlier
            .try_for_each(|done| done)
            .and(answer)
            .map_err(from_postgres)
    }

    /// Every statement is kept, also those that Diesel calls unsafe to cache because its key does not tell them apart:
    /// updates and raw SQL. Ours is the SQL text itself.
    fn prepare<T>(&mut self, source: &T) -> QueryResult<Prepared>
    where
        T: QueryFragment<Pg> + QueryId,
    {
        let mut builder = PgQueryBuilder::default();
        source.to_sql(&mut builder, &Pg)?;
        let mut collected = RawBytesBindCollector::<Pg>::new();
        source.collect_binds(&mut collected, self, &Pg)?;
        self.prepare_text(builder.finish(), collected)
    }

    // The rest is not generic, so that the program has it once, and not for each of its queries.

    fn prepare_text(
        &mut self,
        text: String,
        collected: RawBytesBindCollector<Pg>,
    ) -> QueryResult<Prepared> {
        let mut types = Vec::with_capacity(collected.metadata.len());
        for metadata in &collected.metadata {
            let oid = metadata
                .oid()
                .map_err(|error| DieselError::SerializationError(Box::new(error)))?;
            types.push(Type::from_oid(oid).ok_or_else(|| {
                DieselError::SerializationError(format!("type {oid} is not built in").into())
            })?);
        }
        let parameters = collected.binds.into_iter().map(Parameter).collect();
        let key = (text, types);
        if let Some(statement) = self.statements.get(&key) {
            return Ok((statement.clone(), parameters));
        }
        let statement =
            block_on(self.client.prepare_typed(&key.0, &key.1)).map_err(from_postgres)?;
        if self.statements.len() >= MAX_STATEMENTS {
            self.statements.clear();
        }
        self.statements.insert(key, statement.clone());
        Ok((statement, parameters))
    }

    fn execute_prepared(&mut self, (statement, parameters): &Prepared) -> QueryResult<usize> {
        let parameters: Vec<_> = parameters.iter().map(Parameter::as_sql).collect();
        let count = self.answered(async |client| client.execute(statement, &parameters).await)?;
        usize::try_from(count).map_err(|error| DieselError::DeserializationError(Box::new(error)))
    }

    fn load_prepared(
        &mut self,
        (statement, parameters): &Prepared,
    ) -> QueryResult<Vec<tokio_postgres::Row>> {
        let parameters: Vec<_> = parameters.iter().map(Parameter::as_sql).collect();
        self.answered(async |client| client.query(statement, &parameters).await)
    }
}

impl SimpleConnection for PgConnection {
    fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        match (query, self.transaction) {
            ("BEGIN", Transaction::None) => {
                self.transaction = Transaction::Unsent;
                return Ok(());
            }
            // The server has not heard of it.
            ("COMMIT", Transaction::Unsent) if self.waiting.is_empty() => {
                self.transaction = Transaction::None;
                return Ok(());
            }
            ("ROLLBACK", Transaction::Unsent) => {
                self.waiting.clear();
                self.transaction = Transaction::None;
                return Ok(());
            }
            ("ROLLBACK", _) => self.waiting.clear(),
            _ => {}
        }
        let done = self.answered(async |client| client.batch_execute(query).await);
        if matches!(query, "COMMIT" | "ROLLBACK") {
            self.transaction = Transaction::None;
        }
        done
    }
}

impl ConnectionSealed for PgConnection {}

impl Connection for PgConnection {
    type Backend = Pg;
    type TransactionManager = AnsiTransactionManager;

    fn establish(_: &str) -> ConnectionResult<Self> {
        let advice = "a PostgreSQL connection is opened through its target";
        Err(ConnectionError::BadConnection(advice.to_owned()))
    }

    fn execute_returning_count<T>(&mut self, source: &T) -> QueryResult<usize>
    where
        T: QueryFragment<Pg> + QueryId,
    {
        let prepared = self.prepare(source)?;
        self.execute_prepared(&prepared)
    }

    fn transaction_state(&mut self) -> &mut AnsiTransactionManager {
        &mut self.transactions
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        &mut *self.instrumentation
    }

    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        self.instrumentation = instrumentation.into();
    }

    fn set_prepared_statement_cache_size(&mut self, _: CacheSize) {}
}

impl LoadConnection for PgConnection {
    type Cursor<'conn, 'query> = std::iter::Map<
        std::vec::IntoIter<tokio_postgres::Row>,
        fn(tokio_postgres::Row) -> QueryResult<PgRow>,
    >;
    type Row<'conn, 'query> = PgRow;

    fn load<'conn, 'query, T>(
        &'conn mut self,
        source: T,
    ) -> QueryResult<Self::Cursor<'conn, 'query>>
    where
        T: Query + QueryFragment<Pg> + QueryId + 'query,
        Pg: QueryMetadata<T::SqlType>,
    {
        let prepared = self.prepare(&source)?;
        let rows = self.load_prepared(&prepared)?;
        Ok(rows.into_iter().map(|row| Ok(PgRow(row))))
    }
}

impl GetPgMetadataCache for PgConnection {
    fn get_metadata_cache(&mut self) -> &mut PgMetadataCache {
        &mut self.types
    }
}

impl MigrationConnection for PgConnection {
    fn setup(&mut self) -> QueryResult<usize> {
        self.batch_execute(CREATE_MIGRATIONS_TABLE).map(|()| 0)
    }
}

/// A parameter as Diesel has written it, in PostgreSQL's binary format.
#[derive(Debug)]
struct Parameter(Option<Vec<u8>>);

impl Parameter {
    fn as_sql(&self) -> &(dyn ToSql + Sync) {
        self
    }
}

impl ToSql for Parameter {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        let Some(bytes) = &self.0 else {
            return Ok(IsNull::Yes);
        };
        out.extend_from_slice(bytes);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A value as PostgreSQL sent it; Diesel reads it.
struct Raw<'a>(Option<&'a [u8]>);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(
        _: &Type,
        bytes: &'a [u8],
    ) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(Some(bytes)))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

#[expect(
    unnameable_types,
    reason = "it appears in public signatures, and only this folder uses it"
)]
pub struct PgRow(tokio_postgres::Row);

impl RowSealed for PgRow {}

impl<'a> Row<'a, Pg> for PgRow {
    type Field<'f>
        = PgField<'f>
    where
        'a: 'f,
        Self: 'f;
    type InnerPartialRow = Self;

    fn field_count(&self) -> usize {
        self.0.len()
    }

    fn get<'b, I>(&'b self, index: I) -> Option<PgField<'b>>
    where
        'a: 'b,
        Self: RowIndex<I>,
    {
        let index = self.idx(index)?;
        let column = self.0.columns().get(index)?;
        let Raw(bytes) = self.0.try_get(index).ok()?;
        Some(PgField {
            name: column.name(),
            oid: NonZeroU32::new(column.type_().oid())?,
            bytes,
        })
    }

    fn partial_row(&self, range: Range<usize>) -> PartialRow<'_, Self> {
        PartialRow::new(self, range)
    }
}

impl RowIndex<usize> for PgRow {
    fn idx(&self, index: usize) -> Option<usize> {
        (index < self.0.len()).then_some(index)
    }
}

impl RowIndex<&str> for PgRow {
    fn idx(&self, name: &str) -> Option<usize> {
        self.0
            .columns()
            .iter()
            .position(|column| column.name() == name)
    }
}

#[expect(
    unnameable_types,
    reason = "it appears in public signatures, and only this folder uses it"
)]
pub struct PgField<'a> {
    name: &'a str,
    oid: NonZeroU32,
    bytes: Option<&'a [u8]>,
}

impl<'a> Field<'a, Pg> for PgField<'a> {
    fn field_name(&self) -> Option<&str> {
        Some(self.name)
    }

    fn value(&self) -> Option<PgValue<'_>> {
        self.bytes.map(|bytes| PgValue::new(bytes, &self.oid))
    }
}
