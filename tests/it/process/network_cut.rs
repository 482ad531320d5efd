//! An instance that the network cuts off from PostgreSQL: packets vanish, and no connection is closed.

use std::process::Command;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use tokio::time::timeout;

use crate::process::{Server, hallpass_on};
use crate::support::actors::organization_body;
use crate::support::cluster::Cluster;
use crate::support::network::Network;
use crate::support::{Answer, Db, PASSWORD, eventually};

/// After so long without news, an instance checks tokens in the database.
const STALE_AFTER: Duration = Duration::from_secs(2);

/// Until what waits for an answer of the database is given up, and what has waited for a connection.
const CUT_FOR: Duration = Duration::from_secs(10);

/// Far above every promised time, so that a busy machine fails no test; a hang would still fail it.
const DEADLINE: Duration = Duration::from_secs(40);

fn serve(db: &Db) -> Command {
    let mut command = hallpass_on(db, &["serve"]);
    command.env("RATE_LIMITS", "off");
    command
}

/// An instance on the machine behind the network.
async fn serves_there(network: &Network, db: &Db) -> Server {
    let url = db.url();
    let url = url.replace("127.0.0.1", &network.of_database().to_string());
    let mut command = serve(&Db::Postgres { url });
    command.env("HOST", network.for_clients().to_string());
    let mut server = Server::launch(network.on_machine(&command));
    let port = server.client.address().port();
    server.client.moved_to((network.for_clients(), port).into());
    server.is_ready().await;
    server
}

async fn logs_in(server: &Server) -> Answer {
    let login = json!({"email": "ada@acme.example", "password": PASSWORD});
    server.client.post("/api/auth/login").json(&login).await
}

async fn me(server: &Server, token: &str) -> Answer {
    server.client.get("/api/auth/me").bearer(token).await
}

/// What needs the database is 503 within the deadline. Returns how long the slowest answer took.
async fn nothing_is_accepted(server: &Server, tokens: [&str; 2]) -> Duration {
    let ask = async |token: &str| {
        let start = Instant::now();
        let refresh = server.client.post("/api/auth/refresh").bearer(token);
        let (me, refreshed, login) =
            tokio::join!(me(server, token), refresh.into_future(), logs_in(server));
        for answer in [me, refreshed, login] {
            assert_eq!(answer.status, 503, "{}", answer.text());
        }
        start.elapsed()
    };
    let each = join_all(tokens.into_iter().cycle().take(20).map(ask));
    let took = timeout(DEADLINE, each)
        .await
        .expect("every request is answered");
    took.into_iter().max().unwrap()
}

#[actix_web::test]
async fn a_cut_off_instance_accepts_no_token_that_has_ended_meanwhile() {
    let (Some(cluster), Some(mut network)) = (Cluster::start(), Network::lay()) else {
        return;
    };
    cluster.listen_also_on(network.of_database(), network.of_machine());
    let db = Db::create_on(&cluster, "").await.unwrap();
    let elsewhere = Server::run(serve(&db)).await;
    let mut server = serves_there(&network, &db).await;
    let body = organization_body("Acme", "ada@acme.example");
    elsewhere
        .client
        .post("/api/auth/register")
        .json(&body)
        .await
        .expect(201);
    let sign_in = async || {
        let answer = logs_in(&elsewhere).await.expect(200);
        answer["accessToken"].as_str().unwrap().to_owned()
    };
    let (ended, alive) = (sign_in().await, sign_in().await);
    for token in [&ended, &alive] {
        me(&server, token).await.expect(200);
    }

    network.cut();
    let cut = Instant::now();
    let logout = elsewhere
        .client
        .post("/api/auth/logout")
        .bearer(&ended)
        .await;
    logout.expect(200);
    let mut accepted = Duration::ZERO;
    eventually("tokens are no longer checked in memory", async || {
        let asked = cut.elapsed();
        let answer = me(&server, &ended).await;
        if answer.status == 200 {
            assert!(asked <= STALE_AFTER, "accepted {asked:?} after the cut");
            accepted = asked;
            return false;
        }
        assert_eq!(answer.status, 503, "{}", answer.text());
        true
    })
    .await;
    let mut slowest = Duration::ZERO;
    while cut.elapsed() < CUT_FOR {
        slowest = slowest.max(nothing_is_accepted(&server, [&ended, &alive]).await);
    }
    server.client.get("/livez").await.expect(200);
    let asked = Instant::now();
    assert_eq!(server.client.get("/readyz").await.status, 503);
    let readiness = asked.elapsed();
    let verbose = server.client.get("/readyz?verbose").await;
    assert_eq!(verbose.status, 503);
    assert!(
        verbose
            .text()
            .contains("Revocations could not be read for two seconds")
    );
    // The others do not notice.
    elsewhere.client.get("/readyz").await.expect(200);
    me(&elsewhere, &alive).await.expect(200);
    me(&elsewhere, &ended).await.refused(401, "Token revoked");

    network.heal();
    let healed = Instant::now();
    eventually("the end is heard", async || {
        let answer = me(&server, &ended).await;
        assert_ne!(answer.status, 200, "accepted after the network is back");
        answer.status == 401
    })
    .await;
    let heard = healed.elapsed();
    eventually("the instance is ready", async || {
        server.client.get("/readyz").await.status == 200
    })
    .await;
    eprintln!(
        "cut off: accepted for {} ms, 503 after {} ms at most, /readyz after {} ms; back: heard after {} ms, ready after {} ms",
        accepted.as_millis(),
        slowest.as_millis(),
        readiness.as_millis(),
        heard.as_millis(),
        healed.elapsed().as_millis()
    );
    me(&server, &ended).await.refused(401, "Token revoked");
    me(&server, &alive).await.expect(200);
    logs_in(&server).await.expect(200);
    let logout = elsewhere
        .client
        .post("/api/auth/logout")
        .bearer(&alive)
        .await;
    logout.expect(200);
    eventually("the next end is heard", async || {
        me(&server, &alive).await.status == 401
    })
    .await;
    for output in [server.output(), elsewhere.output()] {
        assert!(!output.contains("has lost revocations"), "{output}");
    }
    server.signal("TERM");
    assert_eq!(server.exit_code().await, Some(0), "{}", server.output());
}
