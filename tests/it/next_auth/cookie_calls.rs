//! The session cookie in place of a bearer token.

use reqwest::Method;
use serde_json::json;

use crate::support::{
    Answer, Browser, Db, OTHER_PASSWORD, PASSWORD, SESSION_COOKIE, TestApp, on_both_databases,
};

on_both_databases! {
    async fn the_cookie_works_like_a_bearer_token(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        app.advance(chrono::TimeDelta::minutes(1));
        let browser = Browser::new(&app);
        browser.signs_in("ada@acme.example", PASSWORD).await.expect(200);
        assert_eq!(browser.get("/api/auth/me").await.expect(200), ada.user);
        let list = browser.get("/api/auth/sessions").await.expect(200);
        let sessions = list["sessions"].as_array().unwrap();
        assert_eq!(sessions.len(), 2);
        assert_eq!(sessions[0]["current"], true);
        let renamed = browser.call(Method::PATCH, "/api/auth/me").json(&json!({"name": "Ada King"}));
        assert_eq!(renamed.await.expect(200)["name"], "Ada King");
        let refreshed = browser.call(Method::POST, "/api/auth/refresh").await.expect(200);
        assert_eq!(refreshed["user"]["id"], ada.user["id"]);
        let body = json!({"currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD});
        browser.call(Method::POST, "/api/auth/change-password").json(&body).await.expect(200);
        ada.me().await.refused(401, "Token revoked");
        browser.call(Method::POST, "/api/auth/logout").await.expect(200);
        browser.get("/api/auth/me").await.refused(401, "Token revoked");
    }

    async fn every_unsafe_cookie_call_passes_the_csrf_check(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let browser = Browser::new(&app);
        browser.signs_in("ada@acme.example", PASSWORD).await.expect(200);
        let csrf = browser.get("/api/auth/csrf").await.expect(200);
        let csrf = csrf["csrfToken"].as_str().unwrap().to_owned();
        let document = app.get("/openapi.json").await.expect(200);
        let mut tried = 0;
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let takes_cookie = operation["security"]
                    .as_array()
                    .is_some_and(|ways| ways.contains(&json!({"sessionCookie": []})));
                if !takes_cookie || method == "get" {
                    continue;
                }
                tried += 1;
                let body = &operation["requestBody"]["content"]["application/json"]["example"];
                let method: Method = method.to_uppercase().parse().unwrap();
                let path = path.replace("{id}", "01939f2e-0000-7000-8000-000000000000");
                for (name, value) in [
                    ("origin", "https://evil.example"),
                    ("sec-fetch-site", "cross-site"),
                    ("sec-fetch-site", "same-site"),
                    ("origin", "null"),
                    ("accept", "*/*"),
                ] {
                    let call = browser.silent(method.clone(), &path).header(name, value);
                    let answer = call.json(body).await;
                    assert_eq!(
                        answer.header("x-error-code"),
                        Some("cross_site_request"),
                        "{method} {path} with {name}: {value}"
                    );
                }
                let evil = browser.silent(method.clone(), &path).header("origin", "https://evil.example");
                let answer = evil.header("x-csrf-token", &csrf).json(body).await;
                assert_eq!(answer.header("x-error-code"), Some("cross_site_request"), "{method} {path}");
                // A custom header cannot be sent by a foreign page without CORS permission.
                let bearer = app.client.call(method.clone(), &path).header("origin", "https://evil.example");
                let answer = bearer.bearer("nonsense").json(body).await;
                assert_eq!(answer.header("x-error-code"), Some("invalid_token"), "{method} {path}");
            }
        }
        assert!(tried >= 7, "{tried}");
        assert_eq!(browser.get("/api/auth/me").await.expect(200), ada.user, "nothing has changed");

        let rename = |name: &str| json!({"name": name});
        let allowed = browser.silent(Method::PATCH, "/api/auth/me").header("origin", "https://app.example");
        allowed.json(&rename("One")).await.expect(200);
        let silent = browser.silent(Method::PATCH, "/api/auth/me").header("x-csrf-token", &csrf);
        silent.json(&rename("Two")).await.expect(200);
        let other = app.get("/api/auth/csrf").await.expect(200);
        let other = other["csrfToken"].as_str().unwrap();
        let silent = browser.silent(Method::PATCH, "/api/auth/me").header("x-csrf-token", other);
        silent.json(&rename("Three")).await.refused(403, "Cross-site request refused");
        assert_eq!(browser.get("/api/auth/me").await.expect(200)["name"], "Two");
    }

    async fn a_refreshed_token_renews_the_cookie_that_requested_it(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let beta = app.registers("Beta", "bob@beta.example").await;
        let eve = app.signs_up_verified("Gamma", "eve@gamma.example").await;
        let browser = Browser::new(&app);
        browser.signs_in("ada@acme.example", PASSWORD).await.expect(200);
        let acts_for = async |answer: Answer, organization_id: &str| {
            let answer = browser.kept(answer);
            let cookie = answer.header("set-cookie").unwrap();
            for part in ["; Max-Age=604800", "; HttpOnly", "; SameSite=Lax"] {
                assert!(cookie.contains(part), "{cookie}");
            }
            let token = browser.cookie(SESSION_COOKIE).unwrap();
            assert_eq!(answer.expect(200)["accessToken"], token.as_str());
            assert_eq!(browser.session().await["user"]["organizationId"], organization_id);
        };
        let joins = browser.call(Method::POST, &format!("/api/organizations/{}/join", beta.id));
        acts_for(joins.await, &beta.id).await;
        let switches = |id: &str| {
            browser.call(Method::POST, "/api/auth/refresh").json(&json!({"organizationId": id}))
        };
        acts_for(switches(ada.organization_id()).await, ada.organization_id()).await;
        eve.invites(&ada.email, "manager").await.expect(201);
        let token = app.mailed_token(&ada.email, "invitation").await;
        let accepts = browser.call(Method::POST, "/api/invitations/accept").json(&json!({"token": token}));
        acts_for(accepts.await, eve.organization_id()).await;

        let strangers = "01939f2e-0000-7000-8000-000000000000";
        assert!(switches(strangers).await.header("set-cookie").is_none());
        // A client that sends a bearer token gets its new token in the body only.
        let bearer = switches(&beta.id).bearer(&ada.token).await;
        assert_eq!(bearer.expect(200)["user"]["organizationId"], beta.id);
        assert!(bearer.header("set-cookie").is_none());
        assert_eq!(browser.session().await["user"]["organizationId"], eve.organization_id());
    }

    async fn two_identities_in_one_request_never_mix(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.signs_up("Bolt", "bob@bolt.example").await;
        let cookie = format!("{SESSION_COOKIE}={}", bob.token);
        let both = app.get("/api/auth/me").bearer(&ada.token).header("cookie", &cookie);
        assert_eq!(both.await.expect(200), ada.user);
        // An invalid header does not fall back to the cookie.
        app.get("/api/auth/me").bearer("nonsense").header("cookie", &cookie).await.refused(401, "Invalid token");
        let basic = app.get("/api/auth/me").header("authorization", "Basic YTpi");
        basic.header("cookie", &cookie).await.refused(401, "Authentication required");
        let two = format!("{SESSION_COOKIE}={}; {cookie}", ada.token);
        app.get("/api/auth/me").header("cookie", &two).await.refused(401, "Invalid token");
        let twice = format!("{cookie}; {cookie}");
        app.get("/api/auth/me").header("cookie", &twice).await.refused(401, "Invalid token");
        assert_eq!(app.get("/api/auth/me").header("cookie", &cookie).await.expect(200), bob.user);
    }

    async fn under_https_only_the_prefixed_cookie_counts(db: Db) {
        let app = TestApp::configured(db, |config| {
            config.server.public_url = "https://id.example.com".parse().unwrap();
        })
        .await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let me = |name: &str| app.get("/api/auth/me").header("cookie", &format!("{name}={}", ada.token));
        assert_eq!(me("__Secure-next-auth.session-token").await.expect(200), ada.user);
        me("next-auth.session-token").await.refused(401, "Authentication required");
        let body = json!({"email": "ada@acme.example", "password": PASSWORD, "json": true});
        let answer = app.post("/api/auth/callback/credentials").json(&body).await;
        let cookie = answer.header("set-cookie").unwrap();
        assert!(cookie.starts_with("__Secure-next-auth.session-token=") && cookie.ends_with("; Secure"), "{cookie}");
        let answer = app.get("/api/auth/csrf").await;
        let cookie = answer.header("set-cookie").unwrap();
        assert!(cookie.starts_with("__Host-next-auth.csrf-token=") && cookie.ends_with("; Secure"), "{cookie}");
    }
}
