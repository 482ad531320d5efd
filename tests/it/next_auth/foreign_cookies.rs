//! Cookies that another system has set under our name, such as the NextAuth that was here before: they are left alone.

use reqwest::Method;
use serde_json::json;

use crate::support::{
    Browser, OTHER_SECRET, PASSWORD, SESSION_COOKIE, TestApp, jwt, on_both_databases,
};

const ADA: &str = "ada@acme.example";

/// Session tokens of other systems: a JWE of NextAuth 4, a JWT without a key id and one with another's, and the tokens
/// of sessions that NextAuth keeps in a database.
fn foreign() -> Vec<String> {
    let claims = json!({"sub": "1", "exp": 4_000_000_000_u32});
    let jwt = |header| jwt::sign(&header, &claims, OTHER_SECRET);
    vec![
        "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..BNPdA5SBWDPqSIQa.Wj1473FyASC6.ztwZ_R5Ab9zurQLrRRR2Fg".to_owned(),
        "a.b.c.d.e".to_owned(),
        jwt(json!({"alg": "HS256", "typ": "JWT"})),
        jwt(json!({"alg": "HS256", "typ": "JWT", "kid": "AAAAAAAAAAA"})),
        "0b0f6a0c-3f39-4a64-8c0e-6f3f4d1b5a77".to_owned(),
        "f3b1".repeat(16),
    ]
}

on_both_databases! {
    async fn a_cookie_of_another_system_is_neither_deleted_nor_replaced(app: TestApp) {
        for value in foreign() {
            let browser = Browser::new(&app);
            browser.set_cookie(SESSION_COOKIE, &value);
            for answer in [
                browser.get("/api/auth/session").await,
                browser.call(Method::POST, "/api/auth/session").json(&json!({})).await,
                browser.get("/api/auth/csrf").await,
                browser.get("/api/auth/signin").await,
                browser.get("/api/auth/signout").await,
                browser.get("/api/auth/verify").await,
                browser.get("/join?token=x").await,
                browser.post_form("/api/auth/signout", &[("json", "true")]).await,
                browser.get("/api/auth/me").await,
            ] {
                let names: Vec<String> = answer.set_cookies().into_iter().map(|(name, _)| name).collect();
                assert!(!names.contains(&SESSION_COOKIE.to_owned()), "{value}: {names:?}");
            }
            assert_eq!(browser.session().await, json!({}));
            assert_eq!(browser.cookie(SESSION_COOKIE), Some(value));
        }
    }

    async fn parts_of_an_old_cookie_stay_until_a_sign_in_replaces_it(app: TestApp) {
        app.signs_up("Acme", ADA).await;
        let browser = Browser::new(&app);
        let parts = [0, 1, 10].map(|n| format!("{SESSION_COOKIE}.{n}"));
        for part in &parts {
            browser.set_cookie(part, "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0");
        }
        browser.set_cookie("other", "x");
        browser.post_form("/api/auth/signout", &[("json", "true")]).await.expect(200);
        assert_eq!(browser.session().await, json!({}));
        for part in &parts {
            assert!(browser.cookie(part).is_some(), "{part}");
        }
        browser.signs_in(ADA, PASSWORD).await.expect(200);
        assert_eq!(browser.session().await["user"]["email"], ADA);
        for part in &parts {
            assert_eq!(browser.cookie(part), None, "{part}");
        }
        assert!(browser.cookie("other").is_some());
    }

    async fn beside_a_cookie_of_another_system_ours_counts(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        for value in foreign() {
            for cookies in [
                format!("{SESSION_COOKIE}={value}; {SESSION_COOKIE}={}", ada.token),
                format!("{SESSION_COOKIE}={}; {SESSION_COOKIE}={value}", ada.token),
            ] {
                let answer = app.get("/api/auth/session").header("cookie", &cookies).await;
                assert_eq!(answer.expect(200)["user"], ada.user, "{value}");
                app.get("/api/auth/me").header("cookie", &cookies).await.expect(200);
            }
        }
        // Two of ours count as none, as any host of the domain may have set one.
        let other = app.signs_up("Beta", "bob@beta.example").await;
        let cookies = format!("{SESSION_COOKIE}={}; {SESSION_COOKIE}={}", ada.token, other.token);
        app.get("/api/auth/me").header("cookie", &cookies).await.refused(401, "Invalid token");
    }

    async fn an_ended_session_of_ours_is_deleted_beside_one_of_another_system(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        ada.logs_out().await.expect(200);
        let cookies = format!("{SESSION_COOKIE}=a.b.c.d.e; {SESSION_COOKIE}={}", ada.token);
        let answer = app.get("/api/auth/session").header("cookie", &cookies).await;
        assert_eq!(answer.expect(200), json!({}));
        assert_eq!(answer.set_cookies(), [(SESSION_COOKIE.to_owned(), String::new())]);
    }
}
