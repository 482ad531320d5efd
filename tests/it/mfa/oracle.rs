//! Compares our TOTP with an independent authenticator, pyotp from PyPI.

use chrono::TimeDelta;
use hallpass::crypto::totp::{Secret, step_at};
use hallpass::ports::Clock as _;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde_json::{Value, json};

use crate::support::mfa::recovery_codes;
use crate::support::{PASSWORD, TestApp, on_both_databases, python};

/// Reads `[[otpauthUri, seconds], …]`, writes the codes. It parses the URI as an authenticator does.
const AUTHENTICATOR: &str = "
import json, sys, pyotp
print(json.dumps([pyotp.parse_uri(uri).at(seconds) for uri, seconds in json.load(sys.stdin)]))
";

on_both_databases! {
    async fn an_independent_authenticator_enrols_and_signs_in(app: TestApp) {
        let Some(python) = python() else { return };
        let ada = app.signs_up("Acme", "ada+otp@acme.example").await;
        let begun = ada.begins_enrolment().await.expect(200);
        let shows = || {
            let asked = json!([[begun["otpauthUri"], app.clock.timestamp()]]);
            codes(&python, &asked).remove(0)
        };
        let confirmed = ada.confirms(&shows()).await.expect(200);
        assert_eq!(recovery_codes(&confirmed).len(), 10);
        for _ in 0..3 {
            app.advance(TimeDelta::seconds(30));
            let token = app.takes_first_step(&ada.email).await;
            app.shows_code(&token, &shows()).await.expect(200);
        }
        app.advance(TimeDelta::seconds(30));
        let body = json!({"password": PASSWORD, "code": shows()});
        ada.delete("/api/auth/mfa/totp").json(&body).await.expect(200);
    }
}

#[test]
fn our_codes_match_an_independent_authenticator() {
    let Some(python) = python() else { return };
    let clock = crate::support::clock::StoppedClock::new();
    let mut runner = TestRunner::new(Config {
        rng_seed: RngSeed::Fixed(6238),
        ..Config::default()
    });
    let given = prop::collection::vec((any::<[u8; Secret::BYTES]>(), 0..10_000_000_000_i64), 500);
    let given = given.new_tree(&mut runner).unwrap().current();
    let (mut ours, mut asked) = (Vec::new(), Vec::new());
    for (random, seconds) in given {
        let secret = Secret::new(random);
        let then = clock.now() + TimeDelta::seconds(seconds);
        ours.push(secret.code(step_at(then)).to_string());
        asked.push(json!([
            secret.uri("Hallpass", "ada@acme.example"),
            then.timestamp()
        ]));
    }
    assert_eq!(codes(&python, &Value::Array(asked)), ours);
}

fn python() -> Option<String> {
    python::python("PYOTP_PYTHON", "pyotp")
}

fn codes(python: &str, asked: &Value) -> Vec<String> {
    serde_json::from_value(python::run(python, AUTHENTICATOR, asked)).unwrap()
}
