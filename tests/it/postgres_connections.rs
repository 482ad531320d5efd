//! Connections to PostgreSQL: what they send, which server they choose, and how many there are.

use crate::support::pg_proxy::PgProxy;
use crate::support::{Db, PASSWORD, TestApp};

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
