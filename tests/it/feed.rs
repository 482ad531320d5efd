//! Every instance hears of every change, whatever other transactions do meanwhile.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use futures_util::future::join_all;
use hallpass::domain::{Change, PostgresUrl};
use hallpass::store::feed::{self, News};
use hallpass::store::{Addresses, Engine, Requester, Route, Store, StoreError, Target};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use crate::support::{Actor, Db, TestApp, eventually, on_both_databases};

async fn connects(db: &Db) -> Client {
    let (client, connection) = tokio_postgres::connect(&db.url(), NoTls).await.unwrap();
    actix_web::rt::spawn(connection);
    client
}

/// Two instances, and people with sessions that both have answered.
async fn two_instances(db: Db, sessions: usize) -> (TestApp, TestApp, Vec<Actor>) {
    let here = TestApp::start(db).await;
    let there = here.second_instance().await;
    let ada = here.signs_up("Acme", "ada@acme.example").await;
    let mut all = Vec::new();
    for _ in 0..sessions {
        let session = ada.signs_in_again().await;
        session.at(&there).me().await.expect(200);
        all.push(session);
    }
    (here, there, all)
}

async fn is_heard(session: &Actor, there: &TestApp) {
    let session = session.at(there);
    eventually("the other instance has heard of it", async || {
        session.me().await.status == 401
    })
    .await;
}

fn session_id(session: &Actor) -> String {
    let claims = crate::support::jwt::claims(&session.token);
    claims["sid"].as_str().unwrap().to_owned()
}

/// The row of a session's end, as another program would write it.
fn end_of(session: &Actor) -> String {
    format!(
        "insert into changes (kind, user_id, session_id, at, expires_at)
         values ('session_ended', '{}', '{}', now(), now() + interval '7 days')",
        session.id(),
        session_id(session)
    )
}

#[actix_web::test]
async fn open_transactions_delay_nobody_elses_changes() {
    let Some(db) = Db::postgres().await else {
        return;
    };
    let (_here, there, sessions) = two_instances(db.clone(), 5).await;
    let [first, second, late, undone, last] = &sessions[..] else {
        unreachable!()
    };
    let (writer, other_writer, reader, idle) = (
        connects(&db).await,
        connects(&db).await,
        connects(&db).await,
        connects(&db).await,
    );
    let begins = format!("begin; {}", end_of(late));
    writer.batch_execute(&begins).await.unwrap();
    let begins = format!("begin; {}", end_of(undone));
    other_writer.batch_execute(&begins).await.unwrap();
    let begins = "begin isolation level repeatable read; select count(*) from users";
    reader.batch_execute(begins).await.unwrap();
    idle.batch_execute("begin; select pg_current_xact_id()")
        .await
        .unwrap();

    for session in [first, second] {
        session.logs_out().await.expect(200);
        is_heard(session, &there).await;
    }
    // What is not committed has not happened. Then it is heard, although newer changes were read before.
    late.at(&there).me().await.expect(200);
    writer.batch_execute("commit").await.unwrap();
    is_heard(late, &there).await;
    other_writer.batch_execute("rollback").await.unwrap();
    last.logs_out().await.expect(200);
    is_heard(last, &there).await;
    undone.at(&there).me().await.expect(200);
}

#[actix_web::test]
async fn a_writer_that_is_stuck_holds_up_no_other() {
    let Some(db) = Db::postgres().await else {
        return;
    };
    let (here, there, sessions) = two_instances(db.clone(), 4).await;
    let bob = here
        .joins(sessions[0].organization_id(), "bob@acme.example")
        .await;
    db.execute(&format!(
        "create function stick() returns trigger language plpgsql as $$ begin
             perform pg_advisory_xact_lock(7);
             return null;
         end $$;
         create trigger stick after insert on changes for each row when (new.user_id = '{}')
             execute function stick();",
        bob.id()
    ))
    .await;
    let holder = connects(&db).await;
    holder
        .batch_execute("select pg_advisory_lock(7)")
        .await
        .unwrap();
    let (ends, bobs) = (bob.clone(), bob.at(&there));
    let stuck = actix_web::rt::spawn(async move { ends.logs_out().await });
    eventually("it is stuck", async || {
        db.count("select count(*) from pg_locks where locktype = 'advisory' and not granted")
            .await
            == 1
    })
    .await;
    for session in &sessions {
        session.logs_out().await.expect(200);
        is_heard(session, &there).await;
    }
    assert!(!stuck.is_finished());
    bobs.me().await.expect(200);
    holder
        .batch_execute("select pg_advisory_unlock(7)")
        .await
        .unwrap();
    stuck.await.unwrap().expect(200);
    is_heard(&bob, &there).await;
}

#[actix_web::test]
async fn no_change_is_missed_or_read_twice_under_load() {
    const WRITERS: u64 = 8;
    const TRANSACTIONS: u64 = 60;
    let Some(db) = Db::postgres().await else {
        return;
    };
    let url = PostgresUrl::parse(&db.url()).unwrap();
    let target = Target::new(&url, Route::Only).unwrap();
    let store = Store::start(Engine::Postgres(Addresses::new(target, None, 8))).unwrap();
    let begin = store.read(Requester::FEED, feed::begin).await.unwrap();
    let mut position = begin.expect("it is no standby");
    let is_done = Arc::new(AtomicBool::new(false));
    let reads = async {
        let mut seen = Vec::new();
        loop {
            // Asked first, so that the last read comes after the last commit.
            let is_last = is_done.load(Ordering::Acquire);
            let from = position.clone();
            let read = store.read(Requester::FEED, move |tx| feed::read(tx, &from));
            let Ok::<_, StoreError>(News::Changes(changes, next)) = read.await else {
                panic!("the connection is the same");
            };
            position = next;
            for row in changes {
                let Change::SessionEnded { session_id, .. } = row.change else {
                    panic!("{row:?}");
                };
                seen.push(session_id.0);
            }
            if is_last {
                return seen;
            }
        }
    };
    let writes = async {
        let committed =
            join_all((0..WRITERS).map(|writer| writes(&db, writer, TRANSACTIONS))).await;
        is_done.store(true, Ordering::Release);
        committed.concat()
    };
    let (seen, committed) = tokio::join!(reads, writes);
    let unique: BTreeSet<Uuid> = seen.iter().copied().collect();
    assert_eq!(unique, committed.iter().copied().collect());
    assert_eq!(seen.len(), committed.len());
    assert!(committed.len() as u64 > WRITERS * TRANSACTIONS / 2);
}

/// Transactions of different length with one or two rows, some of them with savepoints or rolled back. Returns what they
/// have committed.
async fn writes(db: &Db, writer: u64, transactions: u64) -> Vec<Uuid> {
    let client = connects(db).await;
    let mut committed = Vec::new();
    for n in 0..transactions {
        let ids = [0, 1].map(|row| Uuid::from_u64_pair(writer, n * 2 + row));
        let [first, second] = ids.map(|id| {
            format!(
                "insert into changes (kind, user_id, session_id, at, expires_at)
                 values ('session_ended', '{id}', '{id}', now(), now() + interval '7 days')"
            )
        });
        let pause = if writer == 0 { 20 } else { (writer * n) % 3 };
        let is_undone = n % 5 == 1;
        let savepoint = if is_undone {
            "rollback to savepoint inner_one"
        } else {
            "release inner_one"
        };
        let end = if n % 7 == 3 { "rollback" } else { "commit" };
        client
            .batch_execute(&format!(
                "begin; {first}; savepoint inner_one; {second}; {savepoint};
                 select pg_sleep({pause} / 1000.0); {end}"
            ))
            .await
            .unwrap();
        if end == "commit" {
            committed.push(ids[0]);
            committed.extend((!is_undone).then_some(ids[1]));
        }
    }
    committed
}

#[actix_web::test]
async fn rows_of_another_system_are_read_only_once() {
    let Some(db) = Db::postgres().await else {
        return;
    };
    let (_here, there, sessions) = two_instances(db.clone(), 2).await;
    sessions[0].logs_out().await.expect(200);
    is_heard(&sessions[0], &there).await;
    // As a dump of a system whose transactions are counted far higher brings them.
    db.execute("update changes set xid = 1000000000000").await;
    let third = there.second_instance().await;
    eventually("their ids are replaced", async || {
        db.count("select count(*) from changes where xid = 1000000000000")
            .await
            == 0
    })
    .await;
    sessions[0]
        .at(&third)
        .me()
        .await
        .refused(401, "Token revoked");
    sessions[1].logs_out().await.expect(200);
    is_heard(&sessions[1], &third).await;
}

on_both_databases! {
    async fn more_revocations_than_a_page_are_all_read_at_the_start(app: TestApp) {
        let mut app = app;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let (first, last) = (ada.signs_in_again().await, ada.signs_in_again().await);
        first.logs_out().await.expect(200);
        let id = match app.db {
            Db::Sqlite { .. } => "randomblob(16)",
            Db::Postgres { .. } => "gen_random_uuid()",
        };
        // As many at one instant, and as many that have expired.
        for expires_at in ["expires_at", "at"] {
            app.db
                .execute(&format!(
                    "with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 25000)
                     insert into changes (kind, user_id, session_id, at, expires_at)
                     select kind, user_id, {id}, at, {expires_at}
                     from numbers cross join (select * from changes where session_id is not null limit 1) ended"
                ))
                .await;
        }
        app.advance(TimeDelta::seconds(1));
        last.logs_out().await.expect(200);

        app.restart().await;
        // At first from the database, then from memory.
        for ended in [&first, &last] {
            ended.me().await.refused(401, "Token revoked");
        }
        ada.me().await.expect(200);
        eventually("all are read", async || {
            app.readiness("revocations").await["detail"] == "Revocations were read within the last two seconds."
        })
        .await;
        app.db.execute("alter table sessions rename to sessions_away").await;
        for ended in [&first, &last] {
            ended.me().await.refused(401, "Token revoked");
        }
        ada.me().await.expect(200);
        app.db.execute("alter table sessions_away rename to sessions").await;
    }
}
