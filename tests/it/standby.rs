//! Lists that are read at a standby: they are as new as at the primary, and nobody's rights are read there.

use hallpass::config::{Config, Database, PostgresUrls};
use hallpass::domain::PostgresUrl;
use serde_json::json;

use crate::process::{Server, hallpass_on};
use crate::support::cluster::Cluster;
use crate::support::pg_proxy::PgProxy;
use crate::support::test_app::migrate;
use crate::support::{Actor, Db, PASSWORD, TestApp, eventually};

const AT_THE_STANDBY: &str = "Lists are read at the standby.";

/// A primary and a standby, with a proxy in front of the standby that sees what is asked there.
struct Pair {
    db: Db,
    copy: Db,
    standby: Cluster,
    proxy: PgProxy,
    // Stopped last.
    _primary: Cluster,
}

impl Pair {
    async fn start() -> Option<Self> {
        let primary = Cluster::start()?;
        let db = Db::create_on(&primary, "").await?;
        migrate(&db).await;
        let standby = primary.standby();
        let (of_primary, of_standby) =
            (format!(":{}/", primary.port), format!(":{}/", standby.port));
        let copy = Db::Postgres {
            url: db.url().replace(&of_primary, &of_standby),
        };
        eventually("the standby follows", async || {
            let receivers = "select count(*) from pg_stat_wal_receiver where status = 'streaming'";
            copy.count(receivers).await == 1
        })
        .await;
        Some(Self {
            proxy: PgProxy::start(&copy).await,
            db,
            copy,
            standby,
            _primary: primary,
        })
    }

    /// An instance that reads lists at the standby.
    async fn app(&self) -> TestApp {
        reading_at(&self.db, &self.proxy.db(&self.copy)).await
    }

    /// Whether a statement with this text was asked at the standby.
    fn was_asked(&self, text: &str) -> bool {
        let mut traffic = self.proxy.traffic().into_iter();
        traffic.any(|one| one.prepared.iter().any(|sql| sql.contains(text)))
    }
}

async fn reading_at(db: &Db, standby: &Db) -> TestApp {
    let url = |db: &Db| PostgresUrl::parse(&db.url()).unwrap();
    let urls = PostgresUrls {
        requests: url(db),
        direct: None,
        standby: Some(url(standby)),
        pool_size: 8,
    };
    let change = |config: &mut Config| config.database = Database::Postgres(urls);
    TestApp::configured(db.clone(), change).await
}

async fn reports(app: &TestApp, detail: &str) {
    eventually(detail, async || {
        let text = app.readiness("standby").await["detail"].clone();
        text.as_str().unwrap().contains(detail)
    })
    .await;
}

/// The caller renames themselves, and finds the new name in the next list.
async fn sees_the_new_name(ada: &Actor, name: &str) {
    let body = json!({"name": name});
    ada.patch("/api/auth/me").json(&body).await.expect(200);
    let list = ada.get("/api/users").await.expect(200);
    let users = list["users"].as_array().unwrap();
    let themselves = users.iter().find(|user| user["email"] == ada.email);
    assert_eq!(themselves.unwrap()["name"], name);
}

#[actix_web::test]
async fn lists_are_read_at_the_standby_and_show_what_was_just_written() {
    let Some(pair) = Pair::start().await else {
        return;
    };
    let app = pair.app().await;
    let ada = app.signs_up("Acme", "ada@acme.example").await;
    reports(&app, AT_THE_STANDBY).await;
    for n in 0..30 {
        sees_the_new_name(&ada, &format!("Ada {n}")).await;
        let audit = ada.get("/api/audit?limit=100").await.expect(200);
        let entries = audit["entries"].as_array().unwrap().iter();
        let renamed = entries.filter(|entry| entry["action"] == "user.profile_updated");
        assert_eq!(renamed.count(), n + 1);
    }
    eventually(
        "people, the audit log and an export are read there",
        async || {
            ada.sees().await;
            ada.get("/api/audit").await.expect(200);
            ada.get("/api/auth/account/export").await.expect(200);
            let tables = ["\"memberships\"", "\"audit\"", "\"known_devices\""];
            tables.iter().all(|table| pair.was_asked(table))
        },
    )
    .await;
}

#[actix_web::test]
async fn a_standby_that_is_behind_is_not_read_and_decides_nobodys_rights() {
    let Some(pair) = Pair::start().await else {
        return;
    };
    let app = pair.app().await;
    let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
    let bob = app.joins_invited(&ada, "bob@acme.example", "admin").await;
    let login = json!({"name": bob.email, "password": PASSWORD, "returnToken": true});
    let session = app.post("/api/v1/login").json(&login).await.expect(200);
    let token = session["token"].as_str().unwrap();
    let search = || {
        let found = app.post("/api/v1/search").bearer(token);
        found.json(&json!({"from": 0, "size": 10}))
    };
    eventually("a search is read at the standby", async || {
        search().await.expect(200);
        pair.was_asked("\"memberships\"")
    })
    .await;
    bob.get("/api/audit").await.expect(200);

    pair.copy.execute("select pg_wal_replay_pause()").await;
    eventually("it has paused", async || {
        let paused = "select count(*) where pg_get_wal_replay_pause_state() = 'paused'";
        pair.copy.count(paused).await == 1
    })
    .await;
    ada.changes(&bob, json!({"role": "employee"}))
        .await
        .expect(200);
    bob.get("/api/audit").await.refused(403, "Forbidden");
    let found = search().await.expect(200);
    assert_eq!(found["total"], 1, "an employee sees themselves: {found}");
    sees_the_new_name(&ada, "Ada King").await;
    reports(&app, "bytes of the log behind").await;
    ada.logs_out().await.expect(200);
    ada.get("/api/users").await.refused(401, "Token revoked");

    pair.copy.execute("select pg_wal_replay_resume()").await;
    reports(&app, AT_THE_STANDBY).await;
    for table in [
        "\"sessions\"",
        "\"session_tokens\"",
        "\"api_tokens\"",
        "\"changes\"",
    ] {
        assert!(!pair.was_asked(table), "{table} decides rights");
    }
}

#[actix_web::test]
async fn a_standby_that_ends_is_replaced_by_the_primary_and_logged_once() {
    let Some(pair) = Pair::start().await else {
        return;
    };
    let mut command = hallpass_on(&pair.db, &["serve"]);
    command.env("DATABASE_READ_URL", pair.proxy.db(&pair.copy).url());
    let server = Server::run(command).await;
    let token = &*server.signs_up("acme").await;
    let lists = async || {
        let list = server
            .client
            .get("/api/users")
            .bearer(token)
            .await
            .expect(200);
        assert_eq!(list["users"].as_array().unwrap().len(), 1);
    };
    let state = async || {
        let ready = server.client.get("/readyz?verbose").await.expect(200);
        let mut checks = ready["checks"].as_array().unwrap().clone().into_iter();
        checks.find(|check| check["name"] == "standby").unwrap()
    };
    eventually("a list is read at the standby", async || {
        lists().await;
        pair.was_asked("\"memberships\"")
    })
    .await;

    pair.standby.quit();
    for _ in 0..5 {
        lists().await;
    }
    let away = "the server of DATABASE_READ_URL does not answer";
    eventually("the check says so", async || {
        let state = state().await;
        let detail = format!("Lists are read from the primary: {away}.");
        state["detail"] == detail && state["ok"] == false
    })
    .await;
    pair.standby.resume();
    eventually("it is read again", async || {
        lists().await;
        state().await["detail"] == AT_THE_STANDBY
    })
    .await;
    let log = server.output();
    let (_, after) = log.split_once(away).unwrap();
    assert!(!after.contains(away), "{log}");
    assert!(
        after.contains("lists are read at the standby again"),
        "{log}"
    );
}

#[actix_web::test]
async fn a_server_that_follows_another_history_is_not_read() {
    let Some(pair) = Pair::start().await else {
        return;
    };
    let app = pair.app().await;
    let ada = app.signs_up("Acme", "ada@acme.example").await;
    reports(&app, AT_THE_STANDBY).await;
    // Promoted by mistake: from now on it has a history of its own.
    pair.copy.execute("select pg_promote()").await;
    pair.copy.execute("update users set name = 'Mallory'").await;
    for n in 0..10 {
        sees_the_new_name(&ada, &format!("Ada {n}")).await;
    }
    reports(&app, "is not a standby").await;

    // A standby of another system.
    let name = pair.db.url().rsplit('/').next().unwrap().to_owned();
    let other = Cluster::start().unwrap();
    let admin = Db::Postgres {
        url: other.url("postgres"),
    };
    admin.execute(&format!("create database {name}")).await;
    migrate(&Db::Postgres {
        url: other.url(&name),
    })
    .await;
    let follower = other.standby();
    let elsewhere = reading_at(
        &pair.db,
        &Db::Postgres {
            url: follower.url(&name),
        },
    )
    .await;
    assert_eq!(ada.at(&elsewhere).sees().await.len(), 1);
    reports(&elsewhere, "follows another primary").await;
}
