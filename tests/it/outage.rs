//! A database that does not answer must not look like a wrong password.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;
use tokio_postgres::NoTls;

use crate::support::cluster::Cluster;
use crate::support::{Actor, Db, PASSWORD, TestApp, eventually};

/// Far above every promised time, so that a busy machine fails no test; a hang would still fail it.
const DEADLINE: Duration = Duration::from_secs(40);

#[actix_web::test]
async fn without_postgres_answers_are_503_never_401_and_recover() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let (app, ada) = signed_in(&cluster).await;
    for (end, how) in [
        (Cluster::stop as fn(&Cluster), "stopped"),
        (Cluster::quit, "stopped at once"),
        (Cluster::crash, "killed"),
    ] {
        app.get("/readyz").await.expect(200);
        end(&cluster);
        for _ in 0..3 {
            needs_the_database(&app, &ada).await;
        }
        news_grow_old(&ada).await;
        assert_eq!(app.get("/readyz").await.status, 503);
        assert_eq!(app.get("/readyz?verbose").await.status, 503);
        app.get("/livez").await.expect(200);

        cluster.resume();
        recovers(&app, &ada, how).await;
    }
}

#[actix_web::test]
async fn a_postgres_that_hangs_delays_requests_only_briefly() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let (app, ada) = signed_in(&cluster).await;
    cluster.freeze();
    // More than there are connections, so that some are in progress and some wait.
    let answered = timeout(DEADLINE, async {
        join_all((0..40).map(|_| needs_the_database(&app, &ada))).await;
        // By now every connection has been abandoned, and the new ones are just as silent.
        join_all((0..40).map(|_| needs_the_database(&app, &ada))).await;
        news_grow_old(&ada).await;
        assert_eq!(app.get("/readyz").await.status, 503);
    });
    assert!(answered.await.is_ok(), "a request is not answered");
    app.get("/livez").await.expect(200);

    cluster.thaw();
    recovers(&app, &ada, "thawed").await;
}

#[actix_web::test]
async fn a_read_only_postgres_still_serves_reads() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let (app, ada) = signed_in(&cluster).await;
    let admin = Db::Postgres {
        url: cluster.url("postgres"),
    };
    let sessions = app.db.count("select count(*) from sessions").await;
    admin
        .execute("alter system set default_transaction_read_only = on")
        .await;
    admin.execute("select pg_reload_conf()").await;
    eventually("sign-ins fail", async || {
        app.tries_to_log_in(&ada.email, PASSWORD).await.status == 503
    })
    .await;
    let login = app.tries_to_log_in(&ada.email, PASSWORD).await;
    login.refused(503, "Service unavailable");
    ada.me().await.expect(200);
    ada.refreshes().await.expect(200);
    ada.get("/api/auth/sessions").await.expect(200);
    ada.logs_out().await.refused(503, "Service unavailable");
    ada.me().await.expect(200);
    // No instance could do better, so none is taken out of service.
    app.get("/readyz").await.expect(200);
    eventually("readiness reports it", async || !takes_writes(&app).await).await;

    admin
        .execute("alter system reset default_transaction_read_only")
        .await;
    admin.execute("select pg_reload_conf()").await;
    recovers(&app, &ada, "writable again").await;
    eventually("readiness reports it", async || takes_writes(&app).await).await;
    assert!(app.db.count("select count(*) from sessions").await > sessions);
}

#[actix_web::test]
async fn a_postgres_without_free_connections_is_503_until_one_is_free() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let (app, ada) = signed_in(&cluster).await;
    let admin = Db::Postgres {
        url: cluster.url("postgres"),
    };
    admin.execute("alter system set max_connections = 12").await;
    cluster.stop();
    cluster.resume();
    let mut taken = Vec::new();
    eventually("every connection is taken", async || {
        match tokio_postgres::connect(&cluster.url("postgres"), NoTls).await {
            Ok((client, connection)) => {
                actix_web::rt::spawn(connection);
                taken.push(client);
            }
            // One connection is left when a client was disconnected to make room: take it before that client is back.
            Err(_) => {
                let sent_away = "select pg_terminate_backend(pid) from pg_stat_activity
                     where application_name = 'hallpass'";
                if let Some(client) = taken.last() {
                    let _ = client.batch_execute(sent_away).await;
                }
            }
        }
        taken.len() == 12
    })
    .await;
    needs_the_database(&app, &ada).await;
    assert_eq!(app.get("/readyz").await.status, 503);

    drop(taken);
    recovers(&app, &ada, "free again").await;
}

#[actix_web::test]
async fn postgres_errors_are_told_apart_by_code_in_any_language() {
    let Some(db) = Db::postgres().await else {
        return;
    };
    let app = TestApp::start(db).await;
    let ada = app.signs_up("Acme", "ada@acme.example").await;
    for (code, message, status) in [
        ("40001", "konnte Zugriff nicht serialisieren", 503),
        ("40P01", "Verklemmung entdeckt", 503),
        ("53100", "kein Speicherplatz mehr auf dem Gerät", 503),
        ("57014", "Anfrage wird storniert", 503),
        ("22012", "Division durch null", 500),
        ("P0001", "deadlock detected", 500),
    ] {
        app.db
            .execute(&format!(
                "create or replace function refuse() returns trigger language plpgsql as $$ begin
                     raise exception using errcode = '{code}', message = '{message}';
                 end $$;
                 create or replace trigger refuse before insert on sessions
                     for each row execute function refuse();"
            ))
            .await;
        let refused = app.tries_to_log_in(&ada.email, PASSWORD).await;
        assert_eq!(refused.status, status, "{code}: {}", refused.text());
        let asked_again = refused.header("retry-after").is_some();
        assert_eq!(asked_again, status == 503, "{code}");
    }
    app.db.execute("drop trigger refuse on sessions").await;
    app.logs_in(&ada.email, PASSWORD).await;
}

async fn takes_writes(app: &TestApp) -> bool {
    app.readiness("writes").await["ok"].as_bool().unwrap()
}

async fn signed_in(cluster: &Cluster) -> (TestApp, Actor) {
    let db = Db::create_on(cluster, "").await.unwrap();
    let app = TestApp::start(db).await;
    let ada = app.signs_up("Acme", "ada@acme.example").await;
    ada.me().await.expect(200);
    (app, ada)
}

/// Requests that cannot be answered from memory are refused, to be retried later.
async fn needs_the_database(app: &TestApp, ada: &Actor) {
    let login = app.tries_to_log_in(&ada.email, PASSWORD).await;
    let wrong = app.tries_to_log_in(&ada.email, "Not-The-Password-1").await;
    for refused in [login, wrong, ada.refreshes().await] {
        assert_eq!(refused.status, 503, "{}", refused.text());
    }
}

/// A token is accepted until the known revocations are too old.
async fn news_grow_old(ada: &Actor) {
    eventually("tokens cannot be verified", async || {
        let answer = ada.me().await;
        assert!(
            matches!(answer.status.as_u16(), 200 | 503),
            "{}",
            answer.text()
        );
        answer.status == 503
    })
    .await;
}

async fn recovers(app: &TestApp, ada: &Actor, how: &str) {
    let took = eventually("the instance has recovered", async || {
        app.get("/readyz").await.status == 200
            && app.tries_to_log_in(&ada.email, PASSWORD).await.status == 200
    })
    .await;
    eprintln!("ready {} ms after PostgreSQL was {how}", took.as_millis());
    ada.me().await.expect(200);
}
