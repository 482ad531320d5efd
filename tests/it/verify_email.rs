//! Verification of e-mail addresses.

use chrono::TimeDelta;
use futures_util::future::join_all;
use hallpass::domain::{Email, PersonName, Role};
use hallpass::service::operations::operator::{self, CreateUser};
use serde_json::json;

use crate::support::test_app::operator_context;
use crate::support::{
    Db, OTHER_PASSWORD, PASSWORD, SlackApp, TestApp, member_body, on_both_databases,
};

const ADA: &str = "ada@acme.example";

on_both_databases! {
    async fn the_registration_email_verifies_its_address_once(app: TestApp) {
        app.registers("Acme", ADA).await;
        assert!(!app.is_verified(ADA).await);
        let token = app.mailed_token(ADA, "verify_email").await;
        let answer = app.verifies(&token).await;
        assert_eq!(answer.expect(200), json!({"success": true}));
        assert!(app.is_verified(ADA).await);
        app.verifies(&token).await.refused(400, "Invalid or expired token");
    }

    async fn verifying_does_not_sign_in(app: TestApp) {
        app.registers("Acme", ADA).await;
        let answer = app.verifies(&app.mailed_token(ADA, "verify_email").await).await;
        assert_eq!(answer.expect(200), json!({"success": true}));
        assert!(answer.header("set-cookie").is_none());
        assert_eq!(app.db.count("select count(*) from sessions").await, 0);
    }

    async fn twenty_concurrent_requests_verify_once(app: TestApp) {
        app.registers("Acme", ADA).await;
        let token = app.mailed_token(ADA, "verify_email").await;
        let answers = join_all((0..20).map(|_| app.verifies(&token))).await;
        let good = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(good, 1);
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            answer.refused(400, "Invalid or expired token");
        }
        let rows = "select count(*) from audit where action = 'user.email_verified'";
        assert_eq!(app.db.count(rows).await, 1);
    }

    async fn a_token_is_valid_for_a_day(app: TestApp) {
        app.registers("Acme", ADA).await;
        let token = app.mailed_token(ADA, "verify_email").await;
        app.advance(TimeDelta::hours(24));
        app.verifies(&token).await.refused(400, "Invalid or expired token");
        assert!(!app.is_verified(ADA).await);
        app.resends_verification(ADA).await.expect(200);
        let token = app.mailed_token(ADA, "verify_email").await;
        app.advance(TimeDelta::hours(24) - TimeDelta::seconds(1));
        app.verifies(&token).await.expect(200);
    }

    async fn a_newer_email_voids_the_older_ones(app: TestApp) {
        app.registers("Acme", ADA).await;
        let older = app.mailed_token(ADA, "verify_email").await;
        app.advance(TimeDelta::seconds(1));
        app.resends_verification(ADA).await.expect(200);
        let newer = app.mailed_token(ADA, "verify_email").await;
        assert_ne!(older, newer);
        app.verifies(&older).await.refused(400, "Invalid or expired token");
        app.verifies(&newer).await.expect(200);
    }

    async fn no_other_token_verifies_and_this_one_does_nothing_else(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        let verify = app.mailed_token(ADA, "verify_email").await;
        app.forgets_password(ADA).await.expect(200);
        let reset = app.mailed_token(ADA, "reset_password").await;
        for foreign in [reset.as_str(), &ada.token, "", "x", &"A".repeat(43), &format!("{verify}A"), &verify[1..]] {
            let answer = app.verifies(foreign).await;
            if foreign.is_empty() {
                answer.refused_fields(&["token"]);
            } else {
                answer.refused(400, "Invalid or expired token");
                assert_eq!(answer.header("x-error-code"), Some("invalid_or_expired_token"));
            }
        }
        app.resets_password(&verify, OTHER_PASSWORD).await.refused(400, "Invalid or expired token");
        app.post("/api/auth/end-session").json(&json!({"token": verify}))
            .await.refused(400, "Invalid or expired token");
        app.get("/api/auth/me").bearer(&verify).await.refused(401, "Invalid token");
        assert!(!app.is_verified(ADA).await);
        // None of these used up the token.
        app.verifies(&verify).await.expect(200);
        app.resets_password(&reset, OTHER_PASSWORD).await.expect(200);
    }

    async fn tokens_of_a_disabled_account_are_refused(app: TestApp) {
        app.registers("Acme", ADA).await;
        let token = app.mailed_token(ADA, "verify_email").await;
        app.disables(ADA).await;
        app.verifies(&token).await.refused(400, "Invalid or expired token");
        assert!(!app.is_verified(ADA).await);
    }

    async fn resending_answers_the_same_for_every_address(app: SlackApp) {
        app.registers("Acme", ADA).await;
        app.registers("Beta", "verified@beta.example").await;
        app.verifies(&app.mailed_token("verified@beta.example", "verify_email").await).await.expect(200);
        app.registers("Gamma", "disabled@gamma.example").await;
        app.disables("disabled@gamma.example").await;
        app.signs_in("member").await;
        app.advance(TimeDelta::hours(2));

        let known = app.resends_verification(ADA).await;
        assert_eq!(known.expect(200), json!({"success": true}));
        for address in ["unknown@acme.example", "verified@beta.example", "disabled@gamma.example"] {
            let emails = app.emails_to(address).await.len();
            let answer = app.resends_verification(address).await;
            assert_eq!(answer.as_bytes(), known.as_bytes(), "{address}");
            assert_eq!(app.emails_to(address).await.len(), emails, "{address}");
        }
        assert_eq!(app.emails_to(ADA).await.len(), 2);
        // What Slack reports is as unverified as what anyone types.
        let by_slack = "edsger@example.com";
        assert!(!app.is_verified(by_slack).await);
        app.resends_verification(by_slack).await.expect(200);
        app.verifies(&app.mailed_token(by_slack, "verify_email").await).await.expect(200);
        assert!(app.is_verified(by_slack).await);
    }

    async fn a_correct_password_is_told_that_verification_is_required(db: Db) {
        let app = strict(db).await;
        app.registers("Acme", ADA).await;
        let answer = app.tries_to_log_in(ADA, PASSWORD).await;
        answer.refused(403, "Email not verified");
        assert_eq!(answer.header("x-error-code"), Some("email_not_verified"));
        assert_eq!(app.db.count("select count(*) from sessions").await, 0);
        // Without the password nothing is revealed.
        let wrong = app.tries_to_log_in(ADA, "Not-The-Password-1").await;
        let unknown = app.tries_to_log_in("unknown@acme.example", PASSWORD).await;
        wrong.refused(401, "Invalid credentials");
        assert_eq!(wrong.as_bytes(), unknown.as_bytes());
        let rows = "select count(*) from audit where action = 'session.login' and outcome = 'refused'";
        assert_eq!(app.db.count(rows).await, 3);

        app.verifies(&app.mailed_token(ADA, "verify_email").await).await.expect(200);
        app.tries_to_log_in(ADA, PASSWORD).await.expect(200);
    }

    async fn joining_with_required_verification_gives_an_account_but_no_session(db: Db) {
        let app = strict(db).await;
        let acme = app.registers("Acme", ADA).await;
        let bob = "bob@acme.example";
        let joined = app.post("/api/auth/register").json(&member_body(&acme.id, bob)).await.expect(201);
        assert_eq!(joined["success"], true);
        assert_eq!(joined["message"], "Account created successfully. Please check your email to verify your account.");
        assert_eq!(joined["user"]["email"], bob);
        assert_eq!(joined["user"]["organizationId"], acme.id);
        assert!(joined.get("accessToken").is_none(), "{joined}");
        assert_eq!(app.db.count("select count(*) from sessions").await, 0);

        app.tries_to_log_in(bob, PASSWORD).await.refused(403, "Email not verified");
        app.verifies(&app.mailed_token(bob, "verify_email").await).await.expect(200);
        app.tries_to_log_in(bob, PASSWORD).await.expect(200);
    }

    async fn an_operator_can_mark_an_address_as_verified(db: Db) {
        let app = strict(db).await;
        let acme = app.registers("Acme", ADA).await;
        let operator_app = app.operator_app().await;
        let bob = CreateUser {
            email: Email::parse("bob@acme.example").unwrap(),
            password: PASSWORD,
            name: PersonName::parse("Bob Byte").unwrap(),
            organization_id: acme.id.parse().unwrap(),
            role: Role::Employee,
            manager_id: None,
        };
        operator::create_user(operator_app.services(), &operator_context(), bob).await.unwrap();
        app.tries_to_log_in("bob@acme.example", PASSWORD).await.expect(200);
        app.tries_to_log_in(ADA, PASSWORD).await.refused(403, "Email not verified");
    }

    async fn slack_sign_in_works_where_verification_is_required(db: Db) {
        let app = SlackApp(TestApp::with_slack(db, |config| {
            crate::support::slack::use_sandbox(config);
            config.accounts.require_verified_email = true;
        }).await);
        app.signs_in("member").await;
    }

    async fn verifying_leaves_one_audit_row(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        let token = app.mailed_token(ADA, "verify_email").await;
        app.post("/api/auth/verify-email").header("x-request-id", "verifies").json(&json!({"token": token}))
            .await.expect(200);
        let rows = format!(
            "select count(*) from audit where request_id = 'verifies' and action = 'user.email_verified'
             and outcome = 'ok' and subject_id = {} and organization_id = {}",
            app.db.id(ada.id()),
            app.db.id(ada.organization_id())
        );
        assert_eq!(app.db.count(&rows).await, 1);
        assert_eq!(app.db.count("select count(*) from audit where request_id = 'verifies'").await, 1);
    }
}

async fn strict(db: Db) -> TestApp {
    TestApp::configured(db, |config| config.accounts.require_verified_email = true).await
}
