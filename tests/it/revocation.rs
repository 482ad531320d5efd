//! A revocation takes effect everywhere within a second and for good, with no database read per request.

use serde_json::json;

use crate::support::{Actor, Db, OTHER_PASSWORD, PASSWORD, TestApp, eventually, on_both_databases};

/// Every table except the one with the changes, which is polled all the time.
const TABLES: [&str; 5] = ["users", "organizations", "memberships", "sessions", "audit"];

on_both_databases! {
    async fn revocations_survive_a_restart(db: Db) {
        let mut app = TestApp::start(db).await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        let alive = ada.signs_in_again().await;
        ada.logs_out().await.expect(200);
        bob.post("/api/auth/logout-all").await.expect(200);

        app.restart().await;
        ada.me().await.refused(401, "Token revoked");
        bob.me().await.refused(401, "Token revoked");
        alive.me().await.expect(200);
    }

    async fn a_token_newer_than_the_database_is_revoked(app: TestApp) {
        let mut app = app;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        ada.post("/api/auth/logout-all").await.expect(200);
        let later = ada.signs_in_again().await;
        later.me().await.expect(200);
        // As in a backup from before: the next revocation gives the same number out again.
        app.db.execute("update users set ver = ver - 1; delete from changes").await;
        app.restart().await;
        later.me().await.refused(401, "Token revoked");
        later.patch("/api/auth/me").json(&json!({"name": "Ada"})).await.refused(401, "Token revoked");
        app.logs_in(&ada.email, PASSWORD).await.me().await.expect(200);
    }

    async fn me_needs_no_query_once_the_person_is_cached(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        ada.me().await.expect(200);

        for table in TABLES {
            app.db.execute(&format!("alter table {table} rename to {table}_away")).await;
        }
        for _ in 0..100 {
            assert_eq!(ada.me().await.expect(200), ada.user);
        }
        // A request that does read the database finds that its tables are gone.
        let login = app.tries_to_log_in(&ada.email, PASSWORD).await;
        assert!(login.status.is_server_error(), "{}", login.text());
        for table in TABLES {
            app.db.execute(&format!("alter table {table}_away rename to {table}")).await;
        }
        app.tries_to_log_in(&ada.email, PASSWORD).await.expect(200);
    }
}

/// Prints how long another instance accepts a session after its end here.
#[actix_web::test]
async fn another_instance_learns_of_every_revocation() {
    let Some(db) = Db::postgres().await else {
        return;
    };
    let here = TestApp::start(db).await;
    let there = here.second_instance().await;
    let ada = here.signs_up("Acme", "ada@acme.example").await;

    let session = ada.signs_in_again().await;
    known(&session, &there).await;
    session.logs_out().await.expect(200);
    ends("logout", &session, &there).await;

    let session = ada.signs_in_again().await;
    known(&session, &there).await;
    let path = format!(
        "/api/auth/sessions/{}",
        crate::support::jwt::claims(&session.token)["sid"]
            .as_str()
            .unwrap()
    );
    ada.delete(&path).await.expect(200);
    ends("an ended session", &session, &there).await;

    let session = ada.signs_in_again().await;
    known(&session, &there).await;
    ada.changes_password(PASSWORD, OTHER_PASSWORD)
        .await
        .expect(200);
    ends("a new password", &session, &there).await;
    ada.at(&there).me().await.expect(200);

    known(&ada, &there).await;
    ada.post("/api/auth/logout-all").await.expect(200);
    ends("logout everywhere", &ada, &there).await;

    let bob = here.joins(ada.organization_id(), "bob@acme.example").await;
    known(&bob, &there).await;
    here.disables(&bob.email).await;
    ends("a disabled account", &bob, &there).await;
    ends("a disabled account", &bob, &here).await;
}

#[actix_web::test]
async fn another_instance_learns_of_a_new_name() {
    let Some(db) = Db::postgres().await else {
        return;
    };
    let here = TestApp::start(db).await;
    let there = here.second_instance().await;
    let ada = here.signs_up("Acme", "ada@acme.example").await;
    known(&ada, &there).await;
    let renamed = ada
        .patch("/api/auth/me")
        .json(&json!({"name": "Ada Lovelace"}))
        .await
        .expect(200);
    let took = eventually("the other instance knows the name", async || {
        ada.at(&there).me().await.expect(200) == renamed
    })
    .await;
    eprintln!(
        "a new name is known elsewhere after {} ms",
        took.as_millis()
    );
}

/// The session works there, from memory from now on.
async fn known(session: &Actor, there: &TestApp) {
    for _ in 0..3 {
        session.at(there).me().await.expect(200);
    }
}

async fn ends(how: &str, session: &Actor, there: &TestApp) {
    let session = session.at(there);
    let took = eventually(how, async || session.me().await.status == 401).await;
    eprintln!("{how} takes effect elsewhere after {} ms", took.as_millis());
    session.me().await.refused(401, "Token revoked");
}
