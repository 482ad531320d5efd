//! A whole database in another one, of the same kind and of the other.

use std::process::Output;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::process::{hallpass, stderr};
use crate::support::mfa::Authenticator;
use crate::support::{Actor, Db, PASSWORD, TestApp, eventually, on_both_databases, scratch};

fn copies(from: &Db, to: &Db) -> Output {
    hallpass(&["copy", &from.url(), &to.url(), "--json"])
        .output()
        .unwrap()
}

/// Copies, and returns the tables as they were compared.
fn copied(from: &Db, to: &Db) -> Value {
    let output = copies(from, to);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    report["tables"].clone()
}

fn refused(output: &Output, code: i32, words: &[&str]) {
    let why = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{why}");
    for word in words {
        assert!(why.contains(word), "no {word:?} in {why}");
    }
}

fn rows_of(tables: &Value, name: &str) -> u64 {
    let mut tables = tables.as_array().unwrap().iter();
    let table = tables.find(|table| table["name"] == name).unwrap();
    table["rows"].as_u64().unwrap()
}

/// What must work wherever the people are.
struct People {
    ada: Actor,
    mia: Actor,
    bob: Actor,
    /// Ended before the copy.
    gone: Actor,
    authenticator: Authenticator,
    /// By how much the clock has advanced.
    waited: TimeDelta,
}

impl People {
    /// People of two organizations, with a bit of everything.
    async fn of(app: &TestApp) -> Self {
        let ada = app
            .signs_up_verified("Äcme & Söhne \"Œ\"", "ada@acme.example")
            .await;
        let mia = app.joins_invited(&ada, "mia@acme.example", "manager").await;
        let bob = app
            .joins_invited(&ada, "bob@acme.example", "employee")
            .await;
        for (person, manager) in [(&bob, &mia), (&mia, &ada)] {
            let place = json!({"managerId": manager.id()});
            ada.patch(&format!("/api/users/{}", person.id()))
                .json(&place)
                .await
                .expect(200);
        }
        app.signs_up("Beta", "eve@beta.example").await;
        ada.invites("new@acme.example", "employee")
            .await
            .expect(201);
        ada.post("/api/tokens")
            .json(&json!({"name": "Export"}))
            .await
            .expect(201);
        let hook = json!({"url": "https://example.com/hook"});
        ada.post("/api/webhooks").json(&hook).await.expect(201);
        let gone = bob.signs_in_again().await;
        gone.post("/api/auth/logout").await.expect(200);
        app.tries_to_log_in("bob@acme.example", "wrong")
            .await
            .refused(401, "Invalid credentials");
        let authenticator = mia.enrols(app).await;
        // What neither database has written by itself.
        app.db
            .execute(
                "update users set name = 'Bob \u{1F680} \\ '' \" / é' where email = 'bob@acme.example';
                 update organizations set token_lifetime = 3600, require_mfa = false where slug = 'beta'",
            )
            .await;
        Self {
            ada,
            mia,
            bob,
            gone,
            authenticator,
            waited: TimeDelta::seconds(30),
        }
    }

    /// They sign in, use old tokens and their authenticator, and are found.
    async fn use_it(&mut self, db: &Db) {
        let app = TestApp::start(db.clone()).await;
        self.waited += TimeDelta::seconds(60);
        app.advance(self.waited);
        app.logs_in("ada@acme.example", PASSWORD).await;
        let bob = self.bob.at(&app);
        let refreshed = bob.post("/api/auth/refresh").await.expect(200);
        assert!(refreshed["accessToken"].is_string(), "{refreshed}");
        self.gone
            .at(&app)
            .get("/api/auth/me")
            .await
            .refused(401, "Token revoked");
        let token = app.takes_first_step(&self.mia.email).await;
        app.shows_code(&token, &self.authenticator.code(&app))
            .await
            .expect(200);
        let ada = self.ada.at(&app);
        let found = ada.get("/api/users?q=bob").await.expect(200);
        assert_eq!(found["users"][0]["managerId"], self.mia.id(), "{found}");
        let below = self.mia.at(&app).get("/api/users").await.expect(200);
        assert_eq!(below["users"].as_array().unwrap().len(), 2, "{below}");
        // The triggers work again: whoever moves takes everybody below along.
        let place = json!({"managerId": null});
        let path = format!("/api/users/{}", self.bob.id());
        ada.patch(&path).json(&place).await.expect(200);
        let below = self.mia.at(&app).get("/api/users").await.expect(200);
        assert_eq!(below["users"].as_array().unwrap().len(), 1, "{below}");
        let back = json!({"managerId": self.mia.id(), "name": "Bob Baker"});
        ada.patch(&path).json(&back).await.expect(200);
        let found = ada.get("/api/users?q=baker").await.expect(200);
        assert_eq!(found["users"].as_array().unwrap().len(), 1, "{found}");
    }
}

/// The same text on both databases.
async fn listing(db: &Db) -> Vec<Option<String>> {
    let mut all = Vec::new();
    for query in [
        "select email || name || ver as v from users order by email",
        "select slug || name || join_policy as v from organizations order by slug",
        "select action || outcome || request_id as v from audit order by request_id, action",
        "select count(*) as v from reporting_lines",
        "select count(*) as v from searchable_people",
        "select kind || seq as v from changes order by seq",
        "select hash as v from recovery_codes order by hash",
    ] {
        all.extend(db.values(query).await);
    }
    all
}

/// A new database of each kind.
async fn one_of_each() -> Option<(Db, Db)> {
    Some((Db::empty_postgres().await?, Db::sqlite()))
}

#[actix_web::test]
async fn everything_works_at_postgresql_and_back_at_sqlite() {
    let Some((postgres, sqlite)) = one_of_each().await else {
        return;
    };
    let mut app = TestApp::start(Db::sqlite()).await;
    let mut people = People::of(&app).await;
    // While a server runs.
    let tables = copied(&app.db, &postgres);
    app.stop().await;
    for (name, rows) in [
        ("users", 4),
        ("organizations", 2),
        ("memberships", 4),
        ("reporting_lines", 7),
        ("webhooks", 1),
    ] {
        assert_eq!(rows_of(&tables, name), rows, "{name}");
    }
    assert_eq!(listing(&app.db).await, listing(&postgres).await);
    people.use_it(&postgres).await;
    let used = copied(&postgres, &sqlite);
    assert!(rows_of(&used, "audit") > rows_of(&tables, "audit"));
    assert_eq!(listing(&postgres).await, listing(&sqlite).await);
    people.use_it(&sqlite).await;
}

on_both_databases! {
    async fn a_copy_of_a_copy_is_the_same_and_numbers_go_on(app: TestApp) {
        let people = People::of(&app).await;
        let (first, second) = (app.db.fresh().await, app.db.fresh().await);
        let tables = copied(&app.db, &first);
        assert_eq!(copied(&first, &second), tables);
        let newest = "select max(seq) from changes";
        let before = second.count(newest).await;
        let copy = TestApp::start(second.clone()).await;
        people.bob.at(&copy).post("/api/auth/logout").await.expect(200);
        assert!(second.count(newest).await > before);
    }

    async fn a_server_of_the_target_hears_of_what_was_copied(app: TestApp) {
        let people = People::of(&app).await;
        // It has read the feed of the empty database.
        let target = TestApp::start(app.db.fresh().await).await;
        copied(&app.db, &target.db);
        people.ada.at(&target).get("/api/auth/me").await.expect(200);
        let gone = people.gone.at(&target);
        eventually("the server has heard of it", async || {
            gone.get("/api/auth/me").await.status == 401
        })
        .await;
    }

    async fn what_cannot_be_copied_is_said_and_nothing_is_written(app: TestApp) {
        let (from, to) = (app.db.clone(), app.db.fresh().await);
        app.signs_up("Acme", "ada@acme.example").await;
        refused(&copies(&from, &from), 1, &["not empty", "users"]);
        let none = Db::Sqlite { path: scratch::fresh_path("none.db") };
        refused(&copies(&none, &to), 1, &["source is no database of Hallpass"]);
        let unknown = "insert into __diesel_schema_migrations (version) values ('29990101000000')";
        from.execute(unknown).await;
        refused(&copies(&from, &to), 1, &["29990101000000", "does not know"]);
        from.execute("delete from __diesel_schema_migrations where version in ('29990101000000', '20261201000400')").await;
        refused(&copies(&from, &to), 1, &["2026-12-01-000400_signing_keys", "hallpass migrate"]);
    }
}

/// A database without people.
async fn none_migrated() -> Db {
    let db = Db::sqlite();
    let migrated = crate::process::hallpass_on(&db, &["migrate"])
        .output()
        .unwrap();
    assert!(migrated.status.success(), "{}", stderr(&migrated));
    db
}

#[actix_web::test]
async fn an_address_can_be_named_by_a_variable_and_no_password_is_shown() {
    let db = none_migrated().await;
    let to = Db::sqlite();
    let mut command = hallpass(&["copy", "DATABASE_URL", "NEW_URL"]);
    command
        .env("DATABASE_URL", db.url())
        .env("NEW_URL", to.url());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    refused(
        &hallpass(&["copy", "DATABASE_URL", "NEW_URL"])
            .output()
            .unwrap(),
        65,
        &["FROM", "DATABASE_URL is not set"],
    );
    let secret = "postgres://hallpass:open-sesame@127.0.0.1:1/x";
    let output = hallpass(&["copy", secret, &to.url()]).output().unwrap();
    assert_ne!(output.status.code(), Some(0));
    assert!(
        !stderr(&output).contains("open-sesame"),
        "{}",
        stderr(&output)
    );
    let mistyped = hallpass(&["copy", "mysql://root:open-sesame@x/y", &to.url()])
        .output()
        .unwrap();
    refused(
        &mistyped,
        65,
        &["FROM", "neither a SQLite nor a PostgreSQL URL"],
    );
    assert!(!stderr(&mistyped).contains("open-sesame"));
}
