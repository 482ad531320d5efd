//! Setting a new password with the link from an e-mail.

use chrono::TimeDelta;
use futures_util::future::join_all;
use hallpass::domain::EmailMessage;
use serde_json::json;

use crate::support::{OTHER_PASSWORD, PASSWORD, TestApp, jwt, on_both_databases};

const ADA: &str = "ada@acme.example";
/// A third one.
const LAST_PASSWORD: &str = "Lantern-Gravel-5-Sonata";

on_both_databases! {
    async fn a_reset_ends_every_session_and_does_not_sign_in(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        let elsewhere = ada.signs_in_again().await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        let second = app.second_instance().await;
        ada.at(&second).me().await.expect(200);

        let answer = app.resets_password(&reset_token(&app).await, OTHER_PASSWORD).await;
        assert_eq!(answer.expect(200), json!({"success": true}));
        assert!(answer.header("set-cookie").is_none());
        for session in [&ada, &elsewhere] {
            session.me().await.refused(401, "Token revoked");
            session.refreshes().await.refused(401, "Token revoked");
        }
        bob.me().await.expect(200);
        crate::support::eventually("the other instance refuses the token", async || {
            ada.at(&second).me().await.status == 401
        }).await;

        app.tries_to_log_in(ADA, PASSWORD).await.refused(401, "Invalid credentials");
        let again = app.logs_in(ADA, OTHER_PASSWORD).await;
        assert!(jwt::claims(&again.token)["ver"].as_i64() > jwt::claims(&ada.token)["ver"].as_i64());
        assert_eq!(again.sessions().await.len(), 1);
    }

    async fn a_token_works_once(app: TestApp) {
        app.registers("Acme", ADA).await;
        let token = reset_token(&app).await;
        app.resets_password(&token, OTHER_PASSWORD).await.expect(200);
        app.resets_password(&token, LAST_PASSWORD).await.refused(400, "Invalid or expired token");
        app.logs_in(ADA, OTHER_PASSWORD).await;
    }

    async fn of_twenty_concurrent_resets_one_succeeds(app: TestApp) {
        app.registers("Acme", ADA).await;
        let token = reset_token(&app).await;
        let passwords: Vec<String> = (0..20).map(|n| format!("{OTHER_PASSWORD}-{n}")).collect();
        let answers = join_all(passwords.iter().map(|password| app.resets_password(&token, password))).await;
        let good: Vec<usize> = (0..20).filter(|&n| answers[n].status == 200).collect();
        assert_eq!(good.len(), 1);
        for (n, answer) in answers.iter().enumerate() {
            if good[0] != n {
                answer.refused(400, "Invalid or expired token");
            }
        }
        app.logs_in(ADA, &passwords[good[0]]).await;
        assert_eq!(app.db.count("select count(*) from audit where action = 'user.password_reset'").await, 1);
        let told = app.emails_to(ADA).await;
        assert_eq!(told.iter().filter(|message| message.kind() == "password_changed").count(), 1);
    }

    async fn a_token_is_valid_for_half_an_hour(app: TestApp) {
        app.registers("Acme", ADA).await;
        let token = reset_token(&app).await;
        app.advance(TimeDelta::minutes(30));
        app.resets_password(&token, OTHER_PASSWORD).await.refused(400, "Invalid or expired token");
        let token = reset_token(&app).await;
        app.advance(TimeDelta::minutes(30) - TimeDelta::seconds(1));
        app.resets_password(&token, OTHER_PASSWORD).await.expect(200);
    }

    async fn a_newer_email_voids_the_older_ones(app: TestApp) {
        app.registers("Acme", ADA).await;
        let older = reset_token(&app).await;
        app.advance(TimeDelta::seconds(1));
        let newer = reset_token(&app).await;
        app.resets_password(&older, OTHER_PASSWORD).await.refused(400, "Invalid or expired token");
        app.resets_password(&newer, OTHER_PASSWORD).await.expect(200);
    }

    async fn a_weak_password_is_an_error_of_its_field_and_keeps_the_token_valid(app: TestApp) {
        app.registers("Acme", ADA).await;
        let token = reset_token(&app).await;
        for weak in ["short", "password123", ADA, "Byron1815", "", &"x".repeat(101)] {
            app.resets_password(&token, weak).await.refused_fields(&["password"]);
        }
        app.logs_in(ADA, PASSWORD).await;
        app.resets_password(&token, OTHER_PASSWORD).await.expect(200);
    }

    async fn bad_tokens_get_one_answer_and_change_nothing(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        let good = reset_token(&app).await;
        let first = app.resets_password("x", OTHER_PASSWORD).await;
        first.refused(400, "Invalid or expired token");
        let verify = app.mailed_token(ADA, "verify_email").await;
        for bad in [
            verify.as_str(), &ada.token, &"A".repeat(43), &format!("{good}A"), "' or 1=1 --",
        ] {
            let answer = app.resets_password(bad, OTHER_PASSWORD).await;
            assert_eq!(answer.as_bytes(), first.as_bytes(), "{bad}");
        }
        for body in [json!({}), json!({"token": [good.clone()], "password": {"x": 1}})] {
            app.post("/api/auth/reset-password").json(&body).await.refused_fields(&["password", "token"]);
        }
        app.post("/api/auth/reset-password")
            .json(&json!({"token": good, "password": OTHER_PASSWORD, "email": ADA}))
            .await
            .refused_fields(&["email"]);
        ada.me().await.expect(200);
        app.logs_in(ADA, PASSWORD).await;
    }

    async fn a_reset_verifies_the_address(app: TestApp) {
        app.registers("Acme", ADA).await;
        assert!(!app.is_verified(ADA).await);
        app.resets_password(&reset_token(&app).await, OTHER_PASSWORD).await.expect(200);
        assert!(app.is_verified(ADA).await);
    }

    async fn the_owner_is_notified_of_every_new_password(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        ada.changes_password(PASSWORD, OTHER_PASSWORD).await.expect(200);
        assert_eq!(password_notices(&app).await, 1);
        ada.changes_password(PASSWORD, OTHER_PASSWORD).await.refused(401, "Invalid credentials");
        assert_eq!(password_notices(&app).await, 1);
        app.resets_password(&reset_token(&app).await, LAST_PASSWORD).await.expect(200);
        assert_eq!(password_notices(&app).await, 2);
        let emails = app.emails_to(ADA).await;
        let without_a_link = EmailMessage::PasswordChanged {
            name: "Ada Byron".to_owned(), token: None, detached_slack: false, left_organizations: false,
        };
        assert!(emails.contains(&without_a_link), "{emails:?}");
    }

    async fn a_new_password_voids_pending_links(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        ada.changes_email("new@acme.example", PASSWORD).await.expect(200);
        let change = app.mailed_token("new@acme.example", "confirm_new_email").await;
        let reset = reset_token(&app).await;
        ada.changes_password(PASSWORD, OTHER_PASSWORD).await.expect(200);
        app.resets_password(&reset, LAST_PASSWORD).await.refused(400, "Invalid or expired token");
        app.verifies(&change).await.refused(400, "Invalid or expired token");

        ada.changes_email("new@acme.example", OTHER_PASSWORD).await.expect(200);
        app.advance(TimeDelta::seconds(1));
        let change = app.mailed_token("new@acme.example", "confirm_new_email").await;
        app.resets_password(&reset_token(&app).await, LAST_PASSWORD).await.expect(200);
        app.verifies(&change).await.refused(400, "Invalid or expired token");
        assert_eq!(app.logs_in(ADA, LAST_PASSWORD).await.user["email"], ADA);
    }

    async fn a_second_factor_is_still_required_after_a_reset(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        app.db
            .execute(&format!(
                "insert into totp (user_id, secret, created_at, confirmed_at, failures)
                 select id, 'sealed', created_at, created_at, 0 from users where id = {}",
                app.db.id(ada.id())
            ))
            .await;
        app.resets_password(&reset_token(&app).await, OTHER_PASSWORD).await.expect(200);
        let login = app.tries_to_log_in(ADA, OTHER_PASSWORD).await.expect(200);
        assert_eq!(login["mfaRequired"], true);
        assert!(login.get("accessToken").is_none());
    }

    async fn a_disabled_account_cannot_use_a_link(app: TestApp) {
        app.registers("Acme", ADA).await;
        let token = reset_token(&app).await;
        app.disables(ADA).await;
        app.resets_password(&token, OTHER_PASSWORD).await.refused(400, "Invalid or expired token");
    }

    async fn a_reset_leaves_one_audit_row(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        let token = reset_token(&app).await;
        app.post("/api/auth/reset-password")
            .header("x-request-id", "resets")
            .json(&json!({"token": token, "password": OTHER_PASSWORD}))
            .await
            .expect(200);
        let row = format!(
            "select count(*) from audit where request_id = 'resets' and action = 'user.password_reset'
             and outcome = 'ok'
             and subject_id = {} and organization_id = {}",
            app.db.id(ada.id()),
            app.db.id(ada.organization_id())
        );
        assert_eq!(app.db.count(&row).await, 1);
        assert_eq!(app.db.count("select count(*) from audit where request_id = 'resets'").await, 1);
    }
}

async fn reset_token(app: &TestApp) -> String {
    app.forgets_password(ADA).await.expect(200);
    app.mailed_token(ADA, "reset_password").await
}

async fn password_notices(app: &TestApp) -> usize {
    let emails = app.emails_to(ADA).await;
    emails
        .iter()
        .filter(|message| message.kind() == "password_changed")
        .count()
}
