//! The database of one test, and direct access to it with SQL.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use tokio_postgres::{NoTls, SimpleQueryMessage};

use super::cluster::Cluster;
use super::{scratch, test_app};

/// A database of one test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Db {
    Sqlite { path: PathBuf },
    Postgres { url: String },
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

#[derive(QueryableByName)]
struct Detail {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[derive(QueryableByName)]
struct Value {
    #[diesel(sql_type = Nullable<Text>)]
    v: Option<String>,
}

impl Db {
    /// A SQLite file that does not exist yet.
    pub fn sqlite() -> Self {
        Self::Sqlite {
            path: scratch::fresh_path("hallpass.db"),
        }
    }

    /// A migrated PostgreSQL database; `None` where PostgreSQL is not installed.
    pub async fn postgres() -> Option<Self> {
        Self::create_on(Cluster::shared()?, &format!("template {}", template())).await
    }

    /// Another new database of the same kind.
    pub async fn fresh(&self) -> Self {
        match self {
            Self::Sqlite { .. } => Self::sqlite(),
            Self::Postgres { .. } => Self::postgres().await.unwrap(),
        }
    }

    /// An empty PostgreSQL database; `None` where PostgreSQL is not installed.
    pub async fn empty_postgres() -> Option<Self> {
        Self::create_on(Cluster::shared()?, "").await
    }

    pub async fn create_on(cluster: &Cluster, how: &str) -> Option<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let admin = Self::Postgres {
            url: cluster.url("postgres"),
        };
        admin
            .execute(&format!("create database {name} {how}"))
            .await;
        Some(Self::Postgres {
            url: cluster.url(&name),
        })
    }

    /// The `DATABASE_URL`.
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite { path } => format!("sqlite:{}", path.display()),
            Self::Postgres { url } => url.clone(),
        }
    }

    /// An id as an SQL literal of this database.
    pub fn id(&self, uuid: &str) -> String {
        match self {
            Self::Sqlite { .. } => format!("x'{}'", uuid.replace('-', "")),
            Self::Postgres { .. } => format!("'{uuid}'"),
        }
    }

    /// Runs statements, separated by semicolons, as one batch.
    pub async fn execute(&self, sql: &str) {
        match self {
            Self::Sqlite { .. } => self.sqlite_connection().batch_execute(sql).expect(sql),
            Self::Postgres { url } => {
                let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
                actix_web::rt::spawn(connection);
                client.batch_execute(sql).await.expect(sql);
            }
        }
    }

    /// The number that a query such as `select count(*) from users` returns.
    pub async fn count(&self, select_count: &str) -> i64 {
        match self {
            Self::Sqlite { .. } => {
                sql_query(format!("select ({select_count}) as n"))
                    .get_result::<Count>(&mut self.sqlite_connection())
                    .expect(select_count)
                    .n
            }
            Self::Postgres { .. } => {
                let rows = self.values(&format!("select ({select_count}) as v")).await;
                rows[0].as_deref().unwrap().parse().unwrap()
            }
        }
    }

    /// The texts of the column `v` of a query, e.g. `select action as v from audit`.
    pub async fn values(&self, select_v: &str) -> Vec<Option<String>> {
        let sql = format!("select cast(v as text) as v from ({select_v}) as q");
        match self {
            Self::Sqlite { .. } => sql_query(sql)
                .get_results::<Value>(&mut self.sqlite_connection())
                .expect(select_v)
                .into_iter()
                .map(|row| row.v)
                .collect(),
            Self::Postgres { url } => {
                let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
                actix_web::rt::spawn(connection);
                let messages = client.simple_query(&sql).await.expect(select_v);
                messages
                    .iter()
                    .filter_map(|message| match message {
                        SimpleQueryMessage::Row(row) => Some(row.get(0).map(str::to_owned)),
                        _ => None,
                    })
                    .collect()
            }
        }
    }

    /// How SQLite runs a query, from `explain query plan …`.
    pub async fn plan(&self, explain: &str) -> String {
        let rows: Vec<Detail> = sql_query(explain)
            .get_results(&mut self.sqlite_connection())
            .expect(explain);
        let lines: Vec<String> = rows.into_iter().map(|row| row.detail).collect();
        lines.join("\n")
    }

    fn sqlite_connection(&self) -> SqliteConnection {
        let Self::Sqlite { path } = self else {
            panic!("not a SQLite database")
        };
        let mut connection = SqliteConnection::establish(&path.to_string_lossy()).unwrap();
        connection
            .batch_execute("pragma busy_timeout = 5000; pragma foreign_keys = on")
            .unwrap();
        connection
    }
}

/// The name of a database that the program has migrated, once for all tests, to copy from.
fn template() -> &'static str {
    static TEMPLATE: OnceLock<&str> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        on_a_thread_of_its_own(async {
            let cluster = Cluster::shared().unwrap();
            let admin = Db::Postgres {
                url: cluster.url("postgres"),
            };
            admin.execute("create database hallpass_template").await;
            test_app::migrate(&Db::Postgres {
                url: cluster.url("hallpass_template"),
            })
            .await;
            // A database can be copied only while there is no connection to it.
            admin
                .execute("alter database hallpass_template allow_connections false")
                .await;
            admin
                .execute(
                    "select pg_terminate_backend(pid, 5000) from pg_stat_activity
                     where datname = 'hallpass_template'",
                )
                .await;
        });
        "hallpass_template"
    })
}

/// Runs a future to its end from code that may itself be inside a runtime.
fn on_a_thread_of_its_own<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> T {
    std::thread::spawn(|| actix_web::rt::System::new().block_on(future))
        .join()
        .unwrap()
}
