//! What one organization or account asks of the database delays nobody else.

use std::future::IntoFuture as _;

use actix_web::rt::task::JoinHandle;
use serde_json::json;
use tokio_postgres::{Client, NoTls};

use crate::support::{Actor, Answer, Db, TestApp, eventually};

/// The connections of an instance for requests, and the shares of one organization and one account.
const CONNECTIONS: i64 = 8;
const OF_AN_ORGANIZATION: i64 = 4;
const OF_AN_ACCOUNT: i64 = 3;

const WAITING_FOR_LOCKS: &str = "select count(*) from pg_stat_activity
     where datname = current_database() and wait_event_type = 'Lock'";

#[actix_web::test]
async fn readiness_and_the_feed_answer_while_requests_hold_every_connection() {
    let Some(db) = Db::postgres().await else {
        return;
    };
    let app = TestApp::start(db).await;
    let there = app.second_instance().await;
    let eve = app.signs_up("Eve", "eve@eve.example").await;
    let mut busy = Vec::new();
    for n in 0..3 {
        let address = format!("ada{n}@acme.example");
        busy.push(app.signs_up(&format!("Acme {n}"), &address).await);
    }
    let _lock = lock_accounts(&app.db, "ada%").await;
    let floods: Vec<_> = busy.iter().flat_map(flood).collect();
    let all_are_held = async || app.db.count(WAITING_FOR_LOCKS).await == CONNECTIONS;
    eventually("every connection for requests waits", all_are_held).await;

    app.get("/readyz").await.expect(200);
    eve.at(&there).logs_out().await.expect(200);
    eventually("the logout at the other instance is known", async || {
        eve.me().await.status == 401
    })
    .await;
    eve.me().await.refused(401, "Token revoked");
    app.get("/readyz").await.expect(200);
    eventually("every connection for requests waits still", all_are_held).await;
    end(floods);
}

#[actix_web::test]
async fn an_account_whose_writes_wait_leaves_connections_to_others() {
    let Some(db) = Db::postgres().await else {
        return;
    };
    let app = TestApp::start(db).await;
    let ada = app.signs_up("Acme", "ada@acme.example").await;
    let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
    let eve = app.signs_up("Eve", "eve@eve.example").await;
    let lock = lock_accounts(&app.db, "ada%").await;
    let floods: Vec<_> = flood(&ada).collect();
    let its_share_waits = async || app.db.count(WAITING_FOR_LOCKS).await == OF_AN_ACCOUNT;
    eventually("three of the account's writes wait", its_share_waits).await;
    for other in [&bob, &eve] {
        other.refreshes().await.expect(200);
        renames(other).await.expect(200);
    }
    eventually("three of the account's writes wait still", its_share_waits).await;

    // A colleague's writes take one more, and the other half is left to other organizations.
    lock.batch_execute("select 1 from users where email like 'bob%' for update")
        .await
        .unwrap();
    let more: Vec<_> = flood(&bob).collect();
    eventually("four of the organization's writes wait", async || {
        app.db.count(WAITING_FOR_LOCKS).await == OF_AN_ORGANIZATION
    })
    .await;
    renames(&eve).await.expect(200);
    end(floods);
    end(more);
}

/// Locks the accounts until the client is dropped.
async fn lock_accounts(db: &Db, email_like: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(&db.url(), NoTls).await.unwrap();
    actix_web::rt::spawn(connection);
    let lock = format!("begin; select 1 from users where email like '{email_like}' for update");
    client.batch_execute(&lock).await.unwrap();
    client
}

/// Sixty-four writes to the actor's own account at a time, until they are ended.
fn flood(actor: &Actor) -> impl Iterator<Item = JoinHandle<()>> + use<> {
    let actor = actor.clone();
    (0..64).map(move |_| {
        let actor = actor.clone();
        actix_web::rt::spawn(async move {
            loop {
                renames(&actor).await;
            }
        })
    })
}

async fn renames(actor: &Actor) -> Answer {
    let name = json!({"name": "Another Name"});
    actor.patch("/api/auth/me").json(&name).into_future().await
}

fn end(floods: Vec<JoinHandle<()>>) {
    for task in floods {
        task.abort();
    }
}
