//! The system clock jumps while the server runs.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::process::{Server, hallpass_on};
use crate::support::actors::organization_body;
use crate::support::{Db, PASSWORD, eventually, on_both_databases, scratch};

on_both_databases! {
    async fn a_system_clock_that_jumps_by_eight_days_breaks_nothing(db: Db) {
        let Some(library) = library() else {
            let missing = "libfaketime is not installed (Debian: faketime)";
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{missing}, and CI=true");
            eprintln!("\n*** {missing}: NO CLOCK IS MOVED UNDER A PROCESS ***\n");
            return;
        };
        let offset = scratch::fresh_path("offset");
        fs::write(&offset, "+0d").unwrap();
        let mut command = hallpass_on(&db, &["serve"]);
        command
            .env("LD_PRELOAD", library)
            .env("FAKETIME_TIMESTAMP_FILE", &offset)
            .env("FAKETIME_NO_CACHE", "1")
            // Timeouts do not depend on the system clock.
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        let server = Server::run(command).await;
        let body = organization_body("Acme", "ada@acme.example");
        server.client.post("/api/auth/register").json(&body).await.expect(201);
        let now = signs_in(&server).await;

        is_moved(&server, &offset, "+8d", &now, "Token expired").await;
        let ahead = signs_in(&server).await;
        is_moved(&server, &offset, "-8d", &ahead, "Invalid token").await;
        is_refused(&server, &now, "Invalid token").await;
        signs_in(&server).await;
        fs::write(&offset, "+0d").unwrap();
        eventually("the clock is right again", async || {
            server.client.get("/api/auth/me").bearer(&now).await.status == 200
        })
        .await;
        server.client.post("/api/auth/refresh").bearer(&now).await.expect(200);
        server.client.post("/api/auth/logout").bearer(&now).await.expect(200);
        server.client.get("/readyz").await.expect(200);
        assert!(!server.output().contains("panic"), "{}", server.output());
    }
}

/// Signs in, uses the token and refreshes it.
async fn signs_in(server: &Server) -> String {
    let login = json!({"email": "ada@acme.example", "password": PASSWORD});
    let answer = server.client.post("/api/auth/login").json(&login).await;
    let token = token(&answer.expect(200));
    let refresh = server.client.post("/api/auth/refresh").bearer(&token);
    let token = self::token(&refresh.await.expect(200));
    let me = server.client.get("/api/auth/me").bearer(&token).await;
    me.expect(200);
    token
}

fn token(answer: &Value) -> String {
    answer["accessToken"].as_str().unwrap().to_owned()
}

/// Moves the clock, and waits until a token is refused because of it.
async fn is_moved(server: &Server, offset: &Path, to: &str, token: &str, why: &str) {
    fs::write(offset, to).unwrap();
    eventually("the clock has moved", async || {
        server.client.get("/api/auth/me").bearer(token).await.status == 401
    })
    .await;
    is_refused(server, token, why).await;
}

async fn is_refused(server: &Server, token: &str, why: &str) {
    let me = server.client.get("/api/auth/me").bearer(token).await;
    me.refused(401, why);
}

/// Where Debian installs it.
fn library() -> Option<PathBuf> {
    let directories = fs::read_dir("/usr/lib").ok()?.flatten();
    directories
        .map(|directory| directory.path().join("faketime/libfaketime.so.1"))
        .find(|library| library.exists())
}
