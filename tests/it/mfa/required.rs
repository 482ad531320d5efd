//! Organizations that require a second factor.

use chrono::TimeDelta;
use serde_json::json;

use crate::support::mfa::{Authenticator, recovery_codes};
use crate::support::{PASSWORD, TestApp, on_both_databases};

on_both_databases! {
    async fn a_person_who_is_not_enrolled_enrols_during_sign_in(app: TestApp) {
        let acme = app.registers("Acme", "ada@acme.example").await;
        app.requires_mfa(&acme.id).await;
        let asked = app.tries_to_log_in("ada@acme.example", PASSWORD).await.expect(200);
        let token = asked["mfaToken"].as_str().unwrap();
        assert_eq!(
            asked,
            json!({"mfaRequired": true, "mfaToken": token, "expiresIn": 300, "enrolmentRequired": true})
        );
        let authenticator = Authenticator::from_enrolment(&app.begins_enrolment_with(token).await.expect(200));
        app.confirms_with(token, &authenticator.wrong_code(&app)).await.refused(401, "Invalid code");
        let answer = app.confirms_with(token, &authenticator.code(&app)).await.expect(200);
        assert_eq!(recovery_codes(&answer).len(), 10);
        assert_eq!(answer["expiresIn"], 604_800);
        assert_eq!(answer["user"]["email"], "ada@acme.example");
        app.get("/api/auth/me").bearer(answer["accessToken"].as_str().unwrap()).await.expect(200);

        // Once, and from then on with codes.
        app.begins_enrolment_with(token).await.refused(400, "Invalid or expired token");
        app.advance(TimeDelta::seconds(30));
        let token = app.takes_first_step("ada@acme.example").await;
        app.shows_code(&token, &authenticator.code(&app)).await.expect(200);
    }

    async fn an_enrolment_token_can_do_nothing_else(app: TestApp) {
        let acme = app.registers("Acme", "ada@acme.example").await;
        app.requires_mfa(&acme.id).await;
        let token = app.takes_first_step("ada@acme.example").await;
        app.shows_code(&token, "123456").await.refused(400, "Invalid or expired token");
        app.get("/api/auth/me").bearer(&token).await.refused(401, "Invalid token");
        app.get("/api/auth/mfa").bearer(&token).await.refused(401, "Invalid token");
        app.post("/api/auth/mfa/totp").bearer(&token).await.refused(401, "Invalid token");
        app.advance(TimeDelta::seconds(300));
        app.begins_enrolment_with(&token).await.refused(400, "Invalid or expired token");
    }

    async fn a_concurrent_pending_sign_in_does_not_replace_an_enrolment(app: TestApp) {
        let acme = app.registers("Acme", "ada@acme.example").await;
        app.requires_mfa(&acme.id).await;
        let (hers, stolen) = (
            app.takes_first_step("ada@acme.example").await,
            app.takes_first_step("ada@acme.example").await,
        );
        let authenticator = Authenticator::from_enrolment(&app.begins_enrolment_with(&hers).await.expect(200));
        app.confirms_with(&hers, &authenticator.code(&app)).await.expect(200);
        app.begins_enrolment_with(&stolen).await.refused(400, "Invalid or expired token");
        app.confirms_with(&stolen, &authenticator.code_in(&app, 1)).await.refused(400, "Invalid or expired token");
    }

    async fn sessions_older_than_the_rule_may_only_enrol(app: TestApp) {
        let mut app = app;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        app.requires_mfa(ada.organization_id()).await;
        app.restart().await;
        let refused = ada.me().await;
        refused.refused(403, "MFA enrolment required");
        assert_eq!(refused.header("x-error-code"), Some("mfa_enrolment_required"));
        ada.refreshes().await.refused(403, "MFA enrolment required");
        ada.get("/api/auth/sessions").await.refused(403, "MFA enrolment required");
        ada.changes_password(PASSWORD, PASSWORD).await.refused(403, "MFA enrolment required");
        assert_eq!(ada.get("/api/auth/mfa").await.expect(200)["enabled"], false);

        let authenticator = Authenticator::from_enrolment(&ada.begins_enrolment().await.expect(200));
        ada.confirms(&authenticator.code(&app)).await.expect(200);
        ada.me().await.expect(200);
        ada.refreshes().await.expect(200);
    }

    async fn removing_the_authenticator_does_not_lift_the_rule(app: TestApp) {
        let acme = app.registers("Acme", "ada@acme.example").await;
        app.requires_mfa(&acme.id).await;
        let token = app.takes_first_step("ada@acme.example").await;
        let authenticator = Authenticator::from_enrolment(&app.begins_enrolment_with(&token).await.expect(200));
        let answer = app.confirms_with(&token, &authenticator.code(&app)).await.expect(200);
        app.advance(TimeDelta::seconds(30));
        app.client
            .delete("/api/auth/mfa/totp")
            .bearer(answer["accessToken"].as_str().unwrap())
            .json(&json!({"password": PASSWORD, "code": authenticator.code(&app)}))
            .await
            .refused(409, "MFA required");
        app.takes_first_step("ada@acme.example").await;
    }

    async fn another_instance_learns_of_an_enrolment_from_its_token(app: TestApp) {
        let mut app = app;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        app.requires_mfa(ada.organization_id()).await;
        app.restart().await;
        let other = app.second_instance().await;
        ada.at(&other).me().await.refused(403, "MFA enrolment required");
        ada.enrols(&app).await;
        ada.at(&other).me().await.expect(200);
    }
}
