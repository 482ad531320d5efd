//! A statement of PostgreSQL, and the two ways in which the server learns its text.

use std::sync::OnceLock;

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Row, Statement};

pub(super) struct PgStatement {
    pub(super) text: String,
    /// Of its parameters.
    types: Vec<Type>,
    name: Name,
}

enum Name {
    /// Prepared when it is first used: the connection knows it by name from then on.
    Own(OnceLock<Statement>),
    /// The text is sent with the values each time: a pooler may have given the last transaction another connection.
    None,
}

impl PgStatement {
    pub(super) fn named(text: String, types: Vec<Type>) -> Self {
        let name = Name::Own(OnceLock::new());
        Self { text, types, name }
    }

    pub(super) fn unnamed(text: String, types: Vec<Type>) -> Self {
        let name = Name::None;
        Self { text, types, name }
    }

    /// Whether it must be prepared first, to be sent at once with others.
    pub(super) fn is_unprepared(&self) -> bool {
        matches!(&self.name, Name::Own(prepared) if prepared.get().is_none())
    }

    /// Prepares it, if it is to have a name and has none yet.
    pub(super) async fn prepare(&self, client: &Client) -> Result<(), Error> {
        if let Name::Own(prepared) = &self.name
            && prepared.get().is_none()
        {
            let statement = client.prepare_typed(&self.text, &self.types).await?;
            prepared.get_or_init(|| statement);
        }
        Ok(())
    }

    /// Returns the number of rows that it changed.
    pub(super) async fn execute(
        &self,
        client: &Client,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, Error> {
        match self.prepared() {
            Some(statement) => client.execute(statement, values).await,
            None => client.execute_typed(&self.text, &self.typed(values)).await,
        }
    }

    pub(super) async fn query(
        &self,
        client: &Client,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Error> {
        match self.prepared() {
            Some(statement) => client.query(statement, values).await,
            None => client.query_typed(&self.text, &self.typed(values)).await,
        }
    }

    fn prepared(&self) -> Option<&Statement> {
        match &self.name {
            Name::Own(prepared) => prepared.get(),
            Name::None => None,
        }
    }

    fn typed<'a>(&self, values: &[&'a (dyn ToSql + Sync)]) -> Vec<(&'a (dyn ToSql + Sync), Type)> {
        let types = self.types.iter().cloned();
        values.iter().copied().zip(types).collect()
    }
}
