//! PgBouncer between an instance and PostgreSQL: it works, or the start says which setting to change.

use futures_util::future::join_all;
use hallpass::config::{Config, Database, PostgresUrls};
use hallpass::domain::PostgresUrl;

use crate::support::pgbouncer::PgBouncer;
use crate::support::{Actor, Db, PASSWORD, TestApp, eventually};

/// What an operator may have written in `pgbouncer.ini`.
const SESSION: &str = "pool_mode = session\ndefault_pool_size = 40";
const TRANSACTION: &str = "pool_mode = transaction\ndefault_pool_size = 3";

/// Settings of the role in a database, as the runbook has them.
const LIMITS: &str = "alter role postgres in database {} set statement_timeout = '5s';
     alter role postgres in database {} set idle_in_transaction_session_timeout = '15s'";

fn through(url: &str, direct: Option<&str>) -> impl FnOnce(&mut Config) {
    let urls = PostgresUrls {
        requests: PostgresUrl::parse(url).unwrap(),
        direct: direct.map(|url| PostgresUrl::parse(url).unwrap()),
        standby: None,
        pool_size: 8,
    };
    |config| config.database = Database::Postgres(urls)
}

/// Why an instance with these URLs does not start.
async fn refusal(db: &Db, url: &str, direct: Option<&str>) -> String {
    let started = TestApp::try_configured(db.clone(), through(url, direct)).await;
    started.err().expect("it must not start").to_string()
}

fn name_of(db: &Db) -> String {
    db.url().rsplit('/').next().unwrap().to_owned()
}

/// `pgbouncer.ini` in the runbook: the lines of its section `[pgbouncer]`.
fn documented() -> String {
    let runbook = include_str!("../../docs/RUNBOOK.md");
    let (_, rest) = runbook.split_once("[pgbouncer]\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

#[actix_web::test]
async fn without_a_direct_url_a_pooler_is_refused() {
    let Some(db) = Db::postgres().await else {
        return;
    };
    // Even where the role has the limits that an instance asks for.
    db.execute(&LIMITS.replace("{}", &name_of(&db))).await;
    let ignoring = "ignore_startup_parameters = options";
    for lines in [
        SESSION.to_owned(),
        TRANSACTION.to_owned(),
        format!("{SESSION}\n{ignoring}"),
        format!("{TRANSACTION}\n{ignoring}"),
    ] {
        let Some(pooler) = PgBouncer::start(&db, &lines).await else {
            return;
        };
        let pooled = pooler.url(&db);
        assert_eq!(
            refusal(&db, &pooled, None).await,
            "DATABASE_URL leads to a connection pooler, which does not pass startup options on: set \
             DATABASE_DIRECT_URL to the address of PostgreSQL itself"
        );
        assert_eq!(
            refusal(&db, &pooled, Some(&pooled)).await,
            "DATABASE_DIRECT_URL leads to a connection pooler, which does not pass startup options on: set it to \
             the address of PostgreSQL itself"
        );
    }
}

#[actix_web::test]
async fn the_options_of_a_url_are_refused_by_the_pooler_in_plain_words() {
    let Some(db) = Db::postgres().await else {
        return;
    };
    let Some(pooler) = PgBouncer::start(&db, TRANSACTION).await else {
        return;
    };
    let url = format!("{}?options=-c%20work_mem%3D7MB", pooler.url(&db));
    assert_eq!(
        refusal(&db, &url, Some(&db.url())).await,
        "the connection pooler of DATABASE_URL refuses a parameter of the URL: remove `options` from it, and set \
         them for the role with `alter role … set …`"
    );
}

#[actix_web::test]
async fn a_pooler_without_limits_is_refused_with_the_statements_that_set_them() {
    let Some(db) = Db::postgres().await else {
        return;
    };
    for lines in [SESSION, TRANSACTION] {
        let db = db.fresh().await;
        let Some(pooler) = PgBouncer::start(&db, lines).await else {
            return;
        };
        let (pooled, direct) = (pooler.url(&db), db.url());
        for too_long in ["0", "6s"] {
            let limits = LIMITS
                .replace("{}", &name_of(&db))
                .replace("'5s'", &format!("'{too_long}'"));
            db.execute(&limits).await;
            pooler.reconnect().await;
            let why = refusal(&db, &pooled, Some(&direct)).await;
            assert!(why.contains("set statement_timeout = '5s'"), "{why}");
            assert!(!why.contains("idle_in_transaction"), "{why}");
        }
        db.execute(&format!(
            "alter role postgres in database {} reset all",
            name_of(&db)
        ))
        .await;
        pooler.reconnect().await;
        let why = refusal(&db, &pooled, Some(&direct)).await;
        let statements = why.split('`').nth(1).unwrap();
        db.execute(statements).await;
        pooler.reconnect().await;
        let app = TestApp::configured(db, through(&pooled, Some(&direct))).await;
        app.signs_up("Acme", "ada@acme.example").await;
    }
}

#[actix_web::test]
async fn instances_work_through_session_pooling() {
    works_through(SESSION, 40).await;
}

#[actix_web::test]
async fn instances_work_through_transaction_pooling_as_the_runbook_sets_it_up() {
    works_through(&format!("{}default_pool_size = 3", documented()), 3).await;
}

/// Two instances share the pooler: both work, hear of each other's changes, and the server limits their statements.
async fn works_through(lines: &str, most: i64) {
    let Some(db) = Db::postgres().await else {
        return;
    };
    let Some(pooler) = PgBouncer::start(&db, lines).await else {
        return;
    };
    let limits = LIMITS.replace("{}", &name_of(&db));
    db.execute(&format!(
        "{limits};
         create sequence limited;
         create function limits() returns trigger language plpgsql as $$ begin
             if current_setting('statement_timeout') <> '5s'
                 or current_setting('idle_in_transaction_session_timeout') <> '15s' then
                 raise exception 'not limited'; end if;
             perform nextval('limited');
             return new;
         end $$;
         create trigger limits before insert on sessions for each row execute function limits()"
    ))
    .await;
    let (pooled, direct) = (pooler.url(&db), db.url());
    let here = TestApp::configured(db, through(&pooled, Some(&direct))).await;
    let there = here.second_instance().await;
    let ada = here.signs_up("Acme", "ada@acme.example").await;
    // More at once than the pooler has connections, so that transactions take turns on them.
    let sessions = join_all((0..30).map(|n| {
        let instance = if n % 2 == 0 { &here } else { &there };
        instance.logs_in(&ada.email, PASSWORD)
    }))
    .await;
    for answer in join_all(sessions.iter().map(Actor::refreshes)).await {
        answer.expect(200);
    }
    assert_eq!(here.db.count("select last_value from limited").await, 31);
    let from_pooler = "select count(*) from pg_stat_activity
         where datname = current_database() and application_name = 'hallpass'
             and query not ilike '%listen%' and query not like '%pg_current_snapshot%'";
    let connections = here.db.count(from_pooler).await;
    assert!(connections <= most, "{connections} of {most}");

    for session in &sessions[..5] {
        session.at(&there).me().await.expect(200);
        session.at(&here).logs_out().await.expect(200);
        let elsewhere = session.at(&there);
        let heard_after = eventually("the other instance has heard of it", async || {
            elsewhere.me().await.status == 401
        })
        .await;
        eprintln!("a logout was heard after {heard_after:?}");
    }
    a_waiting_statement_is_cancelled(&here).await;
}

/// By the server, not by the client that gives up.
async fn a_waiting_statement_is_cancelled(app: &TestApp) {
    let (client, connection) = tokio_postgres::connect(&app.db.url(), tokio_postgres::NoTls)
        .await
        .unwrap();
    actix_web::rt::spawn(connection);
    let lock = "begin; set statement_timeout = 0; lock table sessions in access exclusive mode";
    client.batch_execute(lock).await.unwrap();
    let waiting = "select count(*) from pg_locks l join pg_database d on d.oid = l.database
         where d.datname = current_database() and not l.granted";
    let (login, waited) = tokio::join!(
        app.tries_to_log_in("ada@acme.example", PASSWORD),
        eventually("a statement waits", async || app.db.count(waiting).await
            > 0)
    );
    eprintln!("a statement waited after {waited:?}");
    login.refused(503, "Service unavailable");
    eventually("no statement waits any more", async || {
        app.db.count(waiting).await == 0
    })
    .await;
}
