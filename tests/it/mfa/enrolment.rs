//! Enrolling, replacing and removing an authenticator.

use chrono::TimeDelta;
use hallpass::domain::EmailMessage;
use serde_json::json;

use crate::support::mfa::{Authenticator, recovery_codes};
use crate::support::{OTHER_PASSWORD, PASSWORD, SlackApp, TestApp, on_both_databases};

on_both_databases! {
    async fn enrolment_gives_a_secret_a_uri_a_qr_code_and_ten_recovery_codes_once(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        assert_eq!(
            ada.get("/api/auth/mfa").await.expect(200),
            json!({"enabled": false, "recoveryCodesLeft": 0})
        );
        let begun = ada.begins_enrolment().await.expect(200);
        let secret = begun["secret"].as_str().unwrap();
        assert_eq!(secret.len(), 32);
        assert_eq!(
            begun["otpauthUri"],
            format!(
                "otpauth://totp/Hallpass:ada%40acme.example?secret={secret}&issuer=Hallpass&algorithm=SHA1&digits=6&period=30"
            )
        );
        assert!(begun["qrCode"].as_str().unwrap().contains("<svg"), "{begun}");
        // It is not in force yet.
        app.tries_to_log_in(&ada.email, PASSWORD).await.expect(200)["accessToken"].as_str().unwrap();

        let authenticator = Authenticator::from_enrolment(&begun);
        let confirmed = ada.confirms(&authenticator.code(&app)).await.expect(200);
        assert_eq!(confirmed.as_object().unwrap().len(), 1, "{confirmed}");
        let mut codes = recovery_codes(&confirmed);
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), 10);
        assert_eq!(
            ada.get("/api/auth/mfa").await.expect(200),
            json!({"enabled": true, "recoveryCodesLeft": 10})
        );
        ada.confirms(&authenticator.code(&app)).await.refused(409, "MFA not enrolled");
    }

    async fn asking_again_makes_another_secret(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let first = Authenticator::from_enrolment(&ada.begins_enrolment().await.expect(200));
        let second = Authenticator::from_enrolment(&ada.begins_enrolment().await.expect(200));
        ada.confirms(&first.code(&app)).await.refused(401, "Invalid code");
        ada.confirms(&second.code(&app)).await.expect(200);
    }

    async fn a_wrong_code_or_a_missing_secret_confirms_nothing(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        ada.confirms("123456").await.refused(409, "MFA not enrolled");
        let authenticator = Authenticator::from_enrolment(&ada.begins_enrolment().await.expect(200));
        for wrong in [&*authenticator.wrong_code(&app), "", "12345", "abcdef", "gayt-emzu-gu3d-oobz"] {
            let answer = ada.confirms(wrong).await;
            assert!(matches!(answer.status.as_u16(), 400 | 401), "{wrong}: {}", answer.text());
        }
        app.tries_to_log_in(&ada.email, PASSWORD).await.expect(200)["accessToken"].as_str().unwrap();
        ada.confirms(&authenticator.code(&app)).await.expect(200);
    }

    async fn the_confirmation_code_cannot_be_guessed(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let authenticator = Authenticator::from_enrolment(&ada.begins_enrolment().await.expect(200));
        for _ in 0..5 {
            ada.confirms(&authenticator.wrong_code(&app)).await.refused(401, "Invalid code");
        }
        ada.confirms(&authenticator.code(&app)).await.refused(429, "Too many attempts");
        // Starting again does not reset the lock.
        let authenticator = Authenticator::from_enrolment(&ada.begins_enrolment().await.expect(200));
        ada.confirms(&authenticator.code(&app)).await.refused(429, "Too many attempts");
        app.advance(TimeDelta::minutes(15));
        ada.reauthenticates(&json!({"password": PASSWORD})).await.expect(200);
        ada.confirms(&authenticator.code(&app)).await.expect(200);
    }

    async fn enrolling_ends_every_other_session_and_keeps_this_one(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let elsewhere = ada.signs_in_again().await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        ada.enrols(&app).await;
        elsewhere.me().await.refused(401, "Token revoked");
        ada.me().await.expect(200);
        bob.me().await.expect(200);
        assert_eq!(ada.sessions().await.len(), 1);
    }

    async fn replacing_an_authenticator_takes_one_of_its_codes(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let old = ada.enrols(&app).await;
        ada.begins_enrolment().await.refused(409, "MFA already enabled");
        let replace = |code: String| ada.begins_enrolment().json(&json!({"code": code}));
        replace(old.wrong_code(&app)).await.refused(401, "Invalid code");
        let new = Authenticator::from_enrolment(&replace(old.code(&app)).await.expect(200));

        // The old one stays in force until the new one is confirmed.
        app.advance(TimeDelta::seconds(30));
        let token = app.takes_first_step(&ada.email).await;
        app.shows_code(&token, &new.code(&app)).await.refused(401, "Invalid code");
        app.shows_code(&token, &old.code(&app)).await.expect(200);
        let confirmed = ada.confirms(&new.code(&app)).await.expect(200);

        app.advance(TimeDelta::seconds(30));
        let token = app.takes_first_step(&ada.email).await;
        app.shows_code(&token, &old.code(&app)).await.refused(401, "Invalid code");
        app.shows_code(&token, &old.recovery_codes[0]).await.refused(401, "Invalid code");
        app.shows_code(&token, &recovery_codes(&confirmed)[0]).await.expect(200);
    }

    async fn disabling_takes_password_and_code_and_ends_other_sessions(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let authenticator = ada.enrols(&app).await;
        let token = app.takes_first_step(&ada.email).await;
        let elsewhere = app.shows_code(&token, &authenticator.code(&app)).await.expect(200);
        app.advance(TimeDelta::seconds(30));
        let pending = app.takes_first_step(&ada.email).await;

        let code = authenticator.code(&app);
        let removes = |body: serde_json::Value| ada.delete("/api/auth/mfa/totp").json(&body);
        removes(json!({"code": code})).await.refused_fields(&["password"]);
        removes(json!({"password": PASSWORD})).await.refused_fields(&["code"]);
        removes(json!({"password": OTHER_PASSWORD, "code": code})).await.refused(401, "Invalid credentials");
        let wrong = authenticator.wrong_code(&app);
        removes(json!({"password": PASSWORD, "code": wrong})).await.refused(401, "Invalid code");
        removes(json!({"password": PASSWORD, "code": code})).await.expect(200);

        app.get("/api/auth/me")
            .bearer(elsewhere["accessToken"].as_str().unwrap())
            .await
            .refused(401, "Token revoked");
        ada.me().await.expect(200);
        app.shows_code(&pending, &authenticator.code_in(&app, 1)).await.refused(400, "Invalid or expired token");
        app.tries_to_log_in(&ada.email, PASSWORD).await.expect(200)["accessToken"].as_str().unwrap();
        removes(json!({"password": PASSWORD, "code": code})).await.refused(409, "MFA not enrolled");
        assert_eq!(app.db.count("select count(*) from recovery_codes").await, 0);
    }

    async fn an_account_without_a_password_disables_it_with_a_code_alone(app: SlackApp) {
        let token = app.arrives("owner").await.token().to_owned();
        let begun = app.post("/api/auth/mfa/totp").bearer(&token).await.expect(200);
        let authenticator = Authenticator::from_enrolment(&begun);
        let confirm = json!({"code": authenticator.code(&app)});
        app.post("/api/auth/mfa/totp/confirm").bearer(&token).json(&confirm).await.expect(200);
        app.advance(TimeDelta::seconds(30));
        let removes = |body: serde_json::Value| {
            app.client.delete("/api/auth/mfa/totp").bearer(&token).json(&body)
        };
        let code = authenticator.code(&app);
        removes(json!({"password": PASSWORD, "code": code})).await.refused(401, "Invalid credentials");
        removes(json!({"code": code})).await.expect(200);
        app.signs_in("owner").await;
    }

    async fn the_secret_and_the_codes_cannot_be_used_from_a_database_dump(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let begun = ada.begins_enrolment().await.expect(200);
        let confirmed = ada.confirms(&Authenticator::from_enrolment(&begun).code(&app)).await.expect(200);
        let codes = recovery_codes(&confirmed);
        let plain = codes[0].replace('-', "");
        let kept = "select secret as v from totp union all select pending from totp
                    union all select hash from recovery_codes";
        for kept in app.db.values(kept).await.into_iter().flatten() {
            let kept = kept.to_lowercase();
            assert!(!kept.contains(&begun["secret"].as_str().unwrap().to_lowercase()), "{kept}");
            assert!(!kept.contains(&plain) && !kept.contains(&codes[0]), "{kept}");
        }
    }

    async fn another_persons_secret_does_not_work(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let eve = app.signs_up("Evil", "eve@evil.example").await;
        ada.enrols(&app).await;
        let hers = eve.enrols(&app).await;
        let (ada_id, eve_id) = (app.db.id(ada.id()), app.db.id(eve.id()));
        app.db
            .execute(&format!(
                "update totp set secret = (select secret from totp where user_id = {eve_id}) where user_id = {ada_id}"
            ))
            .await;
        let token = app.takes_first_step(&ada.email).await;
        let answer = app.shows_code(&token, &hers.code(&app)).await;
        assert_eq!((answer.status.as_u16(), answer.header("x-error-code")), (403, Some("authenticator_unusable")));
    }

    async fn the_owner_is_notified_by_email(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let authenticator = ada.enrols(&app).await;
        let undo = app.mailed_token(&ada.email, "mfa_changed").await;
        let told = |enabled, token| EmailMessage::MfaChanged { name: "Ada Byron".to_owned(), enabled, token };
        assert!(app.emails_to(&ada.email).await.contains(&told(true, Some(undo))));
        let body = json!({"password": PASSWORD, "code": authenticator.code(&app)});
        ada.delete("/api/auth/mfa/totp").json(&body).await.expect(200);
        assert!(app.emails_to(&ada.email).await.contains(&told(false, None)));
    }

    async fn each_change_leaves_one_audit_row(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let authenticator = Authenticator::from_enrolment(&ada.begins_enrolment().await.expect(200));
        let confirms = |id, code: String| {
            ada.post("/api/auth/mfa/totp/confirm").header("x-request-id", id).json(&json!({"code": code}))
        };
        confirms("wrong", authenticator.wrong_code(&app)).await.refused(401, "Invalid code");
        confirms("enables", authenticator.code(&app)).await.expect(200);
        app.advance(TimeDelta::seconds(30));
        ada.post("/api/auth/mfa/recovery-codes")
            .header("x-request-id", "renews")
            .json(&json!({"code": authenticator.code(&app)}))
            .await
            .expect(200);
        app.advance(TimeDelta::seconds(30));
        ada.delete("/api/auth/mfa/totp")
            .header("x-request-id", "disables")
            .json(&json!({"password": PASSWORD, "code": authenticator.code(&app)}))
            .await
            .expect(200);
        for (id, action, outcome) in [
            ("wrong", "mfa.enabled", "refused"),
            ("enables", "mfa.enabled", "ok"),
            ("renews", "mfa.recovery_codes_renewed", "ok"),
            ("disables", "mfa.disabled", "ok"),
        ] {
            let rows = format!("select action || ' ' || outcome as v from audit where request_id = '{id}'");
            assert_eq!(app.db.values(&rows).await, [Some(format!("{action} {outcome}"))], "{id}");
        }
    }
}
