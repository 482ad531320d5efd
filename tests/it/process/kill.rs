//! Nothing acknowledged is lost by kill -9.

use std::cell::{Cell, RefCell};

use futures_util::future::join_all;
use serde_json::json;

use crate::house::actors::founding;
use crate::house::{Db, PASSWORD, on_both_databases};
use crate::process::Server;

on_both_databases! {
    async fn what_was_acknowledged_before_a_kill_is_there_after_it(db: Db) {
        for round in 0..5 {
            let acknowledged = register_until_killed(&db, round, 5 + 2 * round).await;
            let server = Server::start(&db).await;
            // One after the other: a server that is asked for more than it can compute may refuse.
            for email in &acknowledged {
                let login = json!({"email": email, "password": PASSWORD});
                server.client.post("/api/auth/login").json(&login).await.expect(200);
            }
            let alone = "select count(*) from users
                where not exists (select 1 from memberships where user_id = users.id)";
            assert_eq!(db.count(alone).await, 0, "a user without an organization");
            let headless = "select count(*) from organizations
                where not exists (select 1 from memberships
                    where organization_id = organizations.id and role = 'admin')";
            assert_eq!(db.count(headless).await, 0, "an organization without an admin");
        }
    }

    async fn a_logout_that_was_acknowledged_before_a_kill_counts_after_it(db: Db) {
        let server = Server::start(&db).await;
        let client = &server.client;
        let body = founding("Acme", "ada@acme.example");
        client.post("/api/auth/register").json(&body).await.expect(201);
        let login = json!({"email": "ada@acme.example", "password": PASSWORD});
        let sign_in = async || {
            let answer = client.post("/api/auth/login").json(&login).await.expect(200);
            answer["accessToken"].as_str().unwrap().to_owned()
        };
        let (ended, alive) = (sign_in().await, sign_in().await);
        client.post("/api/auth/logout").bearer(&ended).await.expect(200);
        // Dropping kills.
        drop(server);

        let server = Server::start(&db).await;
        let me = |token: &str| server.client.get("/api/auth/me").bearer(token);
        me(&ended).await.refused(401, "Token revoked");
        me(&alive).await.expect(200);
    }
}

/// Four clients found organizations until one too many is acknowledged; then the server is killed,
/// with the others' requests under way. Returns the addresses of the acknowledged.
async fn register_until_killed(db: &Db, round: usize, enough: usize) -> Vec<String> {
    let server = RefCell::new(Server::start(db).await);
    let client = server.borrow().client.clone();
    let acknowledged = RefCell::new(Vec::new());
    let next = Cell::new(0);
    join_all((0..4).map(|_| async {
        loop {
            let n = next.replace(next.get() + 1);
            let email = format!("founder{n}@round{round}.example");
            let call = client
                .post("/api/auth/register")
                .json(&founding("Acme", &email));
            let Ok(answer) = call.try_send().await else {
                return;
            };
            answer.expect(201);
            acknowledged.borrow_mut().push(email);
            if acknowledged.borrow().len() >= enough {
                let _ = server.borrow_mut().process.kill();
            }
        }
    }))
    .await;
    acknowledged.into_inner()
}
