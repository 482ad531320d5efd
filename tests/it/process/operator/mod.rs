//! The operator's commands next to a running server.

mod accounts;
mod memberships;
mod no_database;
mod organizations;
mod services;
#[cfg(target_os = "linux")]
mod terminal;

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use super::{Server, hallpass_on, stderr, stdout};
use crate::support::client::Call;
use crate::support::{Answer, Db, PASSWORD, eventually, organization_body};

const ADA: &str = "ada@acme.example";
const BOB: &str = "bob@acme.example";

/// Runs a command with a line on its standard input, which it may not read.
fn run(mut command: Command, line: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
    let _ = writeln!(process.stdin.take().unwrap(), "{line}");
    process.wait_with_output().unwrap()
}

/// Runs a command that succeeds, and returns the JSON it prints.
fn done(db: &Db, arguments: &[&str]) -> Value {
    done_with(db, arguments, "")
}

fn done_with(db: &Db, arguments: &[&str], line: &str) -> Value {
    let output = run(hallpass_on(db, &[arguments, &["--json"]].concat()), line);
    let (out, err) = (stdout(&output), stderr(&output));
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {err}");
    serde_json::from_str(&out).unwrap_or_else(|_| panic!("{arguments:?}: not JSON: {out}"))
}

/// Runs a command that fails, with all of these words in its message and nothing on standard output.
fn refused(db: &Db, arguments: &[&str], code: i32, words: &[&str]) {
    let output = run(hallpass_on(db, arguments), PASSWORD);
    let (out, err) = (stdout(&output), stderr(&output));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {err}");
    assert_eq!(out, "", "{arguments:?}");
    for word in words {
        assert!(err.contains(word), "{arguments:?}: no {word:?} in {err}");
    }
}

impl Server {
    /// A server on a new database, with Acme and its admin Ada, who is not verified yet.
    async fn with_acme(db: &Db) -> Self {
        let server = Self::start(db).await;
        let body = organization_body("Acme", ADA);
        server.post("/api/auth/register", &body).await.expect(201);
        server
    }

    fn post(&self, path: &str, body: &Value) -> Call {
        self.client.post(path).json(body)
    }

    fn me(&self, token: &str) -> Call {
        self.client.get("/api/auth/me").bearer(token)
    }

    async fn tries_to_log_in(&self, email: &str, password: &str) -> Answer {
        let body = json!({"email": email, "password": password});
        self.post("/api/auth/login", &body).await
    }

    /// Signs in and returns the access token.
    async fn logs_in(&self, email: &str, password: &str) -> String {
        let answer = self.tries_to_log_in(email, password).await.expect(200);
        answer["accessToken"].as_str().unwrap().to_owned()
    }

    async fn makes_api_token(&self, token: &str) -> String {
        let body = json!({"name": "Export", "role": "employee"});
        let answer = self.post("/api/tokens", &body).bearer(token).await;
        answer.expect(201)["token"].as_str().unwrap().to_owned()
    }

    /// Waits until the running server answers with this status.
    async fn soon_answers(&self, token: &str, status: u16) {
        let took = eventually("the server has learned of it", async || {
            self.me(token).await.status == status
        })
        .await;
        eprintln!("the server learned of it after {} ms", took.as_millis());
    }
}

async fn shows_page(call: Call, status: u16) {
    let page = call.await;
    assert_eq!(page.status.as_u16(), status, "{}", page.text());
}

/// Creates a user in Acme with the command.
fn creates(db: &Db, email: &str, role: &str) -> Value {
    let who = [
        "user",
        "create",
        email,
        "--name",
        "Bob Baker",
        "--organization",
        "acme",
        "--role",
        role,
    ];
    done_with(db, &who, PASSWORD)
}

/// How many audit rows the operator has caused.
async fn rows(db: &Db, action: &str) -> i64 {
    let rows = "select count(*) from audit where method = 'operator' and actor_id is null";
    db.count(&format!("{rows} and action = '{action}'")).await
}
