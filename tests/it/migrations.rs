//! Migrations: each is applied once, and no program starts on a newer schema.

use std::cell::Cell;
use std::fs;

use chrono::TimeDelta;
use diesel_migrations::FileBasedMigrations;
use futures_util::future::join_all;
use hallpass::domain::PostgresUrl;
use hallpass::store::{Addresses, Engine, MigrationError, Route, Store, Target};
use serde_json::json;

use crate::support::{Actor, Db, PASSWORD, TestApp, eventually};

async fn five_instances_share(db: Db) {
    let apps: Vec<TestApp> = join_all((0..5).map(|_| TestApp::start(db.clone()))).await;
    let applied = "from __diesel_schema_migrations";
    let rows = db.count(&format!("select count(*) {applied}")).await;
    let distinct = db
        .count(&format!("select count(distinct version) {applied}"))
        .await;
    assert!(rows > 0);
    assert_eq!(rows, distinct);
    apps[0].registers("Acme", "ada@acme.example").await;
    for app in &apps {
        app.logs_in("ada@acme.example", PASSWORD).await;
    }
}

async fn a_newer_schema_is_refused(db: Db) {
    let mut app = TestApp::start(db.clone()).await;
    app.stop().await;
    db.execute(
        "insert into __diesel_schema_migrations (version, run_on)
         values ('29990101000000', current_timestamp)",
    )
    .await;
    let refused = TestApp::try_start(db.clone()).await.err();
    let why = refused.expect("a newer schema is refused").to_string();
    assert!(
        why.contains("29990101000000") && why.contains("version"),
        "{why}"
    );
    db.execute("delete from __diesel_schema_migrations where version = '29990101000000'")
        .await;
    TestApp::start(db).await.get("/readyz").await.expect(200);
}

mod sqlite {
    use super::*;

    #[actix_web::test]
    async fn five_instances_on_an_empty_database_apply_each_migration_once() {
        five_instances_share(Db::sqlite()).await;
    }

    #[actix_web::test]
    async fn a_schema_newer_than_the_program_refuses_to_start() {
        a_newer_schema_is_refused(Db::sqlite()).await;
    }
}

mod postgres {
    use super::*;

    #[actix_web::test]
    async fn five_instances_on_an_empty_database_apply_each_migration_once() {
        if let Some(db) = Db::empty_postgres().await {
            five_instances_share(db).await;
        }
    }

    #[actix_web::test]
    async fn a_schema_newer_than_the_program_refuses_to_start() {
        if let Some(db) = Db::postgres().await {
            a_newer_schema_is_refused(db).await;
        }
    }

    /// Migrations of a test: each a name, its SQL, and whether it runs in a transaction.
    struct Migrations(tempfile::TempDir);

    impl Migrations {
        fn of(all: &[(&str, &str, bool)]) -> Self {
            let directory = tempfile::tempdir().unwrap();
            for (name, sql, is_in_transaction) in all {
                let folder = directory.path().join(name);
                fs::create_dir(&folder).unwrap();
                fs::write(folder.join("up.sql"), sql).unwrap();
                fs::write(folder.join("down.sql"), "select 1").unwrap();
                let metadata = format!("run_in_transaction = {is_in_transaction}");
                fs::write(folder.join("metadata.toml"), metadata).unwrap();
            }
            Self(directory)
        }

        async fn apply(&self, db: &Db) -> Result<Vec<String>, MigrationError> {
            let source = FileBasedMigrations::from_path(self.0.path()).unwrap();
            store(db).migrate_postgres(source).await
        }
    }

    fn store(db: &Db) -> Store {
        let url = PostgresUrl::parse(&db.url()).unwrap();
        let target = Target::new(&url, Route::Only).unwrap();
        Store::start(Engine::Postgres(Addresses::new(target, None, 2))).unwrap()
    }

    async fn waiting_locks(db: &Db) -> i64 {
        db.count(
            "select count(*) from pg_locks join pg_database d on d.oid = database
             where not granted and datname = current_database()",
        )
        .await
    }

    #[actix_web::test]
    async fn a_migration_may_take_longer_than_any_statement_of_a_request() {
        let Some(db) = Db::empty_postgres().await else {
            return;
        };
        // Above the limit of a statement, and above what a silent server is given.
        let slow = Migrations::of(&[("2030-01-01-000000_slow", "select pg_sleep(7)", true)]);
        assert_eq!(slow.apply(&db).await.unwrap(), ["2030-01-01-000000_slow"]);
        assert!(slow.apply(&db).await.unwrap().is_empty());
    }

    #[actix_web::test]
    async fn a_migration_that_waits_for_a_lock_lets_others_pass() {
        let Some(db) = Db::empty_postgres().await else {
            return;
        };
        db.execute("create table a (x int)").await;
        let (holder, connection) = tokio_postgres::connect(&db.url(), tokio_postgres::NoTls)
            .await
            .unwrap();
        actix_web::rt::spawn(connection);
        holder
            .batch_execute("begin; select * from a")
            .await
            .unwrap();
        let alter = "create table b (x int); alter table a add column y int";
        let migrations = Migrations::of(&[("2030-01-01-000000_alter", alter, true)]);
        let (applied, ()) = tokio::join!(migrations.apply(&db), async {
            eventually("the migration waits", async || {
                waiting_locks(&db).await == 1
            })
            .await;
            // It queues behind the migration, and is served once that has given up for now.
            db.execute("set statement_timeout = '30s'; select * from a")
                .await;
            holder.batch_execute("commit").await.unwrap();
        });
        assert_eq!(applied.unwrap(), ["2030-01-01-000000_alter"]);
        assert_eq!(db.count("select count(y) from a").await, 0);
    }

    #[actix_web::test]
    async fn one_instance_migrates_while_the_others_wait() {
        let Some(db) = Db::empty_postgres().await else {
            return;
        };
        let sql = "create table a (x int); select pg_sleep(0.2)";
        let migrations = Migrations::of(&[("2030-01-01-000000_a", sql, true)]);
        let applied = join_all((0..4).map(|_| migrations.apply(&db))).await;
        let applied: Vec<_> = applied.into_iter().flat_map(Result::unwrap).collect();
        assert_eq!(applied, ["2030-01-01-000000_a"]);
    }

    #[actix_web::test]
    async fn an_interrupted_index_is_built_again() {
        let Some(db) = Db::empty_postgres().await else {
            return;
        };
        db.execute("create table a (x int); insert into a values (1), (1)")
            .await;
        let migrations = Migrations::of(&[
            ("2030-01-01-000000_first", "create table b (x int)", true),
            (
                "2030-01-01-000001_index",
                "-- Without a lock on the table.\ncreate unique index concurrently a_x on a (x);",
                false,
            ),
        ]);
        // What is twice in the table stops it, as a crash would.
        let why = migrations.apply(&db).await.unwrap_err().to_string();
        assert!(why.contains("SQLSTATE 23505"), "{why}");
        let valid = "select count(*) from pg_index where indrelid = 'a'::regclass and indisvalid";
        let all = "select count(*) from pg_index where indrelid = 'a'::regclass";
        assert_eq!((db.count(all).await, db.count(valid).await), (1, 0));
        db.execute("delete from a where ctid = '(0,1)'").await;
        let applied = migrations.apply(&db).await.unwrap();
        assert_eq!(applied, ["2030-01-01-000001_index"]);
        assert_eq!((db.count(all).await, db.count(valid).await), (1, 1));
    }

    #[actix_web::test]
    async fn a_read_only_database_is_served_from_and_not_migrated() {
        let Some(db) = Db::postgres().await else {
            return;
        };
        let mut app = TestApp::start(db.clone()).await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let name = db.url().rsplit('/').next().unwrap().to_owned();
        let set = format!("alter database {name} set default_transaction_read_only =");
        db.execute(&format!("{set} on")).await;
        app.restart().await;
        ada.me().await.expect(200);
        ada.refreshes().await.expect(200);
        let login = app.tries_to_log_in(&ada.email, PASSWORD).await;
        login.refused(503, "Service unavailable");
        ada.logs_out().await.refused(503, "Service unavailable");
        assert_eq!(app.readiness("writes").await["ok"], false);
        app.stop().await;

        db.execute(
            "begin read write;
             delete from __diesel_schema_migrations
                 where version = (select max(version) from __diesel_schema_migrations);
             commit",
        )
        .await;
        let refused = TestApp::try_start(db.clone()).await.err();
        let why = refused.expect("a migration is missing").to_string();
        assert!(
            why.contains("read-only") && why.contains("hallpass migrate"),
            "{why}"
        );
    }

    /// What an instance of the release before meets during an upgrade: new columns, also with a default, new indexes.
    #[actix_web::test]
    async fn instances_serve_while_every_table_is_expanded() {
        let Some(db) = Db::postgres().await else {
            return;
        };
        let here = TestApp::start(db.clone()).await;
        let there = here.second_instance().await;
        let ada = here.signs_up("Acme", "ada@acme.example").await;
        let bob = here.joins(ada.organization_id(), "bob@acme.example").await;
        let is_expanded = Cell::new(false);
        let load = async {
            while !is_expanded.get() {
                uses_most_tables(&here, &there, &ada, &bob).await;
            }
            // Every statement once more, on connections that have prepared it before.
            for _ in 0..3 {
                uses_most_tables(&here, &there, &ada, &bob).await;
            }
        };
        let expand = async {
            uses_most_tables(&here, &there, &ada, &bob).await;
            let tables = "select tablename as v from pg_tables where schemaname = 'public'";
            for table in db.values(tables).await {
                let table = table.unwrap();
                db.execute(&format!(
                    "alter table {table} add column expanded_number bigint;
                     alter table {table} add column expanded_text text not null default 'new';"
                ))
                .await;
                db.execute(&format!(
                    "create index concurrently {table}_expanded on {table} (expanded_number)"
                ))
                .await;
            }
            is_expanded.set(true);
        };
        tokio::join!(load, expand);
    }

    /// Reads and writes at one instance, and sees the effect at the other.
    async fn uses_most_tables(here: &TestApp, there: &TestApp, ada: &Actor, bob: &Actor) {
        here.advance(TimeDelta::minutes(6));
        let session = ada.signs_in_again().await;
        session.at(there).me().await.expect(200);
        session.refreshes().await.expect(200);
        for path in [
            "/api/users?q=bob",
            "/api/audit",
            "/api/auth/sessions",
            "/api/auth/account/export",
        ] {
            session.get(path).await.expect(200);
        }
        let service = session.as_a_service("employee").await;
        service.at(there).me().await.expect(200);
        for role in ["manager", "employee"] {
            let role = json!({"role": role});
            session.changes(bob, role).await.expect(200);
        }
        here.forgets_password(&bob.email).await.expect(200);
        let wrong = here.tries_to_log_in(&bob.email, "Not-The-Password-1").await;
        assert_eq!(wrong.status, 401);
        here.logs_in(&bob.email, PASSWORD).await;
        session.logs_out().await.expect(200);
        let elsewhere = session.at(there);
        eventually("the logout is heard", async || {
            elsewhere.me().await.status == 401
        })
        .await;
    }

    #[actix_web::test]
    async fn sequences_that_are_behind_are_advanced_at_start() {
        let Some(db) = Db::postgres().await else {
            return;
        };
        let mut app = TestApp::start(db.clone()).await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        for _ in 0..3 {
            app.logs_in(&ada.email, PASSWORD)
                .await
                .logs_out()
                .await
                .expect(200);
        }
        // As after logical replication, which copies rows and no sequences.
        db.execute("select setval('changes_seq_seq', 1, false)")
            .await;
        app.restart().await;
        for _ in 0..3 {
            app.logs_in(&ada.email, PASSWORD)
                .await
                .logs_out()
                .await
                .expect(200);
        }
    }
}
