//! The pages that links in e-mails lead to, as used without JavaScript.

use chrono::{SecondsFormat::Secs, TimeDelta};
use hallpass::ports::Clock as _;
use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, Db, OTHER_PASSWORD, PASSWORD, TestApp, on_both_databases};

const ADA: &str = "ada@acme.example";

on_both_databases! {
    async fn opening_a_link_changes_nothing_and_its_button_does(app: TestApp) {
        app.registers("Acme", ADA).await;
        let token = app.mailed_token(ADA, "verify_email").await;
        let link = format!("/verify-email?token={token}");
        for _ in 0..3 {
            let page = app.get(&link).await;
            is_page(&page, 200);
            assert!(page.text().contains(&token));
            app.client.call(Method::HEAD, &link).await;
            app.get(&link).header("sec-purpose", "prefetch").await;
        }
        assert!(!app.is_verified(ADA).await);
        let done = app.post("/verify-email").form(&[("token", &token)]).await;
        is_page(&done, 200);
        assert!(done.text().contains("Your address is verified"));
        assert!(app.is_verified(ADA).await);

        for stale in [app.get(&link).await, app.post("/verify-email").form(&[("token", &token)]).await] {
            is_page(&stale, 400);
            assert_eq!(stale.header("x-error-code"), Some("invalid_or_expired_token"));
            assert!(stale.text().contains("no longer valid"));
            assert!(stale.text().contains("name=\"email\""));
        }
    }

    async fn a_password_is_chosen_on_a_page(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        is_page(&app.get("/reset-password").await, 200);
        let asked = app.post("/reset-password").form(&[("email", ADA)]).await;
        is_page(&asked, 200);
        let token = app.mailed_token(ADA, "reset_password").await;
        let page = app.get(&format!("/reset-password?token={token}")).await;
        is_page(&page, 200);
        assert!(page.text().contains("At least 8 characters"));

        let weak = app.post("/reset-password").form(&[("token", &token), ("password", "password123")]).await;
        is_page(&weak, 400);
        assert_eq!(weak.header("x-error-code"), Some("validation_failed"));
        assert!(weak.text().contains("easy to guess") && weak.text().contains(&token));
        assert!(!weak.text().contains("password123"));
        let none = app.post("/reset-password").form(&[("token", &token), ("password", "")]).await;
        assert!(none.text().contains("Please enter a password."));

        let done = app.post("/reset-password").form(&[("token", &token), ("password", OTHER_PASSWORD)]).await;
        is_page(&done, 200);
        assert!(done.header("set-cookie").is_none());
        ada.me().await.refused(401, "Token revoked");
        app.logs_in(ADA, OTHER_PASSWORD).await;
        is_page(&app.get(&format!("/reset-password?token={token}")).await, 400);
        is_page(&app.post("/reset-password").form(&[("token", &token), ("password", PASSWORD)]).await, 400);
        app.logs_in(ADA, OTHER_PASSWORD).await;
    }

    async fn every_form_for_a_password_says_whose_it_is(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        app.post("/api/auth/forgot-password").json(&json!({"email": ADA})).await.expect(200);
        let reset = app.mailed_token(ADA, "reset_password").await;
        app.verifies_address(ADA).await;
        let mut invitations = Vec::new();
        for email in ["new@acme.example", "old@acme.example"] {
            if email.starts_with("old") {
                app.signs_up("Old", email).await;
            }
            ada.invites(email, "employee").await.expect(201);
            let token = app.mailed_token(email, "invitation").await;
            invitations.push((format!("/accept-invitation?token={token}"), email));
        }
        for (path, email) in [(format!("/reset-password?token={reset}"), ADA)].into_iter().chain(invitations) {
            let page = app.get(&path).await;
            let text = page.text();
            let username = format!("type=\"email\" value=\"{email}\" autocomplete=\"username\"");
            let (before, after) = text.split_once(&username).unwrap_or_else(|| panic!("{path}: {text}"));
            assert!(after.split('>').next().unwrap().contains(" readonly"));
            assert!(!before.contains("type=\"password\"") && after.contains("type=\"password\""), "{path}");
        }
        let fields = [("token", reset.as_str()), ("username", "eve@acme.example"), ("password", "short")];
        let again = app.post("/reset-password").form(&fields).await;
        assert!(again.text().contains(&format!("value=\"{ADA}\" autocomplete=\"username\"")));
        assert!(!again.text().contains("eve@"));
        // A stale link tells nobody's address.
        app.advance(TimeDelta::minutes(31));
        assert!(!app.get(&format!("/reset-password?token={reset}")).await.text().contains(ADA));
    }

    async fn pages_that_are_done_lead_to_the_application(db: Db) {
        let app = TestApp::configured(db, |config| {
            config.accounts.app_url = "https://app.example/home".parse().unwrap();
        })
        .await;
        app.registers("Acme", ADA).await;
        let leads_on = |page: Answer| page.text().replace("&#x2f;", "/").contains("href=\"https://app.example/home\"");
        let token = app.mailed_token(ADA, "verify_email").await;
        assert!(leads_on(app.post("/verify-email").form(&[("token", &token)]).await));
        app.post("/api/auth/forgot-password").json(&json!({"email": ADA})).await.expect(200);
        let token = app.mailed_token(ADA, "reset_password").await;
        let fields = [("token", token.as_str()), ("password", OTHER_PASSWORD)];
        assert!(leads_on(app.post("/reset-password").form(&fields).await));
    }

    async fn the_pages_that_send_emails_answer_everyone_alike(app: TestApp) {
        app.registers("Acme", ADA).await;
        for path in ["/reset-password", "/verify-email"] {
            let known = app.post(path).form(&[("email", ADA)]).await;
            let unknown = app.post(path).form(&[("email", "eve@acme.example")]).await;
            assert_eq!(known.text().replace("ada@", "eve@"), unknown.text());
            assert_eq!((known.status, unknown.status.as_u16()), (unknown.status, 200));
            let typo = app.post(path).form(&[("email", "ada<b>@acme")]).await;
            is_page(&typo, 400);
            assert!(typo.text().contains("Please enter an e-mail address"));
            assert!(!typo.text().contains("<b>@"));
        }
        assert!(app.emails_to("eve@acme.example").await.is_empty());
    }

    async fn a_new_address_is_confirmed_on_a_page(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        let new = "ada.king@acme.example";
        ada.changes_email(new, PASSWORD).await.expect(200);
        let token = app.mailed_token(new, "confirm_new_email").await;
        is_page(&app.get(&format!("/change-email?token={token}")).await, 200);
        assert_eq!(ada.me().await.expect(200)["email"], ADA);
        is_page(&app.post("/change-email").form(&[("token", &token)]).await, 200);
        assert_eq!(ada.me().await.expect(200)["email"], new);
        is_page(&app.get("/change-email").await, 400);
        is_page(&app.post("/change-email").form(&[]).await, 400);
    }

    async fn a_taken_address_is_reported_on_the_page(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        ada.changes_email("bob@acme.example", PASSWORD).await.expect(200);
        let token = app.mailed_token("bob@acme.example", "confirm_new_email").await;
        app.registers("Beta", "bob@acme.example").await;
        let taken = app.post("/change-email").form(&[("token", &token)]).await;
        is_page(&taken, 409);
        assert_eq!(taken.header("x-error-code"), Some("email_taken"));
    }

    async fn a_session_is_ended_on_a_page(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        app.post("/api/auth/login")
            .header("user-agent", "Phone")
            .json(&serde_json::json!({"email": ADA, "password": PASSWORD}))
            .await
            .expect(200);
        let token = app.mailed_token(ADA, "new_sign_in").await;
        is_page(&app.get(&format!("/end-session?token={token}")).await, 200);
        assert_eq!(ada.sessions().await.len(), 2);
        is_page(&app.post("/end-session").form(&[("token", &token)]).await, 200);
        assert_eq!(ada.sessions().await.len(), 1);
        is_page(&app.post("/end-session").form(&[("token", &token)]).await, 400);
    }

    async fn a_link_of_one_kind_does_not_work_on_the_page_of_another(app: TestApp) {
        app.registers("Acme", ADA).await;
        let verify = app.mailed_token(ADA, "verify_email").await;
        for path in ["/reset-password", "/change-email", "/end-session"] {
            is_page(&app.get(&format!("{path}?token={verify}")).await, 400);
            if path != "/change-email" {
                is_page(&app.post(path).form(&[("token", &verify), ("password", OTHER_PASSWORD)]).await, 400);
            }
        }
        assert!(!app.is_verified(ADA).await);
    }
}

#[actix_web::test]
async fn a_form_is_limited_in_size_and_parsed_strictly() {
    let app = TestApp::start(Db::sqlite()).await;
    for path in [
        "/verify-email",
        "/reset-password",
        "/change-email",
        "/end-session",
    ] {
        let twice = app.post(path).form(&[("token", "a"), ("token", "b")]).await;
        is_page(&twice, 400);
        assert_eq!(twice.header("x-error-code"), Some("malformed_request"));
        let json = app
            .post(path)
            .json(&serde_json::json!({"token": "a"}))
            .await;
        is_page(&json, 415);
        let large = "x".repeat(17 * 1024);
        is_page(&app.post(path).form(&[("token", &large)]).await, 413);
        let script = app
            .get(&format!("{path}?token=%3Cscript%3Ealert(1)%3C/script%3E"))
            .await;
        is_page(&script, 400);
        assert!(!script.text().contains("alert(1)"));
    }
}

#[actix_web::test]
async fn the_well_known_change_password_url_leads_to_the_page() {
    let app = TestApp::configured(Db::sqlite(), |config| {
        config.accounts.app_url = "https://app.example/base/".parse().unwrap();
    })
    .await;
    let answer = app.get("/.well-known/change-password").await;
    assert_eq!(answer.status, 302);
    assert_eq!(
        answer.header("location"),
        Some("https://app.example/base/reset-password")
    );
    let nothing = app
        .get("/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200")
        .await;
    assert_eq!(nothing.status, 404);
}

#[actix_web::test]
async fn security_txt_says_where_to_report_vulnerabilities() {
    let app = TestApp::configured(Db::sqlite(), |config| {
        config.server.public_url = "https://id.example/base/".parse().unwrap();
        config.server.security_contacts = ["mailto:security@acme.example", "tel:+1-201-555-0123"]
            .map(|contact| contact.parse().unwrap())
            .to_vec();
    })
    .await;
    let answer = app.get("/.well-known/security.txt").await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    let expires = (app.clock.now() + TimeDelta::days(180)).to_rfc3339_opts(Secs, true);
    assert_eq!(
        answer.text(),
        format!(
            "Contact: mailto:security@acme.example\n\
             Contact: tel:+1-201-555-0123\n\
             Expires: {expires}\n\
             Canonical: https://id.example/base/.well-known/security.txt\n"
        )
    );
    let silent = TestApp::start(Db::sqlite()).await;
    silent
        .get("/.well-known/security.txt")
        .await
        .refused(404, "Not Found");
}

/// Has the content security policy of all pages, and loads nothing.
#[track_caller]
fn is_page(answer: &Answer, status: u16) {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
    assert_eq!(
        answer.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let policy = answer.header("content-security-policy").unwrap();
    for part in [
        "default-src 'none';",
        "form-action 'self';",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let text = answer.text();
    for loader in [
        "<script", "<link", "<img", "<iframe", "@import", "url(", "http:",
    ] {
        assert!(!text.contains(loader), "{loader} in {text}");
    }
}
