//! Signing out with the session cookie.

use reqwest::Method;
use serde_json::json;

use crate::support::{Browser, PASSWORD, SESSION_COOKIE, TestApp, on_both_databases};

const SIGNOUT: &str = "/api/auth/signout";

on_both_databases! {
    async fn signing_out_ends_this_session_and_deletes_the_cookies(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let browser = Browser::new(&app);
        browser.signs_in("ada@acme.example", PASSWORD).await.expect(200);
        let token = browser.cookie(SESSION_COOKIE).unwrap();
        let csrf = browser.get("/api/auth/csrf").await.expect(200);
        let answer = browser.post_form(SIGNOUT, &[
            ("csrfToken", csrf["csrfToken"].as_str().unwrap()),
            ("callbackUrl", "http://localhost/bye"),
            ("json", "true"),
        ]).await;
        assert_eq!(answer.expect(200), json!({"url": "http://localhost/bye"}));
        assert_eq!(browser.cookie(SESSION_COOKIE), None);
        assert_eq!(browser.cookie("next-auth.csrf-token"), None);
        app.get("/api/auth/me").bearer(&token).await.refused(401, "Token revoked");
        ada.me().await.expect(200);
        let rows = "select count(*) from audit where action = 'session.logout'";
        assert_eq!(app.db.count(rows).await, 1);
        // Signing out again succeeds.
        let answer = browser.post_form(SIGNOUT, &[]).await;
        assert_eq!(answer.status, 302);
        assert_eq!(answer.header("location"), Some("http://localhost/"));
        browser.set_cookie(SESSION_COOKIE, &token);
        browser.post_form(SIGNOUT, &[("json", "true")]).await.expect(200);
        assert_eq!(browser.cookie(SESSION_COOKIE), None);
    }

    async fn a_foreign_page_cannot_sign_anyone_out(app: TestApp) {
        app.signs_up("Acme", "ada@acme.example").await;
        let browser = Browser::new(&app);
        browser.signs_in("ada@acme.example", PASSWORD).await.expect(200);
        let csrf = browser.get("/api/auth/csrf").await.expect(200);
        let csrf = csrf["csrfToken"].as_str().unwrap();
        let silent = || browser.silent(Method::POST, SIGNOUT);
        for call in [
            silent().header("origin", "https://evil.example").form(&[("csrfToken", csrf)]),
            silent().header("sec-fetch-site", "cross-site").form(&[]),
            silent().form(&[]),
            silent().form(&[("csrfToken", "nonsense")]),
            silent().header("origin", "null").form(&[]),
        ] {
            let answer = call.await;
            answer.refused(403, "Cross-site request refused");
            assert!(answer.header("set-cookie").is_none());
        }
        assert!(browser.session().await["user"].is_object());
        let answer = browser.kept(silent().form(&[("csrfToken", csrf)]).await);
        assert_eq!(answer.status, 302);
        assert_eq!(browser.session().await, json!({}));
    }
}
