//! The e-mails about a new API token and a new authenticator, and the links in them that undo it.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::mfa::Authenticator;
use crate::support::{Actor, Answer, OTHER_PASSWORD, PASSWORD, TestApp, on_both_databases};

on_both_databases! {
    async fn the_link_in_the_email_revokes_the_new_api_token(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let kept = ada.as_a_service("employee").await;
        app.advance(TimeDelta::seconds(1));
        let stolen = ada.as_a_service("admin").await;
        let link = app.mailed_token(&ada.email, "api_token_created").await;
        let page = app.get(&format!("/undo?token={link}")).await;
        assert!(page.status == 200 && page.text().contains(&link), "{}", page.text());
        stolen.me().await.expect(200);
        undoes(&app, &link).await.expect(200);
        stolen.me().await.refused(401, "Token revoked");
        kept.me().await.expect(200);
        ada.me().await.expect(200);
        undoes(&app, &link).await.refused(400, "Invalid or expired token");
        let rows = "select method as v from audit where action = 'api_token.revoked'";
        assert_eq!(app.db.values(rows).await, [Some("email_link".to_owned())]);
    }

    async fn the_page_undoes_after_its_button_is_pressed(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let stolen = ada.as_a_service("admin").await;
        let link = app.mailed_token(&ada.email, "api_token_created").await;
        let done = app.post("/undo").form(&[("token", &link)]).await;
        assert!(done.status == 200 && done.text().contains("reset-password"), "{}", done.text());
        stolen.me().await.refused(401, "Token revoked");
        let again = app.post("/undo").form(&[("token", &link)]).await;
        again.is_page(400, "invalid_or_expired_token");
    }

    async fn the_link_removes_a_first_authenticator_and_signs_out_everywhere(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let thief = ada.signs_in_again().await;
        let made_before = ada.as_a_service("employee").await;
        thief.enrols(&app).await;
        made_before.me().await.refused(401, "Token revoked");
        let service = thief.as_a_service("employee").await;
        ada.me().await.refused(401, "Token revoked");
        let link = app.mailed_token(&ada.email, "mfa_changed").await;
        undoes(&app, &link).await.expect(200);
        thief.me().await.refused(401, "Token revoked");
        service.me().await.refused(401, "Token revoked");
        let ada = app.logs_in(&ada.email, PASSWORD).await;
        assert_eq!(ada.get("/api/auth/mfa").await.expect(200)["enabled"], false);
        let rows = "select method as v from audit where action = 'mfa.disabled'";
        assert_eq!(app.db.values(rows).await, [Some("email_link".to_owned())]);
    }

    async fn the_link_works_once_for_seven_days_and_is_stored_as_a_hash(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        ada.enrols(&app).await;
        let link = app.mailed_token(&ada.email, "mfa_changed").await;
        for stored in app.db.values("select hash || payload as v from one_time_tokens").await {
            assert!(!stored.unwrap().contains(&link));
        }
        app.advance(TimeDelta::days(7) - TimeDelta::seconds(30));
        undoes(&app, &link).await.refused(400, "Invalid or expired token");
        app.advance(TimeDelta::seconds(-1));
        undoes(&app, &link).await.expect(200);
        undoes(&app, &link).await.refused(400, "Invalid or expired token");
    }

    async fn a_replaced_authenticator_gets_no_link_of_its_own(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        replaces(&app, &ada).await;
        let newest = app.emails_to(&ada.email).await.pop().unwrap();
        let newest = serde_json::to_value(newest).unwrap();
        assert_eq!((&newest["kind"], &newest["enabled"]), (&json!("mfa_changed"), &json!(true)));
        assert_eq!(newest["token"], Value::Null);
    }

    async fn a_replacement_does_not_void_the_link_of_the_first_authenticator(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let link = replaces(&app, &ada).await;
        undoes(&app, &link).await.expect(200);
        assert_eq!(app.db.count("select count(*) from totp").await, 0);
    }

    async fn a_mailbox_alone_removes_no_authenticator_after_a_week(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let link = replaces(&app, &ada).await;
        app.advance(TimeDelta::days(7));
        undoes(&app, &link).await.refused(400, "Invalid or expired token");
        assert_eq!(app.db.count("select count(*) from totp").await, 1);
    }

    async fn an_undo_link_is_valid_for_nothing_else(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let service = ada.as_a_service("employee").await;
        let link = app.mailed_token(&ada.email, "api_token_created").await;
        let body = json!({"token": link});
        for path in ["/api/auth/end-session", "/api/auth/verify-email"] {
            app.post(path).json(&body).await.refused(400, "Invalid or expired token");
        }
        app.resets_password(&link, OTHER_PASSWORD).await.refused(400, "Invalid or expired token");
        let other = app.mailed_token(&ada.email, "verify_email").await;
        undoes(&app, &other).await.refused(400, "Invalid or expired token");
        service.me().await.expect(200);
    }
}

/// Enrols an authenticator and replaces it; returns the link in the e-mail about the first.
async fn replaces(app: &TestApp, ada: &Actor) -> String {
    let old = ada.enrols(app).await;
    let link = app.mailed_token(&ada.email, "mfa_changed").await;
    app.advance(TimeDelta::seconds(60));
    let code = json!({"code": old.code(app)});
    let begun = ada.begins_enrolment().json(&code).await.expect(200);
    let new = Authenticator::from_enrolment(&begun);
    ada.confirms(&new.code(app)).await.expect(200);
    link
}

async fn undoes(app: &TestApp, token: &str) -> Answer {
    app.post("/api/auth/undo")
        .json(&json!({"token": token}))
        .await
}
