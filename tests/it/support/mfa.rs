//! Authenticators, and the two steps of signing in with one.

use chrono::{DateTime, TimeDelta, Utc};
use hallpass::crypto::totp::{Secret, step_at};
use hallpass::ports::Clock as _;
use serde_json::{Value, json};

use super::client::{Answer, Call};
use super::{Actor, PASSWORD, TestApp};

/// An authenticator and its recovery codes.
pub struct Authenticator {
    secret: Secret,
    pub recovery_codes: Vec<String>,
}

impl Authenticator {
    /// From the answer that starts an enrolment.
    pub fn from_enrolment(enrolment: &Value) -> Self {
        Self {
            secret: Secret::from_base32(enrolment["secret"].as_str().unwrap()).unwrap(),
            recovery_codes: Vec::new(),
        }
    }

    /// The current code.
    pub fn code(&self, app: &TestApp) -> String {
        self.code_in(app, 0)
    }

    /// The code some steps of thirty seconds from now.
    pub fn code_in(&self, app: &TestApp, steps: i64) -> String {
        self.code_at(app.clock.now(), steps)
    }

    /// The same for a server with the system clock.
    pub fn code_at(&self, now: DateTime<Utc>, steps: i64) -> String {
        self.secret.code(step_at(now) + steps).to_string()
    }

    /// Six digits that are not a code of any nearby step.
    pub fn wrong_code(&self, app: &TestApp) -> String {
        let shown: Vec<String> = (-2..=2).map(|steps| self.code_in(app, steps)).collect();
        let mut codes = (0..).map(|code| format!("{code:06}"));
        codes.find(|code| !shown.contains(code)).unwrap()
    }
}

impl Actor {
    pub fn begins_enrolment(&self) -> Call {
        self.post("/api/auth/mfa/totp")
    }

    pub async fn confirms(&self, code: &str) -> Answer {
        self.post("/api/auth/mfa/totp/confirm")
            .json(&json!({"code": code}))
            .await
    }

    /// Enrols an authenticator, and waits until it shows the next code.
    pub async fn enrols(&self, app: &TestApp) -> Authenticator {
        let mut authenticator =
            Authenticator::from_enrolment(&self.begins_enrolment().await.expect(200));
        let confirmed = self.confirms(&authenticator.code(app)).await.expect(200);
        authenticator.recovery_codes = recovery_codes(&confirmed);
        app.advance(TimeDelta::seconds(30));
        authenticator
    }
}

impl TestApp {
    /// The `mfaToken` of a first step.
    pub async fn takes_first_step(&self, email: &str) -> String {
        let answer = self.tries_to_log_in(email, PASSWORD).await.expect(200);
        assert_eq!(answer["mfaRequired"], true, "{answer}");
        answer["mfaToken"].as_str().unwrap().to_owned()
    }

    pub async fn shows_code(&self, mfa_token: &str, code: &str) -> Answer {
        self.post("/api/auth/mfa/verify")
            .json(&json!({"mfaToken": mfa_token, "code": code}))
            .await
    }

    /// Starts an enrolment with the challenge token of a pending sign-in.
    pub async fn begins_enrolment_with(&self, mfa_token: &str) -> Answer {
        self.post("/api/auth/mfa/totp")
            .json(&json!({"mfaToken": mfa_token}))
            .await
    }

    pub async fn confirms_with(&self, mfa_token: &str, code: &str) -> Answer {
        self.post("/api/auth/mfa/totp/confirm")
            .json(&json!({"mfaToken": mfa_token, "code": code}))
            .await
    }

    /// Enrols an authenticator to finish a sign-in with it, and waits until it shows the next code. Also returns the
    /// answer of that sign-in.
    pub async fn enrols_with(&self, mfa_token: &str) -> (Authenticator, Value) {
        let authenticator =
            Authenticator::from_enrolment(&self.begins_enrolment_with(mfa_token).await.expect(200));
        let confirmed = self
            .confirms_with(mfa_token, &authenticator.code(self))
            .await;
        self.advance(TimeDelta::seconds(30));
        (authenticator, confirmed.expect(200))
    }

    /// From now on the organization requires a second factor. Writes SQL: the server's cached state of
    /// people does not change.
    pub async fn requires_mfa(&self, organization_id: &str) {
        let id = self.db.id(organization_id);
        self.db
            .execute(&format!(
                "update organizations set require_mfa = true where id = {id}"
            ))
            .await;
    }
}

/// The answer to a person who must enrol: no token except the enrolment token, which is returned.
#[track_caller]
pub fn is_to_enrol(answer: &Value) -> &str {
    assert_eq!(answer["mfaRequired"], true, "{answer}");
    assert_eq!(answer["enrolmentRequired"], true, "{answer}");
    assert!(answer.get("accessToken").is_none(), "{answer}");
    answer["mfaToken"].as_str().unwrap()
}

pub fn recovery_codes(answer: &Value) -> Vec<String> {
    let codes = answer["recoveryCodes"].as_array().unwrap().iter();
    codes
        .map(|code| code.as_str().unwrap().to_owned())
        .collect()
}
