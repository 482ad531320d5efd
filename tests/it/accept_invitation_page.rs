//! The page an invitation's link leads to.

use serde_json::json;
use url::form_urlencoded;

use crate::support::{Actor, Answer, Db, OTHER_PASSWORD, PASSWORD, TestApp, on_both_databases};

const BOB: &str = "bob@acme.example";

async fn is_invited(app: &TestApp, inviter: &Actor, email: &str) -> String {
    app.verifies_address(&inviter.email).await;
    inviter.invites(email, "manager").await.expect(201);
    app.mailed_token(email, "invitation").await
}

async fn opens(app: &TestApp, token: &str) -> Answer {
    app.get(&format!("/accept-invitation?token={token}")).await
}

async fn fills_in(app: &TestApp, fields: &[(&str, &str)]) -> Answer {
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    app.post("/accept-invitation")
        .body("application/x-www-form-urlencoded", form)
        .await
}

#[track_caller]
fn says(answer: &Answer, status: u16, words: &[&str]) {
    let page = answer.text();
    assert_eq!(answer.status.as_u16(), status, "{page}");
    assert_eq!(
        answer.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none';") && policy.contains("form-action 'self'"));
    assert!(answer.header("set-cookie").is_none());
    for word in words {
        assert!(page.contains(word), "no {word:?} in {page}");
    }
}

on_both_databases! {
    async fn opening_the_link_shows_the_inviter_and_does_not_use_the_token(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let token = is_invited(&app, &ada, BOB).await;
        for _ in 0..3 {
            says(&opens(&app, &token).await, 200, &["Acme", "Ada Byron", "as a manager", BOB, "name=\"name\""]);
        }
        let head = format!("/accept-invitation?token={token}");
        assert_eq!(app.client.call(reqwest::Method::HEAD, &head).await.status, 200);
        assert_eq!(app.db.count("select count(*) from users").await, 1);
        app.registers_invited(BOB, &token).await.expect(201);
    }

    async fn a_new_person_joins_by_the_form_and_signs_in_afterwards(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let token = is_invited(&app, &ada, BOB).await;
        let filled = [("token", token.as_str()), ("name", "Bob <b>Byte</b>"), ("password", PASSWORD)];
        let welcome = fills_in(&app, &filled).await;
        says(&welcome, 200, &["Welcome", "Acme", BOB]);
        // Only the reference page is at the service's own address.
        assert!(!welcome.text().contains("<a "), "{}", welcome.text());
        assert_eq!(app.db.count("select count(*) from sessions").await, 1);
        let bob = app.logs_in(BOB, PASSWORD).await;
        assert_eq!((&bob.user["role"], &bob.user["name"]), (&json!("manager"), &json!("Bob <b>Byte</b>")));
    }

    async fn who_opens_an_accepted_invitation_again_learns_that_they_belong(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        app.signs_up("Bolt", "eve@acme.example").await;
        for (email, fields) in [(BOB, &[("name", "Bob")][..]), ("eve@acme.example", &[])] {
            app.advance(chrono::TimeDelta::seconds(1));
            let token = is_invited(&app, &ada, email).await;
            let mut filled = vec![("token", token.as_str()), ("password", PASSWORD)];
            filled.extend(fields);
            says(&fills_in(&app, &filled).await, 200, &["Welcome"]);
            let members = app.db.count("select count(*) from memberships").await;
            let belongs = ["You belong to Acme already.", "Sign in", "api&#x2f;auth&#x2f;signin"];
            says(&opens(&app, &token).await, 200, &belongs);
            says(&fills_in(&app, &filled).await, 200, &belongs);
            says(&fills_in(&app, &[("token", &token)]).await, 200, &belongs);
            assert_eq!(app.db.count("select count(*) from memberships").await, members);
            let member = app.logs_in(email, PASSWORD).await;
            let mut there = member.clone();
            let switch = json!({"organizationId": ada.organization_id()});
            there.takes_token(&member.post("/api/auth/refresh").json(&switch).await.expect(200));
            there.delete(&there.organization_path("/members/me")).await.expect(200);
            says(&opens(&app, &token).await, 400, &["no longer valid", "invalid_or_expired_token"]);
            says(&fills_in(&app, &filled).await, 400, &["no longer valid"]);
        }
    }

    async fn the_welcome_page_links_to_the_application(db: Db) {
        let app = TestApp::configured(db, |config| {
            config.accounts.app_url = "https://app.example/start".parse().unwrap();
        })
        .await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let token = is_invited(&app, &ada, BOB).await;
        let welcome = fills_in(&app, &[("token", &token), ("name", "Bob"), ("password", PASSWORD)]).await;
        says(&welcome, 200, &["href=\"https:&#x2f;&#x2f;app.example&#x2f;start\"", "Sign in"]);
    }

    async fn an_invalid_form_is_shown_again_with_its_errors(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let token = is_invited(&app, &ada, BOB).await;
        let evil = "\"><script>alert(1)</script>";
        let short = fills_in(&app, &[("token", &token), ("name", evil), ("password", "x")]).await;
        says(&short, 400, &["at least 8 characters", "&lt;script&gt;", &token]);
        assert!(!short.text().contains("<script"), "{}", short.text());
        let nameless = fills_in(&app, &[("token", &token), ("password", PASSWORD)]).await;
        says(&nameless, 400, &["Please enter a name."]);
        assert!(!nameless.text().contains(PASSWORD));
        says(&fills_in(&app, &[("token", &token), ("name", "Bob")]).await, 400, &["Please enter a password."]);
        assert_eq!(app.db.count("select count(*) from users").await, 1);
        let bob = [("token", token.as_str()), ("name", "Bob"), ("password", PASSWORD)];
        says(&fills_in(&app, &bob).await, 200, &["Welcome"]);
    }

    async fn an_existing_account_joins_with_its_password_without_signing_in(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.signs_up("Beta", BOB).await;
        bob.me().await.expect(200);
        // A second factor is for signing in, and this does not sign in.
        app.db
            .execute(&format!(
                "insert into totp (user_id, secret, created_at, confirmed_at)
                 select id, 'sealed', created_at, created_at from users where id = {}",
                app.db.id(bob.id())
            ))
            .await;
        let token = is_invited(&app, &ada, BOB).await;
        let page = opens(&app, &token).await;
        says(&page, 200, &["already has an account", "current-password", "href=\"reset-password\""]);
        assert!(!page.text().contains("name=\"name\""));

        let wrong = fills_in(&app, &[("token", &token), ("password", OTHER_PASSWORD)]).await;
        says(&wrong, 401, &["Incorrect password.", &token]);
        assert_eq!(app.db.count("select count(*) from memberships").await, 2);

        let sessions = app.db.count("select count(*) from sessions").await;
        let right = [("token", token.as_str()), ("password", PASSWORD)];
        says(&fills_in(&app, &right).await, 200, &["Welcome", "Acme"]);
        assert_eq!(app.db.count("select count(*) from sessions").await, sessions);
        let proved = "select count(*) from users where email_verified_at is not null";
        assert_eq!(app.db.count(proved).await, 2);
        let audited = "select count(*) from audit where action = 'invitation.accepted' and outcome = 'ok'";
        assert_eq!(app.db.count(audited).await, 1);
        // The session cache has learned of the new membership.
        let switch = json!({"organizationId": ada.organization_id()});
        let switched = bob.post("/api/auth/refresh").json(&switch).await.expect(200);
        let token = switched["accessToken"].as_str().unwrap();
        let me = app.get("/api/auth/me").bearer(token).await.expect(200);
        assert_eq!(me["role"], "manager");
    }

    async fn the_link_verifies_the_address_where_verification_is_required(db: Db) {
        let mut app = TestApp::start(db).await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let eve = app.signs_up("Bolt", "eve@bolt.example").await;
        app.joins(eve.organization_id(), BOB).await;
        let token = is_invited(&app, &ada, BOB).await;
        app.restart_configured(|config| config.accounts.require_verified_email = true).await;
        app.tries_to_log_in(BOB, PASSWORD).await.refused(403, "Email not verified");
        says(&fills_in(&app, &[("token", &token), ("password", PASSWORD)]).await, 200, &[]);
        app.tries_to_log_in(BOB, PASSWORD).await.expect(200);
    }

    async fn the_page_tells_members_and_reports_closed_organizations(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let token = is_invited(&app, &ada, BOB).await;
        app.joins(ada.organization_id(), BOB).await;
        says(&fills_in(&app, &[("token", &token), ("password", PASSWORD)]).await, 409, &["already a member"]);
        ada.sets_rules(&json!({"joinPolicy": "closed"})).await;
        says(&opens(&app, &token).await, 409, &["closed to new members"]);
    }

    async fn invalid_links_all_get_the_same_page(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let verification = app.mailed_token(&ada.email, "verify_email").await;
        for token in ["", "x", &verification, "%00", "a&token=b"] {
            says(&opens(&app, token).await, 400, &["no longer valid"]);
        }
        says(&app.get("/accept-invitation").await, 400, &["no longer valid"]);
        says(&fills_in(&app, &[("token", &verification), ("password", PASSWORD)]).await, 400, &["no longer valid"]);
        app.post("/accept-invitation").json(&json!({"token": "x"})).await.refused(415, "Unsupported Media Type");
    }
}
