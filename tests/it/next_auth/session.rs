//! The session endpoint: who is signed in by the cookie.

use chrono::TimeDelta;
use hallpass::domain::TokenDelivery;
use reqwest::Method;
use serde_json::json;

use crate::support::slack::{RETURN_URL, Returned};
use crate::support::{
    Browser, Db, OTHER_SECRET, PASSWORD, SESSION_COOKIE, SlackApp, TestApp, jwt, on_both_databases,
};

on_both_databases! {
    async fn a_session_is_the_user_and_the_expiry_of_the_cookie(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let browser = Browser::new(&app);
        assert_eq!(browser.session().await, json!({}));
        browser.signs_in("ada@acme.example", PASSWORD).await.expect(200);
        let session = browser.session().await;
        assert_eq!(session["user"], ada.user);
        let expires = session["expires"].as_str().unwrap();
        let expires = chrono::DateTime::parse_from_rfc3339(expires).unwrap();
        let claims = jwt::claims(&browser.cookie(SESSION_COOKIE).unwrap());
        assert_eq!(expires.timestamp(), claims["exp"].as_i64().unwrap());
        assert_eq!(session.as_object().unwrap().len(), 2);
        // The header is accepted as well, and changes no cookie.
        let answer = app.get("/api/auth/session").bearer(&ada.token).await;
        assert_eq!(answer.expect(200)["user"], ada.user);
        assert!(answer.header("set-cookie").is_none());
    }

    async fn an_invalid_cookie_is_deleted_without_an_error(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let expired = jwt::altered(&ada.token, crate::support::SECRET, |claims| {
            claims["exp"] = json!(app.clock.timestamp());
        });
        let forged = jwt::altered(&ada.token, OTHER_SECRET, |_| {});
        let ended = ada.signs_in_again().await;
        ended.logs_out().await.expect(200);
        for bad in ["nonsense", &expired, &forged, &ended.token] {
            let browser = Browser::new(&app);
            browser.set_cookie(SESSION_COOKIE, bad);
            let answer = browser.get("/api/auth/session").await;
            assert_eq!(answer.expect(200), json!({}), "{bad}");
            assert_eq!(answer.set_cookies(), [(SESSION_COOKIE.to_owned(), String::new())]);
            assert_eq!(browser.cookie(SESSION_COOKIE), None);
        }
    }

    async fn a_used_cookie_is_renewed_daily_and_the_old_token_stays_valid(app: TestApp) {
        app.signs_up("Acme", "ada@acme.example").await;
        let browser = Browser::new(&app);
        browser.signs_in("ada@acme.example", PASSWORD).await.expect(200);
        let first = browser.cookie(SESSION_COOKIE).unwrap();
        app.advance(TimeDelta::hours(23));
        assert!(browser.get("/api/auth/session").await.header("set-cookie").is_none());
        app.advance(TimeDelta::hours(1));
        let answer = browser.get("/api/auth/session").await;
        let expires = answer.expect(200)["expires"].as_str().unwrap().to_owned();
        let second = browser.cookie(SESSION_COOKIE).unwrap();
        assert_ne!(first, second);
        let claims = jwt::claims(&second);
        assert_eq!(claims["sid"], jwt::claims(&first)["sid"]);
        let expires = chrono::DateTime::parse_from_rfc3339(&expires).unwrap();
        assert_eq!(expires.timestamp(), claims["exp"].as_i64().unwrap());
        for token in [&first, &second] {
            app.get("/api/auth/me").bearer(token).await.expect(200);
        }
        assert!(browser.get("/api/auth/session").await.header("set-cookie").is_none());
        // Daily use does not extend a session beyond its 90 days.
        for _ in 0..89 {
            app.advance(TimeDelta::days(1));
            browser.get("/api/auth/session").await.expect(200);
        }
        assert_eq!(browser.session().await, json!({}));
    }

    async fn update_reads_the_session_again_and_changes_nothing(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let browser = Browser::new(&app);
        browser.signs_in("ada@acme.example", PASSWORD).await.expect(200);
        let update = json!({"csrfToken": "x", "data": {"user": {"role": "admin", "name": "Eve"}}});
        let post = || browser.silent(Method::POST, "/api/auth/session");
        let answer = post().header("origin", "http://localhost").json(&update).await;
        assert_eq!(answer.expect(200)["user"], ada.user);
        let answer = post().header("origin", "https://evil.example").json(&update).await;
        answer.refused(403, "Cross-site request refused");
        post().json(&update).await.refused(403, "Cross-site request refused");
    }

    async fn slack_is_no_provider_where_it_does_not_set_the_cookie(db: Db) {
        let app = SlackApp::start(db).await;
        app.begins().await;
        let providers = app.get("/api/auth/providers").await.expect(200);
        assert!(providers.get("slack").is_none(), "{providers}");
        for fields in [&[][..], &[("json", "true")]] {
            let answer = app.post("/api/auth/signin/slack").form(fields).await;
            answer.refused(404, "Provider not found");
            assert_eq!(answer.header("x-error-code"), Some("provider_not_found"));
        }
    }

    async fn sign_in_with_slack_sets_the_cookie(db: Db) {
        let app = SlackApp::configured(db, |slack| slack.token_delivery = TokenDelivery::Cookie).await;
        let providers = app.get("/api/auth/providers").await.expect(200);
        assert_eq!(providers["slack"]["signinUrl"], "http://localhost/api/auth/signin/slack");
        let browser = Browser::new(&app);
        let fields = [("callbackUrl", RETURN_URL), ("json", "true")];
        let authorization = browser.post_form("/api/auth/signin/slack", &fields).await.expect(200);
        let authorization: url::Url = authorization["url"].as_str().unwrap().parse().unwrap();
        assert_eq!(authorization.path(), "/api/auth/slack/start");
        let page = browser.get(&format!("/api/auth/signin?callbackUrl={RETURN_URL}")).await;
        assert!(page.text().contains("Sign in with Slack"), "{}", page.text());

        let started = browser.get(&format!("{}?{}", authorization.path(), authorization.query().unwrap())).await;
        let to_slack: url::Url = started.header("location").unwrap().parse().unwrap();
        let callback = app.consents(&to_slack, "owner").await;
        let returned = Returned::of(browser.get(&callback).await);
        assert_eq!(returned.url, RETURN_URL);
        assert!(!returned.query.contains_key("token") && returned.fragment.is_empty());
        let session = browser.session().await;
        assert_eq!(session["user"]["role"], "admin", "{session}");
        browser.post_form("/api/auth/signout", &[("json", "true")]).await.expect(200);
        assert_eq!(browser.session().await, json!({}));
    }
}
