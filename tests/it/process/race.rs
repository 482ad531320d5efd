//! Several processes with one database.

use futures_util::future::join_all;
use serde_json::json;

use crate::process::{Server, hallpass_on, stderr};
use crate::support::actors::organization_body;
use crate::support::{Db, PASSWORD};

async fn five_processes_start_on_an_empty_database(db: Db) {
    let mut servers: Vec<Server> = (0..5)
        .map(|_| Server::launch(hallpass_on(&db, &["serve"])))
        .collect();
    join_all(servers.iter_mut().map(Server::is_ready)).await;
    let applied = "from __diesel_schema_migrations";
    let rows = db.count(&format!("select count(*) {applied}")).await;
    let distinct = db
        .count(&format!("select count(distinct version) {applied}"))
        .await;
    assert!(rows > 0);
    assert_eq!(rows, distinct);
    let body = organization_body("Acme", "ada@acme.example");
    let first = &servers[0].client;
    first
        .post("/api/auth/register")
        .json(&body)
        .await
        .expect(201);
    for server in &servers {
        let login = json!({"email": "ada@acme.example", "password": PASSWORD});
        server
            .client
            .post("/api/auth/login")
            .json(&login)
            .await
            .expect(200);
    }

    drop(servers);
    db.execute(
        "insert into __diesel_schema_migrations (version, run_on)
         values ('29990101000000', current_timestamp)",
    )
    .await;
    let refused = hallpass_on(&db, &["serve"])
        .env("PORT", "0")
        .output()
        .unwrap();
    assert!(!refused.status.success());
    assert!(
        stderr(&refused).contains("29990101000000"),
        "{}",
        stderr(&refused)
    );
}

mod sqlite {
    use super::*;

    #[actix_web::test]
    async fn five_processes_migrate_once_and_none_starts_on_a_newer_schema() {
        five_processes_start_on_an_empty_database(Db::sqlite()).await;
    }
}

mod postgres {
    use super::*;

    #[actix_web::test]
    async fn five_processes_migrate_once_and_none_starts_on_a_newer_schema() {
        if let Some(db) = Db::empty_postgres().await {
            five_processes_start_on_an_empty_database(db).await;
        }
    }
}
