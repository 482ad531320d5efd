//! Access tokens: no claim counts unless the signature and the database confirm it.

use hallpass::config::Config;
use hallpass::crypto::token_keys::SecretUse;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::support::{Actor, Db, OTHER_SECRET, SECRET, TestApp, jwt, on_both_databases};

#[path = "../support/bad_tokens.rs"]
mod bad_tokens;

use bad_tokens::{Key, Signer, Verdict, corpus, good_tokens, key_pair};

const UNKNOWN: &str = "01939f2e-0000-7000-8000-000000000000";

on_both_databases! {
    async fn every_bad_token_is_refused_and_the_server_survives(db: Db) {
        let app = TestApp::configured(db, two_secrets).await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let kids = [jwt::kid_of(SECRET).await, jwt::kid_of(OTHER_SECRET).await];
        let [key, other] = [(SECRET, &kids[0]), (OTHER_SECRET, &kids[1])].map(of_secret);
        are_refused_and_good_ones_accepted(&app, &ada, key, &[other]).await;
    }

    async fn every_bad_token_of_a_signing_key_is_refused(db: Db) {
        let pems = [jwt::new_signing_key(), jwt::new_signing_key()];
        let app = TestApp::configured(db, |config| {
            config.tokens.signing = jwt::signing(&[&pems[0], &pems[1]], SecretUse::Verifies);
        })
        .await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let pairs = pems.each_ref().map(|pem| key_pair(pem));
        let kids = pems.each_ref().map(|pem| {
            let keys = jwt::signing(&[pem], SecretUse::Verifies).unwrap();
            keys.iter().next().unwrap().kid().to_owned()
        });
        assert_eq!(kid(&ada.token), kids[0]);
        let secret = jwt::kid_of(SECRET).await;
        let [first, second] = [(&pairs[0], &kids[0]), (&pairs[1], &kids[1])]
            .map(|(pair, kid)| Key { kid, signer: Signer::Es256(pair) });
        let secret = of_secret((SECRET, &secret));
        are_refused_and_good_ones_accepted(&app, &ada, first, &[second, secret]).await;
        are_refused_and_good_ones_accepted(&app, &ada, secret, &[first, second]).await;
    }

    async fn a_well_signed_token_of_an_unknown_person_is_refused(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let beta = app.registers("Beta", "bob@beta.example").await;
        let bob = app.logs_in("bob@beta.example", crate::support::PASSWORD).await;
        for (what, field, value) in [
            ("a user who is not there", "sub", json!(UNKNOWN)),
            ("an organization that is not there", "orgId", json!(UNKNOWN)),
            ("an organization of others", "orgId", json!(beta.id)),
            ("a role nobody has", "role", json!("superadmin")),
            ("somebody else", "sub", bob.user["id"].clone()),
        ] {
            let token = jwt::altered(&ada.token, SECRET, |claims| claims[field] = value);
            let answer = app.get("/api/auth/me").bearer(&token).await;
            assert_eq!(answer.status, 401, "{what}: {}", answer.text());
        }
        ada.me().await.expect(200);
    }

    async fn the_scheme_ignores_case_and_may_appear_only_once(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        for scheme in ["Bearer", "bearer", "BEARER"] {
            app.get("/api/auth/me")
                .header("authorization", &format!("{scheme} {}", ada.token))
                .await
                .expect(200);
        }
        let twice = app.get("/api/auth/me").bearer(&ada.token).bearer(&ada.token).await;
        assert_eq!(twice.status, 401, "{}", twice.text());
        for nothing in ["Basic YWRhOnB3", "Bearer", "Bearer ", &ada.token] {
            let answer = app.get("/api/auth/me").header("authorization", nothing).await;
            assert_eq!(answer.status, 401, "{nothing}: {}", answer.text());
        }
    }

    async fn a_token_in_the_query_or_a_cookie_is_ignored_here(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        app.get(&format!("/api/auth/me?token={0}&access_token={0}", ada.token))
            .await
            .refused(401, "Authentication required");
        app.get("/api/auth/me")
            .header("cookie", &format!("token={}", ada.token))
            .await
            .refused(401, "Authentication required");
    }

    async fn a_token_expires_to_the_second(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let expiry = jwt::claims(&ada.token)["exp"].as_i64().unwrap();
        app.advance(chrono::TimeDelta::seconds(expiry - 1 - app.clock.timestamp()));
        ada.me().await.expect(200);
        app.advance(chrono::TimeDelta::seconds(1));
        ada.me().await.refused(401, "Token expired");
    }

    async fn both_secrets_verify_during_rotation_and_the_newest_signs(db: Db) {
        let mut app = TestApp::start(db).await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        app.restart_configured(|config| {
            config.tokens.secrets = vec![OTHER_SECRET.into(), SECRET.into()];
        })
        .await;
        ada.me().await.expect(200);
        let renewed = ada.signs_in_again().await;
        assert_ne!(kid(&renewed.token), kid(&ada.token));
        let refreshed = ada.refreshes().await.expect(200);
        assert_eq!(kid(refreshed["accessToken"].as_str().unwrap()), kid(&renewed.token));

        app.restart_configured(|config| config.tokens.secrets = vec![OTHER_SECRET.into()]).await;
        ada.me().await.refused(401, "Invalid token");
        renewed.me().await.expect(200);
    }

    async fn issuer_and_audience_are_required_once_they_are_set(db: Db) {
        let mut app = TestApp::start(db).await;
        let before = app.signs_up("Acme", "ada@acme.example").await;
        assert_eq!(jwt::claims(&before.token)["iss"], Value::Null);
        app.restart_configured(|config| {
            config.tokens.issuer = Some("https://id.example".to_owned());
            config.tokens.audience = Some("hallpass".to_owned());
        })
        .await;
        let ada = before.signs_in_again().await;
        let claims = jwt::claims(&ada.token);
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!("https://id.example"), &json!("hallpass")));
        ada.me().await.expect(200);
        before.me().await.refused(401, "Invalid token");
        for (claim, value) in [("iss", "https://evil.example"), ("aud", "other")] {
            let foreign = jwt::altered(&ada.token, SECRET, |claims| claims[claim] = json!(value));
            app.get("/api/auth/me").bearer(&foreign).await.refused(401, "Invalid token");
        }
    }

    async fn the_stored_role_overrides_the_claim(db: Db) {
        let mut app = TestApp::start(db).await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        let forged = jwt::altered(&bob.token, SECRET, |claims| claims["role"] = json!("admin"));
        let seen = app.get("/api/auth/me").bearer(&forged).await.expect(200);
        assert_eq!(seen["role"], "employee");

        // With SQL, so the cache must be emptied: hence the restart.
        app.db.execute("update memberships set role = 'employee'").await;
        app.restart().await;
        assert_eq!(jwt::claims(&ada.token)["role"], "admin");
        assert_eq!(ada.me().await.expect(200)["role"], "employee");
    }

    async fn a_person_who_left_the_organization_is_refused(db: Db) {
        let mut app = TestApp::start(db).await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        let user = app.db.id(bob.id());
        app.db.execute(&format!("delete from memberships where user_id = {user}")).await;
        app.restart().await;
        assert_eq!(bob.me().await.status, 401);
        assert_eq!(bob.refreshes().await.status, 401);
        ada.me().await.expect(200);
    }

    async fn a_disabled_account_is_signed_out_everywhere(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        bob.me().await.expect(200);
        app.disables(&bob.email).await;
        crate::support::eventually("the disabled account is refused", async || {
            bob.me().await.status == 401
        })
        .await;
        bob.me().await.refused(401, "Token revoked");
        assert_eq!(bob.refreshes().await.status, 401);
        ada.me().await.expect(200);
    }
}

fn two_secrets(config: &mut Config) {
    config.tokens.secrets = vec![SecretString::from(SECRET), SecretString::from(OTHER_SECRET)];
}

fn of_secret<'a>((secret, kid): (&'a str, &'a String)) -> Key<'a> {
    Key {
        kid,
        signer: Signer::Hs256(secret.as_bytes()),
    }
}

async fn are_refused_and_good_ones_accepted(
    app: &TestApp,
    ada: &Actor,
    key: Key<'_>,
    others: &[Key<'_>],
) {
    let claims = jwt::claims(&ada.token);
    let now = app.clock.timestamp();
    let bad = corpus(key, others, claims.clone(), now);
    assert!(bad.len() >= 80, "only {}", bad.len());
    for bad in bad.iter().filter(|bad| bad.fits_a_header()) {
        let answer = app.get("/api/auth/me").bearer(&bad.token).await;
        // Longer ones are refused by HTTP itself for the size of the header.
        if matches!(answer.status.as_u16(), 400 | 431) && bad.token.len() > 4096 {
            continue;
        }
        let message = match bad.expected {
            Verdict::Invalid => "Invalid token",
            Verdict::Expired => "Token expired",
        };
        assert_eq!(answer.status, 401, "{}: {}", bad.name, answer.text());
        assert_eq!(answer.json()["message"], message, "{}", bad.name);
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(
            challenge.contains(r#"error="invalid_token""#),
            "{}",
            bad.name
        );
    }
    for (name, token) in good_tokens(key, &claims, now) {
        let answer = app.get("/api/auth/me").bearer(&token).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
    }
}

fn kid(token: &str) -> String {
    jwt::header(token)["kid"].as_str().unwrap().to_owned()
}
