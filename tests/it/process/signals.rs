//! Stopping and reloading.

use std::cell::Cell;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use crate::process::{Server, hallpass_on};
use crate::support::actors::organization_body;
use crate::support::{
    Answer, Db, OTHER_SECRET, PASSWORD, SECRET, eventually, jwt, on_both_databases, scratch,
};

on_both_databases! {
    async fn a_stop_lets_started_requests_finish_and_exits_with_0(db: Db) {
        let mut server = Server::start(&db).await;
        let body = format!(r#"{{"email":"unknown@acme.example","password":"{PASSWORD}"}}"#);
        let (first, rest) = body.split_at(10);
        let mut started = TcpStream::connect(server.client.address()).unwrap();
        started.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        write!(
            started,
            "POST /api/auth/login HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{first}",
            body.len()
        )
        .unwrap();
        // Answered after the request above has arrived, because the server reads both.
        server.client.get("/livez").await.expect(200);

        server.signal("TERM");
        eventually("the server is not ready", async || {
            match server.client.get("/readyz").try_send().await {
                Ok(answer) => answer.status == 503,
                Err(_) => true,
            }
        })
        .await;
        started.write_all(rest.as_bytes()).unwrap();
        let mut answer = String::new();
        started.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
        assert!(answer.contains("Invalid credentials"), "{answer}");
        assert_eq!(server.exit_code().await, Some(0), "{}", server.output());
    }

    async fn a_stop_under_load_fails_no_request_sent_before_it_was_announced(db: Db) {
        let mut server = Server::start(&db).await;
        let client = server.client.clone();
        let body = organization_body("Acme", "ada@acme.example");
        client.post("/api/auth/register").json(&body).await.expect(201);
        let login = json!({"email": "ada@acme.example", "password": PASSWORD});
        let answer = client.post("/api/auth/login").json(&login).await.expect(200);
        let token = answer["accessToken"].as_str().unwrap();

        let (is_announced, answered) = (Cell::new(false), Cell::new(0));
        let count = |answer: Answer| {
            // An instance computes only so many hashes at a time, and refuses more.
            assert!(matches!(answer.status.as_u16(), 200 | 503), "{}", answer.text());
            answered.set(answered.get() + 1);
        };
        let signs_in = &async || {
            while !is_announced.get() {
                count(client.post("/api/auth/login").json(&login).await);
            }
        };
        let asks = &async || {
            while !is_announced.get() {
                count(client.get("/api/auth/me").bearer(token).await);
            }
        };
        let stops = async {
            eventually("the load has started", async || answered.get() > 50).await;
            server.signal("TERM");
            eventually("the stop is announced", async || {
                client.get("/readyz").await.status == 503
            })
            .await;
            is_announced.set(true);
        };
        let load = join_all((0..16).map(|n| async move {
            if n % 2 == 0 { signs_in().await } else { asks().await }
        }));
        tokio::join!(load, stops);
        assert_eq!(server.exit_code().await, Some(0), "{}", server.output());
    }
}

/// Also clients without a balancer that reads `/readyz` lose no request on a connection that they use.
#[actix_web::test]
async fn what_an_instance_answers_while_it_stops_closes_the_connection() {
    let mut command = hallpass_on(&Db::sqlite(), &["serve"]);
    command.env("DRAIN_TIME", "3s");
    let mut server = Server::run(command).await;
    let mut connection = TcpStream::connect(server.client.address()).unwrap();
    let patience = Some(Duration::from_secs(20));
    connection.set_read_timeout(patience).unwrap();
    let mut ask = || {
        connection
            .write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n")
            .unwrap();
        let mut answer = Vec::new();
        let mut piece = [0; 1024];
        while !answer.ends_with(br#"{"status":"ok"}"#) {
            let read = connection.read(&mut piece).unwrap();
            assert!(read > 0, "{}", String::from_utf8_lossy(&answer));
            answer.extend_from_slice(&piece[..read]);
        }
        String::from_utf8(answer).unwrap()
    };
    for _ in 0..2 {
        assert!(!ask().contains("connection: close"));
    }
    server.signal("TERM");
    eventually("the stop is announced", async || {
        server.client.get("/readyz").await.status == 503
    })
    .await;
    assert!(ask().contains("connection: close"));
    assert_eq!(connection.read(&mut [0]).unwrap(), 0);
    // New connections are still accepted.
    server.client.get("/livez").await.expect(200);
    assert_eq!(server.exit_code().await, Some(0), "{}", server.output());
}

#[actix_web::test]
async fn an_interrupt_stops_as_well() {
    let mut server = Server::start(&Db::sqlite()).await;
    server.signal("INT");
    assert_eq!(server.exit_code().await, Some(0), "{}", server.output());
}

#[actix_web::test]
async fn a_hangup_reads_the_secrets_again() {
    let secrets = scratch::fresh_path("secrets");
    fs::write(&secrets, SECRET).unwrap();
    let db = Db::sqlite();
    let mut command = hallpass_on(&db, &["serve"]);
    command
        .env_remove("JWT_SECRET")
        .env("JWT_SECRET_FILE", &secrets);
    let server = Server::run(command).await;
    let client = &server.client;
    client
        .post("/api/auth/register")
        .json(&organization_body("Acme", "ada@acme.example"))
        .await
        .expect(201);
    let sign_in = async || {
        let login = json!({"email": "ada@acme.example", "password": PASSWORD});
        let answer = client
            .post("/api/auth/login")
            .json(&login)
            .await
            .expect(200);
        answer["accessToken"].as_str().unwrap().to_owned()
    };
    let old = sign_in().await;

    fs::write(&secrets, format!("{OTHER_SECRET},{SECRET}\n")).unwrap();
    server.signal("HUP");
    eventually("the new secret signs", async || {
        jwt::header(&sign_in().await)["kid"] != jwt::header(&old)["kid"]
    })
    .await;
    let new = sign_in().await;
    client.get("/api/auth/me").bearer(&old).await.expect(200);
    let rotations = "select count(*) from audit where action = 'keys.rotated' and outcome = 'ok'
                     and actor_id is null and request_id like 'signal-%'";
    eventually("the rotation is in the audit log", async || {
        db.count(rotations).await == 1
    })
    .await;

    // Invalid secrets change nothing: the server continues with the ones it has.
    fs::write(&secrets, "short").unwrap();
    server.signal("HUP");
    eventually("the refusal is logged", async || {
        server.output().contains("JWT_SECRET")
    })
    .await;
    client.get("/api/auth/me").bearer(&old).await.expect(200);

    fs::write(&secrets, OTHER_SECRET).unwrap();
    server.signal("HUP");
    eventually("the old secret no longer verifies", async || {
        client.get("/api/auth/me").bearer(&old).await.status == 401
    })
    .await;
    client.get("/api/auth/me").bearer(&new).await.expect(200);
    eventually("the second rotation is in the audit log", async || {
        db.count(rotations).await == 2
    })
    .await;
    // Reading the same secrets again leaves no row.
    server.signal("HUP");
    eventually("the secrets are read again", async || {
        server.output().matches("signing keys reloaded").count() == 3
    })
    .await;
    sign_in().await;
    assert_eq!(db.count(rotations).await, 2);
    for secret in [SECRET, OTHER_SECRET, PASSWORD, old.as_str(), new.as_str()] {
        assert!(!server.output().contains(secret), "a secret is in the log");
    }
}

#[actix_web::test]
async fn a_hangup_rotates_signing_keys_and_ends_the_shared_secret() {
    let (old, new) = (jwt::new_signing_key(), jwt::new_signing_key());
    let db = Db::sqlite();
    let mut command = hallpass_on(&db, &["serve"]);
    let settings = command.get_current_dir().unwrap().join(".env");
    command.env_remove("JWT_SECRET");
    let write = |secret: &str, keys: &[&str], accept: &str| {
        let keys = keys.concat();
        let text = format!(
            "JWT_SECRET={secret}\nJWT_SIGNING_KEY='{keys}'\nJWT_ACCEPT_SHARED_SECRET={accept}\n"
        );
        fs::write(&settings, text).unwrap();
    };
    write(SECRET, &[], "on");
    let server = Server::run(command).await;
    let client = &server.client;
    let of_the_secret = server.signs_up("acme").await;
    assert_eq!(jwt::header(&of_the_secret)["alg"], "HS256");
    let reloads = std::cell::Cell::new(0);
    let hang_up = async || {
        server.signal("HUP");
        reloads.set(reloads.get() + 1);
        eventually("the keys are read again", async || {
            server.output().matches("signing keys reloaded").count() == reloads.get()
        })
        .await;
    };
    let published = async || {
        let jwks = client.get("/.well-known/jwks.json").await.json();
        let keys = jwks["keys"].as_array().cloned().unwrap_or_default();
        let kids: Vec<_> = keys.iter().map(|key| key["kid"].clone()).collect();
        kids
    };
    let warning = "whoever has JWT_SECRET can still make access tokens";
    assert!(!server.output().contains(warning));

    // The switch: whoever is signed in stays so.
    write(SECRET, &[&old], "on");
    hang_up().await;
    eventually("the key is published", async || {
        published().await.len() == 1
    })
    .await;
    assert!(server.output().contains(warning));
    let of_the_old = server.signs_in("acme").await;
    assert_eq!(jwt::header(&of_the_old)["kid"], published().await[0]);
    for token in [&of_the_secret, &of_the_old, &of_the_secret, &of_the_old] {
        client.get("/api/auth/me").bearer(token).await.expect(200);
    }

    // Appended, then moved to the front.
    write(SECRET, &[&old, &new], "on");
    hang_up().await;
    eventually("both are published", async || published().await.len() == 2).await;
    let kids = published().await;
    assert_eq!(jwt::header(&server.signs_in("acme").await)["kid"], kids[0]);
    write(SECRET, &[&new, &old], "off");
    hang_up().await;
    eventually("the new one signs", async || {
        published().await[0] == kids[1]
    })
    .await;
    let of_the_new = server.signs_in("acme").await;
    assert_eq!(jwt::header(&of_the_new)["kid"], kids[1]);
    client
        .get("/api/auth/me")
        .bearer(&of_the_old)
        .await
        .expect(200);
    let refused = client.get("/api/auth/me").bearer(&of_the_secret).await;
    refused.refused(401, "Invalid token");

    // All or nothing: neither the new secret nor the lack of a key is taken over.
    let rotations = "select count(*) from audit where action = 'keys.rotated' and outcome = 'ok'";
    eventually("each rotation is in the audit log", async || {
        db.count(rotations).await == 3
    })
    .await;
    for (secret, keys, accept) in [
        (OTHER_SECRET, &["nonsense"][..], "off"),
        (OTHER_SECRET, &[], "off"),
        ("short", &[old.as_str()], "on"),
    ] {
        write(secret, keys, accept);
        let refusals = server.output().matches("signing keys not reloaded").count();
        server.signal("HUP");
        eventually("the refusal is logged", async || {
            server.output().matches("signing keys not reloaded").count() == refusals + 1
        })
        .await;
        assert_eq!(published().await, [kids[1].clone(), kids[0].clone()]);
        client
            .get("/api/auth/me")
            .bearer(&of_the_new)
            .await
            .expect(200);
        let refused = client.get("/api/auth/me").bearer(&of_the_secret).await;
        refused.refused(401, "Invalid token");
    }
    assert_eq!(db.count(rotations).await, 3);

    // Dropped: a remembered signature ends with its key.
    write(SECRET, &[&new], "off");
    hang_up().await;
    eventually("the old one no longer verifies", async || {
        client.get("/api/auth/me").bearer(&of_the_old).await.status == 401
    })
    .await;
    client
        .get("/api/auth/me")
        .bearer(&of_the_new)
        .await
        .expect(200);
    assert_eq!(published().await, [kids[1].clone()]);
    for secret in [
        SECRET,
        OTHER_SECRET,
        &old[28..60],
        &new[28..60],
        &of_the_old,
        &of_the_new,
    ] {
        assert!(!server.output().contains(secret), "a secret is in the log");
    }
}
