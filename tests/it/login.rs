//! Signing in with e-mail and password.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use serde_json::json;

use crate::support::{PASSWORD, TestApp, jwt, on_both_databases};

on_both_databases! {
    async fn a_login_answers_a_token_its_lifetime_and_the_user(app: TestApp) {
        let acme = app.registers("Acme", "ada@acme.example").await;
        let answer = app.tries_to_log_in("ada@acme.example", PASSWORD).await.expect(200);
        assert_eq!(answer["expiresIn"], 604_800);
        assert_eq!(keys(&answer), ["accessToken", "expiresIn", "user"]);
        let user = &answer["user"];
        assert_eq!(keys(user), ["email", "id", "name", "organizationId", "role"]);
        assert_eq!(user["email"], "ada@acme.example");
        assert_eq!(user["name"], "Ada Byron");
        assert_eq!(user["role"], "admin");
        assert_eq!(user["organizationId"], acme.id);
    }

    async fn the_claims_name_subject_organization_issue_time_and_expiry(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let (header, claims) = jwt::parts(&ada.token);
        assert_eq!(keys(&header), ["alg", "kid", "typ"]);
        assert_eq!((&header["alg"], &header["typ"]), (&json!("HS256"), &json!("JWT")));
        assert_eq!(keys(&claims), ["exp", "iat", "orgId", "pv", "role", "sid", "sub", "ver"]);
        assert_eq!(claims["sub"], ada.user["id"]);
        assert_eq!(claims["orgId"], ada.user["organizationId"]);
        assert_eq!(claims["role"], "admin");
        assert_eq!(claims["iat"], app.clock.timestamp());
        assert_eq!(claims["exp"], app.clock.timestamp() + 604_800);
        assert_eq!(claims["sid"], ada.sessions().await[0]["id"]);
        assert!(claims["ver"].is_i64());
        assert_eq!(claims["pv"], 0);
    }

    async fn unknown_address_wrong_password_and_disabled_account_get_one_answer(app: TestApp) {
        app.registers("Acme", "ada@acme.example").await;
        app.registers("Beta", "bob@beta.example").await;
        app.disables("bob@beta.example").await;

        let unknown = app.tries_to_log_in("unknown@acme.example", PASSWORD).await;
        let wrong = app.tries_to_log_in("ada@acme.example", "Not-The-Password-1").await;
        let disabled = app.tries_to_log_in("bob@beta.example", PASSWORD).await;
        unknown.refused(401, "Invalid credentials");
        assert_eq!(unknown.header("www-authenticate"), Some("Bearer"));
        assert_eq!(unknown.as_bytes(), wrong.as_bytes());
        assert_eq!(unknown.as_bytes(), disabled.as_bytes());
        app.tries_to_log_in("ada@acme.example", PASSWORD).await.expect(200);
    }

    /// A faster answer would reveal who has an account; `cargo bench --bench timing` measures what is left.
    async fn every_refusal_waits_for_the_same_minimum_time(app: TestApp) {
        app.registers("Acme", "ada@acme.example").await;
        app.registers("Beta", "bob@beta.example").await;
        app.disables("bob@beta.example").await;
        for email in ["unknown@acme.example", "ada@acme.example", "bob@beta.example"] {
            let begun = Instant::now();
            let answer = app.tries_to_log_in(email, "Not-The-Password-1").await;
            answer.refused(401, "Invalid credentials");
            assert!(begun.elapsed() >= Duration::from_millis(25), "{email}");
        }
    }

    async fn addresses_ignore_case_but_a_unicode_lookalike_is_different(app: TestApp) {
        app.registers("Acme", "ada@acme.example").await;
        app.tries_to_log_in("ADA@Acme.Example", PASSWORD).await.expect(200);
        let twin = app.tries_to_log_in("аda@acme.example", PASSWORD).await;
        assert!(matches!(twin.status.as_u16(), 400 | 401), "{}", twin.text());
    }

    async fn an_organization_id_chooses_the_organization_of_the_token(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        app.advance(TimeDelta::seconds(1));
        let beta = app.registers("Beta", "bob@beta.example").await;
        ada.also_belongs_to(&app, &beta.id, "manager").await;

        let first = app.tries_to_log_in(&ada.email, PASSWORD).await.expect(200);
        assert_eq!(first["user"]["organizationId"], ada.organization_id());
        let chosen = app
            .post("/api/auth/login")
            .json(&json!({"email": ada.email, "password": PASSWORD, "organizationId": beta.id}))
            .await
            .expect(200);
        assert_eq!(chosen["user"]["organizationId"], beta.id);
        assert_eq!(chosen["user"]["role"], "manager");
    }

    async fn a_foreign_organization_is_refused_after_the_right_password(app: TestApp) {
        app.registers("Acme", "ada@acme.example").await;
        let beta = app.registers("Beta", "bob@beta.example").await;
        for (organization_id, status, message) in [
            (beta.id.as_str(), 403, "Forbidden"),
            ("01939f2e-0000-7000-8000-000000000000", 404, "Organization not found"),
        ] {
            app.post("/api/auth/login")
                .json(&json!({
                    "email": "ada@acme.example",
                    "password": PASSWORD,
                    "organizationId": organization_id,
                }))
                .await
                .refused(status, message);
        }
        // A person who is not authenticated learns nothing about organizations.
        app.post("/api/auth/login")
            .json(&json!({
                "email": "ada@acme.example",
                "password": "Not-The-Password-1",
                "organizationId": "01939f2e-0000-7000-8000-000000000000",
            }))
            .await
            .refused(401, "Invalid credentials");
    }

    async fn a_login_names_each_missing_or_unknown_field(app: TestApp) {
        app.post("/api/auth/login").json(&json!({})).await.refused_fields(&["email", "password"]);
        app.post("/api/auth/login")
            .json(&json!({"email": "ada@acme.example", "password": PASSWORD, "role": "admin"}))
            .await
            .refused_fields(&["role"]);
    }

    async fn a_percent_encoded_path_is_the_same_login(app: TestApp) {
        app.registers("Acme", "ada@acme.example").await;
        app.post("/api/auth/%6Cogin")
            .json(&json!({"email": "ada@acme.example", "password": PASSWORD}))
            .await
            .expect(200);
    }
}

fn keys(object: &serde_json::Value) -> Vec<&str> {
    let mut keys: Vec<&str> = object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}
