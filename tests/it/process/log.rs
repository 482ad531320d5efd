//! What a running server logs at its most verbose level.

use chrono::Utc;
use serde_json::{Value, json};

use crate::process::{Server, hallpass_on};
use crate::support::actors::organization_body;
use crate::support::mfa::Authenticator;
use crate::support::{
    Db, OTHER_PASSWORD, OTHER_SECRET, PASSWORD, SECRET, SESSION_COOKIE, eventually,
    on_both_databases,
};

const ADA: &str = "ada@acme.example";

on_both_databases! {
    async fn no_credential_of_any_api_is_in_the_log(db: Db) {
        let mut command = hallpass_on(&db, &["serve"]);
        command.env("RUST_LOG", "trace");
        let server = Server::run(command).await;
        let mut secrets = Secrets::default();

        server.client.post("/api/auth/register").json(&organization_body("Acme", ADA)).await.expect(201);
        let wrong = json!({"email": ADA, "password": OTHER_PASSWORD});
        server.client.post("/api/auth/login").json(&wrong).await.refused(401, "Invalid credentials");
        let form = [("email", ADA), ("password", PASSWORD), ("json", "true")];
        let signed_in = server
            .client
            .post("/api/auth/callback/credentials")
            .header("sec-fetch-site", "same-origin")
            .form(&form)
            .await;
        signed_in.expect(200);
        let cookies = signed_in.set_cookies();
        let (_, jwt) = cookies.iter().find(|(name, _)| name == SESSION_COOKIE).unwrap();
        let jwt = secrets.keep(jwt);
        let by_cookie = server.client.get("/api/auth/me").header("cookie", &format!("{SESSION_COOKIE}={jwt}"));
        by_cookie.await.expect(200);
        let created = server.client.post("/api/tokens").bearer(&jwt).json(&json!({"name": "export"})).await.expect(201);
        let service = secrets.keep_of(&created, "token");
        server.client.get("/api/auth/me").bearer(&service).await.expect(200);
        let misplaced = format!("/api/auth/me?token={jwt}&access_token={service}");
        server.client.get(&misplaced).await.refused(401, "Authentication required");

        let enrolment = server.client.post("/api/auth/mfa/totp").bearer(&jwt).await.expect(200);
        secrets.keep_of(&enrolment, "secret");
        let authenticator = Authenticator::from_enrolment(&enrolment);
        let confirm = json!({"code": authenticator.code_at(Utc::now(), 0)});
        let confirmed = server.client.post("/api/auth/mfa/totp/confirm").bearer(&jwt).json(&confirm).await.expect(200);
        let recovery_code = secrets.keep(confirmed["recoveryCodes"][0].as_str().unwrap());

        let login = json!({"name": ADA, "password": PASSWORD, "returnToken": true});
        let locked = server.client.post("/api/v1/login").json(&login).await.expect(200);
        let token = secrets.keep_of(&locked, "token");
        let call = |name: &str| server.client.post(&format!("/api/v1/{name}?token={token}"));
        let search = json!({"from": 0, "size": 1});
        call("search").json(&search).await.refused(403, "Session locked");
        call("unlock").json(&json!({"code": recovery_code})).await.expect(200);
        call("search").json(&search).await.expect(200);
        call("nowhere").json(&search).await.refused(404, "Not Found");
        server.client.get(&format!("/%61pi/v1/logout?token={token}")).await.expect(200);
        call("search").json(&search).await.refused(401, "Token revoked");

        let log = server.output();
        for seen in ["/api/v1/login", "/api/v1/search", "/api/v1/logout", "/api/auth/callback/credentials"] {
            assert!(log.contains(seen), "nothing of {seen} is in\n{log}");
        }
        secrets.are_not_in(&log);
    }

    async fn an_authenticator_of_a_lost_secret_is_a_line_of_the_log(db: Db) {
        let server = Server::start(&db).await;
        server.client.post("/api/auth/register").json(&organization_body("Acme", ADA)).await.expect(201);
        let login = json!({"email": ADA, "password": PASSWORD});
        let signed_in = server.client.post("/api/auth/login").json(&login).await.expect(200);
        let token = signed_in["accessToken"].as_str().unwrap();
        let enrolment = server.client.post("/api/auth/mfa/totp").bearer(token).await.expect(200);
        let authenticator = Authenticator::from_enrolment(&enrolment);
        let confirm = json!({"code": authenticator.code_at(Utc::now(), 0)});
        server.client.post("/api/auth/mfa/totp/confirm").bearer(token).json(&confirm).await.expect(200);
        drop(server);

        let mut command = hallpass_on(&db, &["serve"]);
        command.env("JWT_SECRET", OTHER_SECRET);
        let server = Server::run(command).await;
        let lines = || server.output().matches("no secret of JWT_SECRET opens it").count();
        // The worker that seals authenticators under the newest secret has found it.
        eventually("the start names the authenticator", async || lines() == 1).await;
        let begun = server.client.post("/api/auth/login").json(&login).await.expect(200);
        let code = json!({"mfaToken": begun["mfaToken"], "code": authenticator.code_at(Utc::now(), 1)});
        let refused = server.client.post("/api/auth/mfa/verify").json(&code).await;
        assert_eq!((refused.status.as_u16(), refused.header("x-error-code")), (403, Some("authenticator_unusable")));
        eventually("the refusal is a line of the log", async || lines() == 2).await;
    }
}

/// What must never be in a log.
struct Secrets(Vec<String>);

impl Default for Secrets {
    fn default() -> Self {
        Self(
            [PASSWORD, OTHER_PASSWORD, SECRET, "token="]
                .map(str::to_owned)
                .to_vec(),
        )
    }
}

impl Secrets {
    fn keep(&mut self, secret: &str) -> String {
        self.0.push(secret.to_owned());
        secret.to_owned()
    }

    fn keep_of(&mut self, answer: &Value, field: &str) -> String {
        self.keep(answer[field].as_str().unwrap())
    }

    fn are_not_in(&self, log: &str) {
        for secret in &self.0 {
            let line = log.lines().find(|line| line.contains(secret.as_str()));
            assert_eq!(line, None, "the line contains {secret}");
        }
    }
}
