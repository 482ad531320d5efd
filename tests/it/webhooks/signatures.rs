//! The libraries of Standard Webhooks accept what is sent.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::arrive;
use crate::process::{Server, hallpass_on};
use crate::support::receiver::Receiver;
use crate::support::{Db, on_both_databases};

on_both_databases! {
    async fn libraries_accept_what_is_signed_and_nothing_else(db: Db) {
        let receiver = Receiver::start().await;
        // The libraries compare timestamps with the real time.
        let mut serve = hallpass_on(&db, &["serve"]);
        serve.env("WEBHOOK_ALLOW_PRIVATE", "on");
        let server = Server::run(serve).await;
        let token = server.signs_up("acme").await;
        let post = |path: &str| server.client.post(path).bearer(&token);
        let made = post("/api/webhooks").json(&json!({"url": receiver.url()})).await.expect(201);
        let path = format!("/api/webhooks/{}", made["id"].as_str().unwrap());
        post(&format!("{path}/test")).await.expect(202);
        arrive(&receiver, 1).await;
        let rotated = post(&format!("{path}/rotate-secret")).await.expect(200);
        post(&format!("{path}/test")).await.expect(202);
        arrive(&receiver, 2).await;
        let [once, twice] = receiver.told().try_into().unwrap();
        assert_eq!(twice.header("webhook-signature").split(' ').count(), 2);
        let (old, new) = (made["secret"].as_str().unwrap(), rotated["secret"].as_str().unwrap());
        let mut changed = once.clone();
        changed.body = once.body.replace(':', ": ");
        let told = [
            (once.signed_with(old), true),
            (once.signed_with(new), false),
            (changed.signed_with(old), false),
            (twice.signed_with(old), true),
            (twice.signed_with(new), true),
        ];
        let (told, expected): (Vec<Value>, Vec<bool>) = told.into_iter().unzip();
        for verified in [by_npm(&told), by_pypi(&told)].into_iter().flatten() {
            assert_eq!(verified, expected);
        }
    }
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/webhooks")
}

fn by_npm(told: &[Value]) -> Option<Vec<bool>> {
    if !folder().join("node_modules/express").exists() {
        is_skipped("npm ci in tests/webhooks was not run");
        return None;
    }
    Some(verified(Command::new("node").arg("verify.mjs"), told))
}

fn by_pypi(told: &[Value]) -> Option<Vec<bool>> {
    let Ok(python) = std::env::var("PYOTP_PYTHON") else {
        is_skipped("PYOTP_PYTHON is not a Python with standardwebhooks and FastAPI");
        return None;
    };
    Some(verified(Command::new(python).arg("verify.py"), told))
}

fn is_skipped(why: &str) {
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{why}");
    eprintln!("SKIPPED: {why}");
}

fn verified(command: &mut Command, told: &[Value]) -> Vec<bool> {
    let command = command.current_dir(folder());
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(json!(told).to_string().as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}
