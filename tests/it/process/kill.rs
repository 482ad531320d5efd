//! Nothing acknowledged is lost by kill -9.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use crate::process::{Server, hallpass_on};
use crate::support::actors::organization_body;
use crate::support::follower::{Follower, Verdict};
use crate::support::{Answer, Db, PASSWORD, eventually, on_both_databases};

/// How often the server is killed on each database; more with e.g. `HALLPASS_KILL_ROUNDS=200`.
fn rounds() -> usize {
    std::env::var("HALLPASS_KILL_ROUNDS").map_or(4, |rounds| rounds.parse().unwrap())
}

on_both_databases! {
    async fn acknowledged_writes_survive_a_kill(db: Db) {
        let mut slowest = Duration::ZERO;
        for round in 0..rounds() {
            let acknowledged = act_until_killed(&db, round, 3 + round % 10).await;
            let mut server = Server::launch(hallpass_on(&db, &["serve"]));
            // The very first answer must already respect revocations: the port opens only after they are read.
            let me = async |token: &str| server.client.get("/api/auth/me").bearer(token).try_send().await;
            for token in &acknowledged.ended {
                let mut first = None;
                eventually("the server answers", async || {
                    first = me(token).await.ok();
                    first.is_some()
                })
                .await;
                first.unwrap().refused(401, "Token revoked");
            }
            for token in &acknowledged.alive {
                eventually("the server answers", async || me(token).await.is_ok()).await;
                me(token).await.unwrap().expect(200);
            }
            slowest = slowest.max(server.is_ready().await);
            // One after the other: a server that is asked for more than it can compute may refuse.
            for email in &acknowledged.admins {
                logs_in(&server, email).await.expect(200);
            }
            let alone = "select count(*) from users
                where not exists (select 1 from memberships where user_id = users.id)";
            assert_eq!(db.count(alone).await, 0, "a user without an organization");
            let headless = "select count(*) from organizations
                where not exists (select 1 from memberships
                    where organization_id = organizations.id and role = 'admin')";
            assert_eq!(db.count(headless).await, 0, "an organization without an admin");
        }
        eprintln!("killed {} times; ready after {} ms at most", rounds(), slowest.as_millis());
    }

    /// It comes back with its cursor. PostgreSQL still knows the transactions; a file has a new history.
    async fn a_service_that_follows_a_killed_instance_misses_nothing(db: Db) {
        let server = Server::start(&db).await;
        let body = organization_body("Acme", "ada@acme.example");
        server.client.post("/api/auth/register").json(&body).await.expect(201);
        let added = hallpass_on(&db, &["service", "add", "billing"]).output().unwrap();
        let key = String::from_utf8(added.stdout).unwrap().trim().to_owned();
        let sign_in = async || {
            let answer = logs_in(&server, "ada@acme.example").await.expect(200);
            answer["accessToken"].as_str().unwrap().to_owned()
        };
        let [before, last, after] = [sign_in().await, sign_in().await, sign_in().await];
        let ends = async |server: &Server, token: &str| {
            server.client.post("/api/auth/logout").bearer(token).await.expect(200);
        };
        let mut service = Follower::begin_at(&server.client, &key).await;
        ends(&server, &before).await;
        service.judges(&before, Verdict::Revoked).await;
        let (cursor, known) = (service.cursor.clone(), service.known.clone());
        ends(&server, &last).await;
        // Dropping it kills the process.
        drop(server);
        assert!(service.ends().await);

        let server = Server::start(&db).await;
        eventually("the instance knows the latest revocations", async || {
            server.client.get("/api/revocations").bearer(&key).await.status == 200
        })
        .await;
        let mut service = Follower::resume_at(&server.client, &key, cursor, known).await;
        service.judges(&last, Verdict::Revoked).await;
        assert_eq!(service.known.judges(&after), Verdict::Good);
        ends(&server, &after).await;
        service.judges(&after, Verdict::Revoked).await;
        assert_eq!(service.resets, usize::from(matches!(db, Db::Sqlite { .. })));
    }

    async fn an_acknowledged_logout_survives_a_kill(db: Db) {
        let server = Server::start(&db).await;
        let client = &server.client;
        let body = organization_body("Acme", "ada@acme.example");
        client.post("/api/auth/register").json(&body).await.expect(201);
        let sign_in = async || {
            let answer = logs_in(&server, "ada@acme.example").await.expect(200);
            answer["accessToken"].as_str().unwrap().to_owned()
        };
        let (ended, alive) = (sign_in().await, sign_in().await);
        client.post("/api/auth/logout").bearer(&ended).await.expect(200);
        // Dropping it kills the process.
        drop(server);

        let server = Server::start(&db).await;
        let me = |token: &str| server.client.get("/api/auth/me").bearer(token);
        me(&ended).await.refused(401, "Token revoked");
        me(&alive).await.expect(200);
    }
}

async fn logs_in(server: &Server, email: &str) -> Answer {
    let login = json!({"email": email, "password": PASSWORD});
    server.client.post("/api/auth/login").json(&login).await
}

/// What the server has acknowledged.
#[derive(Default)]
struct Acknowledged {
    /// E-mail addresses.
    admins: Vec<String>,
    /// Tokens of sessions.
    alive: Vec<String>,
    ended: Vec<String>,
}

/// Four clients register organizations, sign in and sign out until enough registrations are acknowledged; then
/// the server is killed with the others' requests in progress.
async fn act_until_killed(db: &Db, round: usize, enough: usize) -> Acknowledged {
    let server = RefCell::new(Server::start(db).await);
    let client = server.borrow().client.clone();
    let acknowledged = RefCell::new(Acknowledged::default());
    let next = Cell::new(0);
    let act = async || {
        let n = next.replace(next.get() + 1);
        let email = format!("admin{n}@round{round}.example");
        let registration = client
            .post("/api/auth/register")
            .json(&organization_body("Acme", &email));
        registration.try_send().await.ok()?.expect(201);
        acknowledged.borrow_mut().admins.push(email.clone());
        if acknowledged.borrow().admins.len() >= enough {
            let _ = server.borrow_mut().process.kill();
        }
        let login = json!({"email": email, "password": PASSWORD});
        let answer = client.post("/api/auth/login").json(&login).try_send().await;
        let answer = answer.ok()?.expect(200);
        let token = answer["accessToken"].as_str().unwrap().to_owned();
        if n % 2 == 0 {
            acknowledged.borrow_mut().alive.push(token);
            return Some(());
        }
        // Until it is acknowledged, either outcome is correct.
        let logout = client.post("/api/auth/logout").bearer(&token);
        logout.try_send().await.ok()?.expect(200);
        acknowledged.borrow_mut().ended.push(token);
        Some(())
    };
    join_all((0..4).map(|_| async { while act().await.is_some() {} })).await;
    acknowledged.into_inner()
}
