//! Connections to PostgreSQL: what they send, which server they choose, and how many there are.

use hallpass::config::{Config, Database};
use tokio_postgres::NoTls;

use crate::support::cluster::free_port;
use crate::support::pg_proxy::PgProxy;
use crate::support::slack::SlackApp;
use crate::support::{Db, PASSWORD, TestApp, eventually, organization_body};

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

/// Checks that each of some requests, which `requests` sends, takes at most so many round trips on connections that
/// have prepared everything. The fewest of several rounds count, because a thread may take a connection that has not.
async fn take_at_most(
    proxy: &PgProxy,
    most: &[(&str, usize)],
    requests: impl AsyncFn(usize, &mut dyn FnMut()),
) {
    let mut fewest = vec![(usize::MAX, Vec::new()); most.len()];
    for round in 0..20 {
        let mut took = Vec::new();
        let mut last = proxy.flights();
        let mut count = || {
            let now = proxy.flights();
            took.push((now - std::mem::replace(&mut last, now), proxy.statements()));
        };
        requests(round, &mut count).await;
        assert_eq!(took.len(), most.len());
        for (fewest, took) in fewest.iter_mut().zip(took) {
            if took.0 < fewest.0 {
                *fewest = took;
            }
        }
    }
    for ((name, most), (took, statements)) in most.iter().zip(fewest) {
        assert!(took <= *most, "{name} takes {took}: {statements:#?}");
    }
}

#[actix_web::test]
async fn requests_wait_for_few_answers() {
    let Some(db) = Db::postgres().await else {
        return;
    };
    let proxy = PgProxy::start(&db).await;
    let with_limits = |config: &mut Config| config.server.rate_limits = true;
    let app = TestApp::configured(proxy.db(&db), with_limits).await;
    let ada = app.signs_up("Acme", "ada@acme.example").await;
    let most = [
        ("sign-in", 3),
        ("refresh", 1),
        ("logout", 2),
        ("wrong password", 3),
        ("sign-in after a wrong password", 3),
        ("an unknown person", 1),
        ("forgotten password", 3),
        ("registration", 5),
        ("registration in an organization", 5),
    ];
    take_at_most(&proxy, &most, async |round, count| {
        let session = app.logs_in(&ada.email, PASSWORD).await;
        count();
        session.refreshes().await.expect(200);
        count();
        session.logs_out().await.expect(200);
        count();
        let wrong = app.tries_to_log_in(&ada.email, "Not-The-Password-1").await;
        assert_eq!(wrong.status, 401);
        count();
        let session = app.logs_in(&ada.email, PASSWORD).await;
        count();
        // The logout made the instance forget who they are.
        session.me().await.expect(200);
        count();
        app.forgets_password(&ada.email).await.expect(200);
        count();
        let body = organization_body(&format!("Org {round}"), &format!("bob{round}@acme.example"));
        app.post("/api/auth/register").json(&body).await.expect(201);
        count();
        let email = format!("cy{round}@acme.example");
        app.joins(ada.organization_id(), &email).await;
        count();
    })
    .await;
}

#[actix_web::test]
async fn sessions_are_read_while_every_connection_for_requests_waits() {
    let Some(db) = Db::postgres().await else {
        return;
    };
    let app = TestApp::configured(db.clone(), |config| {
        if let Database::Postgres(urls) = &mut config.database {
            urls.pool_size = 2;
        }
    });
    let app = app.await;
    let [ada, bob, cy] = ["ada", "bob", "cy"]
        .map(async |name| app.signs_up(name, &format!("{name}@acme.example")).await);
    let (ada, bob, cy) = (ada.await, bob.await, cy.await);
    cy.refreshes().await.expect(200);
    let (lock, connection) = tokio_postgres::connect(&db.url(), NoTls).await.unwrap();
    actix_web::rt::spawn(connection);
    lock.batch_execute("begin; select 1 from users where email not like 'cy%' for update")
        .await
        .unwrap();
    let writes =
        [ada, bob].map(|actor| actix_web::rt::spawn(async move { actor.logs_out().await }));
    let waiting = "select count(*) from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'";
    eventually("both wait", async || db.count(waiting).await == 2).await;
    for _ in 0..20 {
        cy.refreshes().await.expect(200);
    }
    drop(lock);
    for write in writes {
        write.await.unwrap().expect(200);
    }
}

#[actix_web::test]
async fn reads_by_key_survive_the_end_of_their_connection() {
    let Some(db) = Db::postgres().await else {
        return;
    };
    let app = TestApp::start(db.clone()).await;
    let ada = app.signs_up("Acme", "ada@acme.example").await;
    for _ in 0..3 {
        for _ in 0..8 {
            ada.refreshes().await.expect(200);
        }
        db.execute(
            // With a limit in milliseconds it waits until they have ended: what is on its way then is 503.
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid()",
        )
        .await;
    }
    ada.refreshes().await.expect(200);
}

#[actix_web::test]
async fn a_sign_in_with_slack_waits_for_few_answers() {
    let Some(db) = Db::postgres().await else {
        return;
    };
    let proxy = PgProxy::start(&db).await;
    let app = SlackApp::start(proxy.db(&db)).await;
    app.signs_in("owner").await;
    let most = [("consent", 0), ("callback", 6)];
    take_at_most(&proxy, &most, async |_, count| {
        let callback = app.callback_of("owner").await;
        count();
        app.follows(&callback).await.token();
        count();
    })
    .await;
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
