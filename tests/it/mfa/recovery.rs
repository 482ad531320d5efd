//! Recovery codes.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::json;

use crate::support::mfa::recovery_codes;
use crate::support::test_app::{found, operator_context};
use crate::support::{OTHER_PASSWORD, PASSWORD, TestApp, on_both_databases};
use hallpass::domain::UserId;
use hallpass::service::{Error, mfa};

on_both_databases! {
    async fn a_recovery_code_replaces_the_authenticator_once(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let authenticator = ada.enrols(&app).await;
        let token = app.takes_first_step(&ada.email).await;
        let code = &authenticator.recovery_codes[3];
        app.post("/api/auth/mfa/verify")
            .header("x-request-id", "recovers")
            .json(&json!({"mfaToken": token, "code": code.to_uppercase().replace('-', " ")}))
            .await
            .expect(200);
        let rows = "select action || ' ' || outcome as v from audit where request_id = 'recovers' order by action";
        let left = ["mfa.recovery_code_used ok", "session.login ok"].map(|row| Some(row.to_owned()));
        assert_eq!(app.db.values(rows).await, left);
        assert_eq!(ada.get("/api/auth/mfa").await.expect(200)["recoveryCodesLeft"], 9);

        let token = app.takes_first_step(&ada.email).await;
        app.shows_code(&token, code).await.refused(401, "Invalid code");
        app.shows_code(&token, &authenticator.recovery_codes[4]).await.expect(200);
    }

    async fn one_recovery_code_works_once_under_twenty_parallel_attempts(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let authenticator = ada.enrols(&app).await;
        let tokens = join_all((0..20).map(|_| app.takes_first_step(&ada.email))).await;
        let code = &authenticator.recovery_codes[0];
        let tries = join_all(tokens.iter().map(|token| app.shows_code(token, code))).await;
        assert_eq!(tries.iter().filter(|answer| answer.status == 200).count(), 1);
        assert_eq!(ada.sessions().await.len(), 2);
    }

    async fn new_recovery_codes_need_a_code_and_void_the_old_ones(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let renews = |body: serde_json::Value| ada.post("/api/auth/mfa/recovery-codes").json(&body);
        renews(json!({"code": "123456"})).await.refused(409, "MFA not enrolled");
        let authenticator = ada.enrols(&app).await;
        let code = authenticator.code(&app);
        renews(json!({})).await.refused_fields(&["code"]);
        renews(json!({"code": authenticator.wrong_code(&app)})).await.refused(401, "Invalid code");
        renews(json!({"code": code, "password": OTHER_PASSWORD})).await.refused(401, "Invalid credentials");
        let new = recovery_codes(&renews(json!({"code": code, "password": PASSWORD})).await.expect(200));
        assert_eq!(new.len(), 10);
        assert_eq!(ada.get("/api/auth/mfa").await.expect(200)["recoveryCodesLeft"], 10);

        let token = app.takes_first_step(&ada.email).await;
        app.shows_code(&token, &authenticator.recovery_codes[0]).await.refused(401, "Invalid code");
        app.shows_code(&token, &new[0]).await.expect(200);
        // The only way to new ones once the authenticator is lost.
        app.advance(TimeDelta::seconds(30));
        renews(json!({"code": new[1]})).await.expect(200);
    }

    async fn an_operator_resets_the_second_factor_of_a_locked_out_person(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        ada.enrols(&app).await;
        let pending = app.takes_first_step(&ada.email).await;
        let operator_app = app.operator_app().await;
        let id = found(&operator_app, &ada.email).await.unwrap().id;
        let resets = async |id| mfa::reset(operator_app.services(), &operator_context(), id).await;
        assert!(matches!(resets(UserId::NIL).await, Err(Error::UserNotFound)));
        resets(id).await.unwrap();
        assert!(matches!(resets(id).await, Err(Error::MfaNotEnrolled)));

        app.shows_code(&pending, "123456").await.refused(400, "Invalid or expired token");
        let answer = app.tries_to_log_in(&ada.email, PASSWORD).await.expect(200);
        assert!(answer["accessToken"].is_string(), "{answer}");
        let live = "select count(*) from sessions where revoked_at is null";
        assert_eq!(app.db.count(live).await, 1);
        let rows =
            "select count(*) from audit where action = 'mfa.disabled' and actor_id is null and subject_id is not null";
        assert_eq!(app.db.count(rows).await, 1);
    }

    async fn a_recovery_code_works_for_its_owner_only(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let eve = app.signs_up("Evil", "eve@evil.example").await;
        ada.enrols(&app).await;
        let hers = eve.enrols(&app).await;
        let token = app.takes_first_step(&ada.email).await;
        app.shows_code(&token, &hers.recovery_codes[0]).await.refused(401, "Invalid code");
        assert_eq!(eve.get("/api/auth/mfa").await.expect(200)["recoveryCodesLeft"], 10);
    }
}
