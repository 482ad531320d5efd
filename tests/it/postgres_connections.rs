//! Connections to PostgreSQL: what they send, which server they choose, and how many there are.

use crate::support::cluster::free_port;
use crate::support::pg_proxy::PgProxy;
use crate::support::{Db, PASSWORD, TestApp, organization_body};

#[actix_web::test]
async fn each_connection_prepares_each_statement_once() {
    let Some(db) = Db::postgres().await else {
        return;
    };
    let proxy = PgProxy::start(&db).await;
    let app = TestApp::start(proxy.db(&db)).await;
    let ada = app.signs_up("Acme", "ada@acme.example").await;
    for _ in 0..12 {
        let again = app.logs_in(&ada.email, PASSWORD).await;
        again.refreshes().await.expect(200);
        again.logs_out().await.expect(200);
        let wrong = app.tries_to_log_in(&ada.email, "Not-The-Password-1").await;
        assert_eq!(wrong.status, 401);
        app.logs_in(&ada.email, PASSWORD).await;
    }
    let mut updates = 0;
    for traffic in proxy.traffic() {
        updates += usize::from(traffic.prepared.iter().any(|sql| sql.starts_with("UPDATE")));
        let mut prepared = traffic.prepared;
        let all = prepared.len();
        prepared.sort_unstable();
        prepared.dedup();
        assert_eq!(all, prepared.len(), "of {prepared:#?}");
        assert_eq!(traffic.messages.get(&'C'), None, "no statement is closed");
    }
    assert!(updates > 0, "nothing was updated through the proxy");
}

#[actix_web::test]
async fn the_proxy_counts_the_round_trips_of_a_request() {
    let Some(db) = Db::postgres().await else {
        return;
    };
    let proxy = PgProxy::start(&db).await;
    let app = TestApp::start(proxy.db(&db)).await;
    let ada = app.signs_up("Acme", "ada@acme.example").await;
    for _ in 0..20 {
        ada.refreshes().await.expect(200);
    }
    let before = proxy.flights();
    ada.me().await.expect(200);
    assert_eq!(proxy.flights(), before, "a known person takes no query");
    ada.refreshes().await.expect(200);
    assert!(proxy.flights() > before, "a refresh reads the session");
}

#[actix_web::test]
async fn a_connection_uses_utc_whatever_the_database_and_the_url_say() {
    let Some(db) = Db::postgres().await else {
        return;
    };
    let name = db.url().rsplit('/').next().unwrap().to_owned();
    db.execute(&format!(
        "alter database {name} set timezone = 'Asia/Tokyo'"
    ))
    .await;
    db.execute(
        "create function in_utc() returns trigger language plpgsql as $$ begin
             if current_setting('timezone') <> 'UTC' then raise exception 'not UTC'; end if;
             return new;
         end $$;
         create trigger in_utc before insert on users for each row execute function in_utc()",
    )
    .await;
    let url = format!("{}?options=-c%20timezone%3DAsia/Tokyo", db.url());
    let app = TestApp::start(Db::Postgres { url }).await;
    app.signs_up("Acme", "ada@acme.example").await;
}

/// Round trips on a connection that has prepared everything: what waits is sent with the next statement that is answered.
/// The fewest of several rounds, because a thread may take a connection that has not.
#[actix_web::test]
async fn requests_wait_for_few_answers() {
    let Some(db) = Db::postgres().await else {
        return;
    };
    let proxy = PgProxy::start(&db).await;
    let app = TestApp::start(proxy.db(&db)).await;
    let ada = app.signs_up("Acme", "ada@acme.example").await;
    let mut fewest = [usize::MAX; 4];
    for _ in 0..20 {
        let mut took = Vec::new();
        let mut last = proxy.flights();
        let mut count = || {
            let now = proxy.flights();
            took.push(now - std::mem::replace(&mut last, now));
        };
        let session = app.logs_in(&ada.email, PASSWORD).await;
        count();
        session.refreshes().await.expect(200);
        count();
        session.logs_out().await.expect(200);
        count();
        let wrong = app.tries_to_log_in(&ada.email, "Not-The-Password-1").await;
        assert_eq!(wrong.status, 401);
        count();
        app.logs_in(&ada.email, PASSWORD).await;
        for (fewest, took) in fewest.iter_mut().zip(took) {
            *fewest = took.min(*fewest);
        }
    }
    eprintln!("round trips of a sign-in, a refresh, a logout and a wrong password: {fewest:?}");
    let most = [17, 9, 7, 4];
    assert!(
        fewest.iter().zip(most).all(|(took, most)| *took <= most),
        "{fewest:?}"
    );
}

#[actix_web::test]
async fn the_server_is_found_among_dead_ones_by_any_of_libpqs_words() {
    let Some(db) = Db::postgres().await else {
        return;
    };
    let url = db.url();
    let server = url.split(['@', '/']).nth(3).unwrap();
    let name = url.rsplit('/').next().unwrap();
    let dead = format!("127.0.0.1:{}", free_port());
    for (n, word) in ["any", "read-write", "primary", "prefer-standby"]
        .into_iter()
        .enumerate()
    {
        let url = format!("postgres://postgres@{dead},{server}/{name}?target_session_attrs={word}");
        let app = TestApp::start(Db::Postgres { url }).await;
        app.signs_up("Acme", &format!("ada{n}@acme.example")).await;
    }
    for word in ["read-only", "standby"] {
        let url = format!("postgres://postgres@{dead},{server}/{name}?target_session_attrs={word}");
        let refused = TestApp::try_start(Db::Postgres { url }).await.err();
        let why = refused.expect("it is a primary").to_string();
        assert!(
            why.contains("not a standby") || why.contains("not read only"),
            "{why}"
        );
    }
}

#[actix_web::test]
async fn options_of_the_url_apply_next_to_the_limits_of_statements() {
    let Some(db) = Db::postgres().await else {
        return;
    };
    db.execute(
        "create function limits() returns trigger language plpgsql as $$ begin
             if current_setting('work_mem') <> '7MB' or current_setting('statement_timeout') <> '5s' then
                 raise exception 'not limited'; end if;
             return new;
         end $$;
         create trigger limits before insert on users for each row execute function limits()",
    )
    .await;
    for (email, options) in [
        ("ada@acme.example", "-c%20work_mem%3D7MB"),
        ("bob@acme.example", "-c+work_mem=7MB"),
    ] {
        let url = format!("{}?options={options}", db.url());
        let app = TestApp::start(Db::Postgres { url }).await;
        app.signs_up("Acme", email).await;
    }
    let app = TestApp::start(db).await;
    let body = organization_body("Acme", "cy@acme.example");
    let refused = app.post("/api/auth/register").json(&body).await;
    assert_eq!(
        refused.status, 500,
        "without the options the trigger refuses"
    );
}
