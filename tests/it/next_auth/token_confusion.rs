//! No token, cookie or code is accepted in place of another kind.

use reqwest::Method;
use serde_json::json;

use crate::support::{Browser, PASSWORD, SESSION_COOKIE, SlackApp, on_both_databases};

on_both_databases! {
    async fn no_token_or_cookie_is_accepted_in_place_of_another(app: SlackApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let verify = app.mailed_token("ada@acme.example", "verify_email").await;
        let csrf = app.get("/api/auth/csrf").await.expect(200)["csrfToken"].as_str().unwrap().to_owned();
        let login = json!({"name": "ada@acme.example", "password": PASSWORD, "returnToken": true});
        let opaque = app.post("/api/v1/login").json(&login).await.expect(200);
        let opaque = opaque["token"].as_str().unwrap().to_owned();
        let state = app.begins().await;
        let state = state.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        let bob = app.signs_up("Bolt", "bob@bolt.example").await;
        bob.enrols(&app).await;
        let mfa = app.takes_first_step("bob@bolt.example").await;
        let artefacts = [
            ("jwt", ada.token.clone()),
            ("verify", verify),
            ("csrf", csrf),
            ("session token", opaque),
            ("state", state),
            ("mfa", mfa),
        ];
        for (kind, value) in &artefacts {
            let path = format!("/api/v1/search?token={value}");
            let body = json!({"from": 0, "size": 1});
            let in_query = app.post(&path).json(&body).await;
            let as_bearer = app.post("/api/v1/search").bearer(value).json(&body).await;
            let cookie = format!("hallpass-session={value}");
            let in_cookie = app.post("/api/v1/search").header("origin", "http://localhost");
            let in_cookie = in_cookie.header("cookie", &cookie).json(&body).await;
            for answer in [in_query, as_bearer, in_cookie] {
                if *kind == "session token" {
                    answer.expect(200);
                } else {
                    answer.refused(401, "Invalid token");
                }
            }

            let me = app.get("/api/auth/me").bearer(value).await;
            let cookie = format!("{SESSION_COOKIE}={value}");
            let me_by_cookie = app.get("/api/auth/me").header("cookie", &cookie).await;
            for answer in [me, me_by_cookie] {
                if *kind == "jwt" {
                    answer.expect(200);
                } else {
                    answer.refused(401, "Invalid token");
                }
            }
            app.get(&format!("/api/auth/me?token={value}")).await.refused(401, "Authentication required");

            // As a CSRF token, both doubled in the cookie and alone.
            let fields = [("email", "ada@acme.example"), ("password", PASSWORD), ("csrfToken", value.as_str())];
            let browser = Browser::new(&app);
            browser.set_cookie("next-auth.csrf-token", value);
            let doubled = browser.silent(Method::POST, "/api/auth/callback/credentials").form(&fields).await;
            let alone = app.post("/api/auth/callback/credentials").form(&fields).await;
            for answer in [doubled, alone] {
                if *kind == "csrf" {
                    assert_eq!(answer.status, 302, "{}", answer.text());
                } else {
                    answer.refused(403, "Cross-site request refused");
                }
            }

            if *kind != "state" {
                let callback = format!("/api/auth/slack/callback?code=x&state={value}");
                app.get(&callback).await.is_page(400, "sign_in_expired");
            }
        }
    }
}
