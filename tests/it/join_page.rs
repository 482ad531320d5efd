//! The page a join link leads to.

use chrono::TimeDelta;
use hallpass::domain::{AllowedDomains, JoinPolicy};
use reqwest::Method;
use serde_json::json;

use crate::support::client::Call;
use crate::support::{Actor, Answer, PASSWORD, SESSION_COOKIE, TestApp, on_both_databases};

async fn link(admin: &Actor, uses: u32) -> String {
    let path = admin.organization_path("/join-links");
    let made = admin
        .post(&path)
        .json(&json!({"role": "manager", "uses": uses}))
        .await
        .expect(201);
    made["token"].as_str().unwrap().to_owned()
}

fn opens(app: &TestApp, token: &str) -> Call {
    app.get(&format!("/join?token={token}"))
}

fn with_cookie(call: Call, who: &Actor) -> Call {
    call.header("cookie", &format!("{SESSION_COOKIE}={}", who.token))
}

/// As a browser that posts the page's form.
fn submits(app: &TestApp, who: &Actor, token: &str) -> Call {
    let call = with_cookie(app.post("/join"), who).header("origin", "http://localhost");
    call.form(&[("token", token)])
}

#[track_caller]
fn says(answer: &Answer, status: u16, words: &[&str]) {
    let page = answer.text();
    assert_eq!(answer.status.as_u16(), status, "{page}");
    assert_eq!(
        answer.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    for word in words {
        assert!(page.contains(word), "no {word:?} in {page}");
    }
}

on_both_databases! {
    async fn opening_a_link_names_the_organization_and_uses_nothing_up(app: TestApp) {
        let ada = app.signs_up("Acme <Works>", "ada@acme.example").await;
        let bob = app.signs_up("Bolt", "bob@bolt.example").await;
        let token = link(&ada, 1).await;
        for _ in 0..3 {
            let page = opens(&app, &token).await;
            says(&page, 200, &["Acme &lt;Works&gt;", "as a manager", "callbackUrl", "Sign in"]);
            assert!(!page.text().contains("<form"));
            says(&with_cookie(opens(&app, &token), &bob).await, 200, &["Acme", "Ada Byron", "<form", &token]);
        }
        app.client.call(Method::HEAD, &format!("/join?token={token}")).await;
        assert_eq!(app.db.count("select count(*) from join_links where used = 0").await, 1);
        assert_eq!(app.db.count("select count(*) from memberships").await, 2);
    }

    async fn the_sign_in_page_leads_back_to_the_link(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let token = link(&ada, 1).await;
        let page = opens(&app, &token).await.text();
        let href = page.split("href=\"").nth(1).unwrap().split('"').next().unwrap();
        let href = href.replace("&#x2f;", "/").replace("&amp;", "&");
        let sign_in = app.get(href.strip_prefix("http://localhost").unwrap()).await;
        says(&sign_in, 200, &["join?token=", &token]);
    }

    async fn the_button_joins_with_the_session_cookie_and_renews_it(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let mut bob = app.signs_up("Bolt", "bob@bolt.example").await;
        let token = link(&ada, 1).await;
        let joined = submits(&app, &bob, &token).await;
        says(&joined, 200, &["Welcome", "You are now a member of Acme."]);
        let cookie = joined.header("set-cookie").unwrap();
        let value = cookie.strip_prefix(&format!("{SESSION_COOKIE}=")).unwrap();
        bob.token = value.split(';').next().unwrap().to_owned();
        let me = bob.me().await.expect(200);
        assert_eq!((&me["organizationId"], &me["role"]), (&json!(ada.organization_id()), &json!("manager")));
        for again in [submits(&app, &bob, &token).await, with_cookie(opens(&app, &token), &bob).await] {
            says(&again, 200, &["Acme"]);
        }
        says(&with_cookie(opens(&app, &token), &bob).await, 200, &["You belong to Acme already."]);
        assert_eq!(app.db.count("select count(*) from join_links where used = 1").await, 1);
        says(&opens(&app, &token).await, 400, &["no longer valid", "invalid_or_expired_token"]);
    }

    async fn another_site_joins_nobody_to_anything(app: TestApp) {
        let eve = app.signs_up("Evil", "eve@evil.example").await;
        let bob = app.signs_up("Bolt", "bob@bolt.example").await;
        let token = link(&eve, 1).await;
        for (header, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
            let call = with_cookie(app.post("/join"), &bob).header(header, value);
            let refused = call.form(&[("token", &token)]).await;
            says(&refused, 403, &["cross_site_request"]);
        }
        let silent = with_cookie(app.post("/join"), &bob).form(&[("token", &token)]).await;
        says(&silent, 403, &["cross_site_request"]);
        assert_eq!(app.db.count("select count(*) from memberships").await, 2);
    }

    async fn without_a_session_the_form_leads_to_the_sign_in(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let token = link(&ada, 1).await;
        let page = app.post("/join").form(&[("token", &token)]).await;
        says(&page, 200, &["Acme", "callbackUrl"]);
        ada.logs_out().await.expect(200);
        says(&with_cookie(opens(&app, &token), &ada).await, 200, &["callbackUrl"]);
        assert_eq!(app.db.count("select count(*) from memberships").await, 1);
    }

    async fn a_session_that_cannot_join_leads_to_the_sign_in_and_back(app: TestApp) {
        for (rule, code) in [("sessionLifetime", "session_too_old"), ("sessionIdle", "reauthentication_required")] {
            let ada = app.signs_up(rule, &format!("ada@{}.example", rule.to_lowercase())).await;
            let bob = app.signs_up("Bolt", &format!("bob@{}.example", rule.to_lowercase())).await;
            let token = link(&ada, 1).await;
            ada.sets_rules(&json!({rule: 3600})).await;
            app.advance(TimeDelta::hours(2));
            let refused = submits(&app, &bob, &token).await;
            let way = "&#x2f;api&#x2f;auth&#x2f;signin?callbackUrl=";
            says(&refused, 403, &[code, "sign in again first", way, &token]);
            assert!(!refused.text().contains("two-factor"));
            let back = app.logs_in(&bob.email, PASSWORD).await;
            says(&submits(&app, &back, &token).await, 200, &["You are now a member of"]);
        }
    }

    async fn who_must_enrol_first_is_told_so(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        let bolt = app.signs_up("Bolt", "eve@bolt.example").await;
        let token = link(&bolt, 1).await;
        ada.enrols(&app).await;
        ada.sets_rules(&json!({"requireMfa": true})).await;
        says(&submits(&app, &bob, &token).await, 403, &["requires two-factor authentication"]);
        assert_eq!(app.db.count("select count(*) from join_links where used = 0").await, 1);
    }

    async fn people_without_an_account_are_told_the_way_to_one(app: TestApp) {
        let mut app = app;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let token = link(&ada, 1).await;
        let application = "<a href=\"https:&#x2f;&#x2f;app.example&#x2f;\">";
        for (registration, has_application, words) in [
            (JoinPolicy::Open, true, "create one in the application"),
            (JoinPolicy::Open, false, "ask the person who sent you this link for an invitation"),
            (JoinPolicy::Domain, true, "ask the person who sent you this link for an invitation"),
            (JoinPolicy::Invite, true, "ask the person who sent you this link for an invitation"),
            (JoinPolicy::Closed, true, "ask the people who run this service for an invitation"),
        ] {
            app.restart_configured(|config| {
                config.self_service.domains = AllowedDomains::parse(["acme.example"]).unwrap();
                config.self_service.registration = registration;
                let app_url = if has_application { "https://app.example" } else { "http://localhost" };
                config.accounts.app_url = app_url.parse().unwrap();
            })
            .await;
            let page = opens(&app, &token).await;
            says(&page, 200, &["Sign in to join.", words]);
            let is_linked = page.text().contains(application);
            assert_eq!(is_linked, has_application && registration == JoinPolicy::Open, "{}", page.text());
        }
    }

    async fn invalid_and_closed_links_say_so(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.signs_up("Bolt", "bob@bolt.example").await;
        let token = link(&ada, 1).await;
        for bad in ["", "x", "%00", &format!("a&token={token}")] {
            says(&opens(&app, bad).await, 400, &["no longer valid"]);
        }
        says(&submits(&app, &bob, "x").await, 400, &["no longer valid"]);
        ada.sets_rules(&json!({"joinPolicy": "closed"})).await;
        says(&opens(&app, &token).await, 409, &["closed to new members"]);
        says(&submits(&app, &bob, &token).await, 409, &["closed to new members"]);
    }
}
