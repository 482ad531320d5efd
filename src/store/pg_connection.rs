//! Diesel over tokio-postgres, one blocking call at a time.
//!
//! What is begun or written in a transaction without an answer being needed waits for the next call that is answered, at
//! the latest the commit, and is sent with it: a transaction costs one round trip for each answer, not for each
//! statement (docs/decisions/0049-few-round-trips.md). Questions whose text is known beforehand are asked
//! [ahead](PgConnection::ahead), and all answered in one round trip.
//!
//! Diesel's errors have no room for a SQLSTATE, so this is where it is kept
//! (docs/decisions/0023-database-errors-by-code.md).

use std::any::TypeId;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::ops::Range;
use std::sync::Arc;

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
use tokio_postgres::Client;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::error::from_postgres;
use super::pg_runtime::block_on;
use super::pg_statement::PgStatement;
use super::write_effects::may_change;

/// Prepared statements that a connection keeps. Ours are some hundred; lists of values could make more.
const MAX_STATEMENTS: usize = 500;

/// `join_all` starts so few in their order. A write beyond them is sent at once, a query is not asked ahead.
const MAX_WAITING: usize = 24;

/// A PostgreSQL connection that Diesel can use without async code.
#[expect(
    unnameable_types,
    reason = "it appears in public signatures, and only this folder uses it"
)]
pub struct PgConnection {
    client: Arc<Client>,
    transactions: AnsiTransactionManager,
    /// By SQL and the types of its parameters.
    statements: HashMap<(String, Vec<Type>), Arc<PgStatement>>,
    /// Those that their type names, which spares the SQL.
    by_type: HashMap<TypeId, Arc<PgStatement>>,
    /// Whether the next transaction may run on another connection to the server, which does not know them.
    is_pooled: bool,
    types: PgMetadataCache,
    instrumentation: DynInstrumentation,
    transaction: Transaction,
    waiting: Vec<Prepared>,
    ahead: Vec<Question>,
    mode: Mode,
    /// Whether a query was not [recalled](Mode::Recalling).
    has_missed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Running,
    /// Queries are collected, and see no rows.
    Asking,
    /// What is asked has said so itself: further queries see no rows either.
    HasAsked,
    /// Queries are answered from what was asked ahead, and otherwise fail: the thread must not wait.
    Recalling,
}

/// A statement, and the values for it.
struct Prepared {
    statement: Arc<PgStatement>,
    parameters: Vec<Parameter>,
}

/// A query that was asked ahead, and its rows once it has been answered.
struct Question {
    prepared: Prepared,
    rows: Option<Vec<tokio_postgres::Row>>,
}

/// What one unit of work asks on a connection that others use at the same time.
#[expect(
    unnameable_types,
    reason = "it appears in public signatures, and only this folder uses it"
)]
pub struct Questions {
    client: Arc<Client>,
    list: Vec<Question>,
}

impl Questions {
    /// Sends all in one round trip.
    ///
    /// # Errors
    /// The first one.
    pub async fn answer(&mut self) -> QueryResult<()> {
        let client = &*self.client;
        for statement in unprepared(self.list.iter().map(|it| &it.prepared)) {
            statement.prepare(client).await.map_err(from_postgres)?;
        }
        let answers = self.list.iter_mut().map(|it| it.answer(client));
        let mut answers = join_all(answers).await.into_iter();
        answers.try_for_each(|done| done).map_err(from_postgres)
    }
}

impl Question {
    async fn answer(&mut self, client: &Client) -> Result<(), tokio_postgres::Error> {
        self.rows = Some(self.prepared.query(client).await?);
        Ok(())
    }
}

/// The statements that must be prepared first, each once.
fn unprepared<'a>(all: impl Iterator<Item = &'a Prepared>) -> Vec<Arc<PgStatement>> {
    let mut list: Vec<Arc<PgStatement>> = Vec::new();
    for it in all.map(|it| &it.statement) {
        if it.is_unprepared() && !list.iter().any(|other| Arc::ptr_eq(other, it)) {
            list.push(Arc::clone(it));
        }
    }
    list
}

impl Prepared {
    /// Whether it asks the same.
    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.statement, &other.statement) && self.parameters == other.parameters
    }

    async fn query(
        &self,
        client: &Client,
    ) -> Result<Vec<tokio_postgres::Row>, tokio_postgres::Error> {
        self.statement.query(client, &self.values()).await
    }

    async fn execute(&self, client: &Client) -> Result<u64, tokio_postgres::Error> {
        self.statement.execute(client, &self.values()).await
    }

    fn values(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.parameters.iter().map(Parameter::as_sql).collect()
    }
}

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
            client: Arc::new(client),
            transactions: AnsiTransactionManager::default(),
            statements: HashMap::new(),
            by_type: HashMap::new(),
            is_pooled: false,
            types: PgMetadataCache::new(),
            instrumentation: DynInstrumentation::none(),
            transaction: Transaction::None,
            waiting: Vec::new(),
            ahead: Vec::new(),
            mode: Mode::Running,
            has_missed: false,
        }
    }

    /// As [`new`](Self::new), through a pooler that may give each transaction another connection to the server.
    pub fn of_a_pooler(client: Client) -> Self {
        Self {
            is_pooled: true,
            ..Self::new(client)
        }
    }

    /// What `work` asks, without waiting for anything: it sees no rows.
    pub fn questions<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> Questions {
        self.mode = Mode::Asking;
        work(self);
        self.mode = Mode::Running;
        Questions {
            client: Arc::clone(&self.client),
            list: std::mem::take(&mut self.ahead),
        }
    }

    /// Runs `work` with the answers to its questions; `None` if it asks another one.
    pub fn recall<T>(
        &mut self,
        answered: Questions,
        work: impl FnOnce(&mut Self) -> T,
    ) -> Option<T> {
        (self.ahead, self.mode, self.has_missed) = (answered.list, Mode::Recalling, false);
        let done = work(self);
        self.mode = Mode::Running;
        self.forget_ahead();
        (!self.has_missed).then_some(done)
    }

    /// Collects the queries of `questions`, which sees no rows. All are sent before the first of them is run again or
    /// anything else is answered, in their order; the same query then takes its rows from here, once. Rows of a table
    /// that was written meanwhile are asked for again.
    pub fn ahead<T>(&mut self, questions: impl FnOnce(&mut Self) -> T) {
        match self.mode {
            Mode::Running => {
                self.mode = Mode::Asking;
                questions(self);
                self.mode = Mode::Running;
            }
            Mode::Asking => {
                questions(self);
                self.mode = Mode::HasAsked;
            }
            Mode::HasAsked | Mode::Recalling => {}
        }
    }

    /// Forgets what was asked ahead and not used.
    pub fn forget_ahead(&mut self) {
        self.ahead.clear();
    }

    /// Runs a statement whose result is not needed. In a transaction it is sent with the next one that is answered,
    /// which then fails if this one does.
    ///
    /// # Errors
    /// When there is no transaction, or too much waits: of what is sent now.
    pub fn execute_later<T>(&mut self, source: &T) -> QueryResult<()>
    where
        T: QueryFragment<Pg> + QueryId,
    {
        let prepared = self.prepare(source)?;
        if self.transaction == Transaction::None || self.waiting.len() == MAX_WAITING {
            return self.execute_prepared(&prepared).map(drop);
        }
        self.forget_dependent_on(&prepared)?;
        self.waiting.push(prepared);
        Ok(())
    }

    fn forget_dependent_on(&mut self, write: &Prepared) -> QueryResult<()> {
        if self.mode != Mode::Running {
            return Err(DieselError::QueryBuilderError(
                "only queries are asked ahead".into(),
            ));
        }
        self.ahead
            .retain(|it| !may_change(&write.statement.text, &it.prepared.statement.text));
        Ok(())
    }

    /// Sends what waits, what was asked ahead, and then a call, which may be of one more statement, and waits for all
    /// answers.
    fn answered<T>(
        &mut self,
        last: Option<&Prepared>,
        call: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> QueryResult<T> {
        if self.mode == Mode::Recalling {
            self.has_missed = true;
            return Err(DieselError::QueryBuilderError(
                "this was not asked ahead".into(),
            ));
        }
        self.prepare_all(last)?;
        let is_unsent = self.transaction == Transaction::Unsent;
        if is_unsent {
            self.transaction = Transaction::Open;
        }
        let (client, waiting) = (&self.client, std::mem::take(&mut self.waiting));
        let mut ahead = std::mem::take(&mut self.ahead);
        let begin = async {
            if is_unsent {
                client.batch_execute("BEGIN").await?;
            }
            Ok(())
        };
        let writes = join_all(waiting.iter().map(|write| write.execute(client)));
        let unanswered = ahead.iter_mut().filter(|it| it.rows.is_none());
        let questions = join_all(unanswered.map(|it| it.answer(client)));
        // Each is sent when it is first polled, so they arrive in this order.
        let (((begun, writes), questions), answer) =
            block_on(join(join(join(begin, writes), questions), call(client)));
        let writes = writes.into_iter().map(|write| write.map(drop));
        let mut earlier = std::iter::once(begun).chain(writes).chain(questions);
        let answer = earlier
            .try_for_each(|done| done)
            .and(answer)
            .map_err(from_postgres)?;
        self.ahead = ahead;
        Ok(answer)
    }

    /// Prepares what is to be sent, so that it can be sent in its order.
    fn prepare_all(&self, last: Option<&Prepared>) -> QueryResult<()> {
        let questions = self.ahead.iter().map(|it| &it.prepared);
        let all = self.waiting.iter().chain(questions).chain(last);
        let statements = unprepared(all);
        if statements.is_empty() {
            return Ok(());
        }
        let prepared = block_on(join_all(
            statements.iter().map(|it| it.prepare(&self.client)),
        ));
        let mut prepared = prepared.into_iter();
        prepared.try_for_each(|done| done).map_err(from_postgres)
    }

    /// Every statement is kept, also those that Diesel calls unsafe to cache because their types do not tell them apart:
    /// updates and raw SQL. For these the key is the SQL text itself.
    fn prepare<T>(&mut self, source: &T) -> QueryResult<Prepared>
    where
        T: QueryFragment<Pg> + QueryId,
    {
        let mut collected = RawBytesBindCollector::<Pg>::new();
        source.collect_binds(&mut collected, self, &Pg)?;
        let type_id = T::query_id().filter(|_| source.is_safe_to_cache_prepared(&Pg) == Ok(true));
        if let Some(statement) = type_id.and_then(|id| self.by_type.get(&id)) {
            return Ok(Prepared {
                statement: Arc::clone(statement),
                parameters: parameters(collected),
            });
        }
        let mut builder = PgQueryBuilder::default();
        source.to_sql(&mut builder, &Pg)?;
        let prepared = self.prepare_text(builder.finish(), collected)?;
        if let Some(id) = type_id {
            self.by_type.insert(id, Arc::clone(&prepared.statement));
        }
        Ok(prepared)
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
        let parameters = parameters(collected);
        let key = (text, types);
        if let Some(statement) = self.statements.get(&key) {
            let statement = Arc::clone(statement);
            return Ok(Prepared {
                statement,
                parameters,
            });
        }
        let new = if self.is_pooled {
            PgStatement::unnamed
        } else {
            PgStatement::named
        };
        let statement = Arc::new(new(key.0.clone(), key.1.clone()));
        if self.statements.len() >= MAX_STATEMENTS {
            self.statements.clear();
            self.by_type.clear();
        }
        self.statements.insert(key, Arc::clone(&statement));
        Ok(Prepared {
            statement,
            parameters,
        })
    }

    fn execute_prepared(&mut self, prepared: &Prepared) -> QueryResult<usize> {
        self.forget_dependent_on(prepared)?;
        let count = self.answered(Some(prepared), async |client| {
            prepared.execute(client).await
        })?;
        usize::try_from(count).map_err(|error| DieselError::DeserializationError(Box::new(error)))
    }

    fn load_prepared(&mut self, prepared: Prepared) -> QueryResult<Vec<tokio_postgres::Row>> {
        match self.mode {
            Mode::Asking if self.ahead.len() < MAX_WAITING => {
                let rows = None;
                self.ahead.push(Question { prepared, rows });
                return Ok(Vec::new());
            }
            Mode::Asking | Mode::HasAsked => return Ok(Vec::new()),
            Mode::Running | Mode::Recalling => {}
        }
        let Some(at) = self.ahead.iter().position(|it| it.prepared.is(&prepared)) else {
            let call = async |client: &Client| prepared.query(client).await;
            return self.answered(Some(&prepared), call);
        };
        if self.ahead.get(at).is_some_and(|it| it.rows.is_none()) {
            self.answered(None, async |_| Ok(()))?;
        }
        Ok(self.ahead.remove(at).rows.unwrap_or_default())
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
        self.forget_ahead();
        let done = self.answered(None, async |client| client.batch_execute(query).await);
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
        let rows = self.load_prepared(prepared)?;
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

fn parameters(collected: RawBytesBindCollector<Pg>) -> Vec<Parameter> {
    collected.binds.into_iter().map(Parameter).collect()
}

/// A parameter as Diesel has written it, in PostgreSQL's binary format.
#[derive(Debug, PartialEq, Eq)]
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
