//! Migrations: each is applied once, and no program starts on a newer schema.

use futures_util::future::join_all;

use crate::support::{Db, TestApp};

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
        app.logs_in("ada@acme.example", crate::support::PASSWORD)
            .await;
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
}
