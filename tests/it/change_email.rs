//! Changing an account's e-mail address, which takes effect once the new one is verified.

use chrono::TimeDelta;
use futures_util::future::join_all;
use hallpass::domain::EmailMessage;
use serde_json::json;

use crate::support::{OTHER_PASSWORD, PASSWORD, TestApp, on_both_databases};

const OLD: &str = "ada@acme.example";
const NEW: &str = "ada.king@acme.example";

on_both_databases! {
    async fn the_new_address_takes_effect_when_verified_and_the_old_one_is_notified(app: TestApp) {
        let ada = app.signs_up("Acme", OLD).await;
        let second = app.second_instance().await;
        let answer = ada.changes_email(NEW, PASSWORD).await;
        assert_eq!(answer.expect(200), json!({"success": true}));
        assert_eq!(ada.me().await.expect(200)["email"], OLD);
        app.tries_to_log_in(NEW, PASSWORD).await.refused(401, "Invalid credentials");
        assert_eq!(ada.at(&second).me().await.expect(200)["email"], OLD);

        let token = app.mailed_token(NEW, "confirm_new_email").await;
        app.verifies(&token).await.expect(200);
        assert_eq!(ada.me().await.expect(200)["email"], NEW);
        crate::support::eventually("the other instance knows the new address", async || {
            ada.at(&second).me().await.expect(200)["email"] == NEW
        }).await;
        assert!(app.is_verified(NEW).await);
        app.tries_to_log_in(OLD, PASSWORD).await.refused(401, "Invalid credentials");
        app.logs_in(NEW, PASSWORD).await;
        let told = app.emails_to(OLD).await;
        let (name, new_email) = ("Ada Byron".to_owned(), NEW.to_owned());
        assert!(told.contains(&EmailMessage::EmailChanged { name, new_email }), "{told:?}");
        app.verifies(&token).await.refused(400, "Invalid or expired token");
    }

    async fn changing_the_address_voids_links_sent_to_the_old_one(app: TestApp) {
        let ada = app.signs_up("Acme", OLD).await;
        let verify = app.mailed_token(OLD, "verify_email").await;
        app.forgets_password(OLD).await.expect(200);
        let reset = app.mailed_token(OLD, "reset_password").await;
        ada.changes_email(NEW, PASSWORD).await.expect(200);
        app.verifies(&app.mailed_token(NEW, "confirm_new_email").await).await.expect(200);
        app.verifies(&verify).await.refused(400, "Invalid or expired token");
        app.resets_password(&reset, OTHER_PASSWORD).await.refused(400, "Invalid or expired token");
    }

    async fn a_wrong_password_changes_nothing(app: TestApp) {
        let ada = app.signs_up("Acme", OLD).await;
        let answer = ada.changes_email(NEW, "Not-The-Password-1").await;
        answer.refused(401, "Invalid credentials");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        assert!(app.emails_to(NEW).await.is_empty());
        let rows = "select count(*) from audit where action = 'user.email_change_requested' and outcome = 'refused'";
        assert_eq!(app.db.count(rows).await, 1);
        app.post("/api/auth/change-email").json(&json!({"email": NEW, "password": PASSWORD}))
            .await.refused(401, "Authentication required");
    }

    async fn a_registered_address_is_refused_at_once(app: TestApp) {
        let ada = app.signs_up("Acme", OLD).await;
        app.registers("Beta", NEW).await;
        let emails = app.emails_to(NEW).await;
        ada.changes_email(NEW, PASSWORD).await.refused(409, "Email already registered");
        ada.changes_email(OLD, PASSWORD).await.refused_fields(&["email"]);
        assert_eq!(app.emails_to(NEW).await, emails);
    }

    async fn an_address_registered_meanwhile_is_refused_and_the_token_stays_valid(app: TestApp) {
        let ada = app.signs_up("Acme", OLD).await;
        ada.changes_email(NEW, PASSWORD).await.expect(200);
        let token = app.mailed_token(NEW, "confirm_new_email").await;
        let rival = app.signs_up("Beta", NEW).await;
        app.verifies(&token).await.refused(409, "Email already registered");
        assert_eq!(ada.me().await.expect(200)["email"], OLD);
        assert_eq!(rival.me().await.expect(200)["email"], NEW);

        app.advance(TimeDelta::seconds(1));
        rival.changes_email("rival@beta.example", PASSWORD).await.expect(200);
        app.verifies(&app.mailed_token("rival@beta.example", "confirm_new_email").await).await.expect(200);
        app.verifies(&token).await.expect(200);
        assert_eq!(ada.me().await.expect(200)["email"], NEW);
    }

    async fn a_newer_request_voids_the_older_one(app: TestApp) {
        let ada = app.signs_up("Acme", OLD).await;
        ada.changes_email(NEW, PASSWORD).await.expect(200);
        ada.changes_email("other@acme.example", PASSWORD).await.expect(200);
        app.verifies(&app.mailed_token(NEW, "confirm_new_email").await).await.refused(400, "Invalid or expired token");
        app.verifies(&app.mailed_token("other@acme.example", "confirm_new_email").await).await.expect(200);
        assert_eq!(ada.me().await.expect(200)["email"], "other@acme.example");
    }

    async fn existing_sessions_continue(app: TestApp) {
        let ada = app.signs_up("Acme", OLD).await;
        let elsewhere = ada.signs_in_again().await;
        ada.changes_email(NEW, PASSWORD).await.expect(200);
        app.verifies(&app.mailed_token(NEW, "confirm_new_email").await).await.expect(200);
        ada.refreshes().await.expect(200);
        elsewhere.me().await.expect(200);
    }

    async fn one_account_sends_at_most_three_emails_an_hour_to_an_address(app: TestApp) {
        let ada = app.signs_up("Acme", OLD).await;
        for _ in 0..5 {
            app.advance(TimeDelta::seconds(1));
            ada.changes_email("victim@other.example", PASSWORD).await.expect(200);
        }
        assert_eq!(app.emails_to("victim@other.example").await.len(), 3);
        app.verifies(&app.mailed_token("victim@other.example", "confirm_new_email").await).await.expect(200);
    }

    async fn many_accounts_at_once_send_at_most_three_emails_to_an_address(app: TestApp) {
        let acme = app.registers("Acme", OLD).await;
        let mut people = Vec::new();
        for n in 0..12 {
            people.push(app.joins(&acme.id, &format!("person{n}@acme.example")).await);
        }
        let asked = people.iter().map(|person| person.changes_email("victim@other.example", PASSWORD));
        for answer in join_all(asked).await {
            answer.expect(200);
        }
        assert_eq!(app.emails_to("victim@other.example").await.len(), 3);
    }

    async fn strangers_cannot_use_up_the_emails_of_a_verified_account(app: TestApp) {
        let ada = app.signs_up_verified("Acme", OLD).await;
        for n in 0..4 {
            let person = app.joins(ada.organization_id(), &format!("person{n}@acme.example")).await;
            person.changes_email(NEW, PASSWORD).await.expect(200);
        }
        assert_eq!(app.emails_to(NEW).await.len(), 3);
        app.advance(TimeDelta::seconds(1));
        ada.changes_email(NEW, PASSWORD).await.expect(200);
        app.verifies(&app.mailed_token(NEW, "confirm_new_email").await).await.expect(200);
        assert_eq!(ada.me().await.expect(200)["email"], NEW);
    }

    async fn the_request_and_the_change_leave_one_audit_row_each(app: TestApp) {
        let ada = app.signs_up("Acme", OLD).await;
        ada.changes_email(NEW, PASSWORD).await.expect(200);
        app.verifies(&app.mailed_token(NEW, "confirm_new_email").await).await.expect(200);
        for action in ["user.email_change_requested", "user.email_changed"] {
            let rows = format!(
                "select count(*) from audit where action = '{action}' and outcome = 'ok'
                 and subject_id = {} and organization_id = {}",
                app.db.id(ada.id()),
                app.db.id(ada.organization_id())
            );
            assert_eq!(app.db.count(&rows).await, 1, "{action}");
        }
        assert_eq!(app.db.count("select count(*) from audit where action = 'user.email_verified'").await, 0);
    }
}
