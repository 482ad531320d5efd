//! E-mails that tell an account's owner of a sign-in from a new device.

use chrono::TimeDelta;
use hallpass::domain::EmailMessage;
use serde_json::{Value, json};

use crate::support::{Actor, Db, OTHER_PASSWORD, PASSWORD, TestApp, on_both_databases};

const ADA: &str = "ada@acme.example";

on_both_databases! {
    async fn a_sign_in_from_a_new_device_is_notified_once(app: TestApp) {
        app.registers("Acme", ADA).await;
        from(&app, "Firefox").await;
        assert_eq!(notices(&app).await.len(), 0, "the first sign-in ever");
        from(&app, "Firefox").await;
        assert_eq!(notices(&app).await.len(), 0, "the same device");
        from(&app, "Phone").await;
        let told = notices(&app).await;
        let [EmailMessage::NewSignIn { name, device, address, at, .. }] = told.as_slice() else {
            panic!("{told:?}")
        };
        assert_eq!((name.as_str(), device.as_deref()), ("Ada Byron", Some("Phone")));
        assert_eq!(address.map(|address| address.to_string()).as_deref(), Some("127.0.0.1"));
        assert_eq!(at.timestamp(), app.clock.timestamp());
        from(&app, "Phone").await;
        from(&app, "Firefox").await;
        assert_eq!(notices(&app).await.len(), 1);
    }

    async fn a_session_that_has_ended_is_remembered(app: TestApp) {
        app.registers("Acme", ADA).await;
        let firefox = from(&app, "Firefox").await;
        firefox.logs_out().await.expect(200);
        from(&app, "Firefox").await;
        assert_eq!(notices(&app).await.len(), 0);
    }

    async fn a_failed_sign_in_is_not_notified(app: TestApp) {
        app.registers("Acme", ADA).await;
        from(&app, "Firefox").await;
        app.post("/api/auth/login").header("user-agent", "Phone")
            .json(&json!({"email": ADA, "password": "Not-The-Password-1"}))
            .await
            .refused(401, "Invalid credentials");
        assert_eq!(notices(&app).await.len(), 0);
    }

    async fn the_link_in_the_notice_ends_that_session_only_and_works_once(app: TestApp) {
        app.registers("Acme", ADA).await;
        let firefox = from(&app, "Firefox").await;
        let phone = from(&app, "Phone").await;
        let other = from(&app, "Phone").await;
        let second = app.second_instance().await;
        phone.at(&second).me().await.expect(200);
        let token = app.mailed_token(ADA, "new_sign_in").await;
        let answer = ends(&app, &token).await;
        assert_eq!(answer.expect(200), json!({"success": true}));
        phone.me().await.refused(401, "Token revoked");
        crate::support::eventually("the other instance refuses the token", async || {
            phone.at(&second).me().await.status == 401
        }).await;
        firefox.me().await.expect(200);
        other.me().await.expect(200);
        ends(&app, &token).await.refused(400, "Invalid or expired token");
        let rows = format!(
            "select count(*) from audit where action = 'session.ended' and outcome = 'ok' and subject_id = {}",
            app.db.id(firefox.id())
        );
        assert_eq!(app.db.count(&rows).await, 1);
    }

    async fn ending_an_already_ended_session_succeeds(app: TestApp) {
        app.registers("Acme", ADA).await;
        from(&app, "Firefox").await;
        let phone = from(&app, "Phone").await;
        phone.logs_out().await.expect(200);
        ends(&app, &app.mailed_token(ADA, "new_sign_in").await).await.expect(200);
        assert_eq!(app.db.count("select count(*) from audit where action = 'session.ended'").await, 0);
    }

    async fn the_link_is_valid_for_a_week(app: TestApp) {
        app.registers("Acme", ADA).await;
        from(&app, "Firefox").await;
        let phone = from(&app, "Phone").await;
        let token = app.mailed_token(ADA, "new_sign_in").await;
        app.advance(TimeDelta::days(7));
        ends(&app, &token).await.refused(400, "Invalid or expired token");
        app.advance(TimeDelta::days(-1));
        phone.me().await.expect(200);
        ends(&app, &token).await.expect(200);
        phone.me().await.refused(401, "Token revoked");
    }

    async fn the_link_in_the_password_notice_ends_the_session_that_changed_it(app: TestApp) {
        app.registers("Acme", ADA).await;
        let thief = from(&app, "Phone").await;
        thief.changes_password(PASSWORD, OTHER_PASSWORD).await.expect(200);
        thief.me().await.expect(200);
        let later = app.logs_in(ADA, OTHER_PASSWORD).await;
        let token = app.mailed_token(ADA, "password_changed").await;
        ends(&app, &token).await.expect(200);
        thief.me().await.refused(401, "Token revoked");
        later.me().await.expect(200);
        ends(&app, &token).await.refused(400, "Invalid or expired token");
    }

    async fn no_other_token_ends_a_session(app: TestApp) {
        app.registers("Acme", ADA).await;
        let firefox = from(&app, "Firefox").await;
        let phone = from(&app, "Phone").await;
        let verify = app.mailed_token(ADA, "verify_email").await;
        let end = app.mailed_token(ADA, "new_sign_in").await;
        for foreign in [verify.as_str(), &firefox.token, "x"] {
            ends(&app, foreign).await.refused(400, "Invalid or expired token");
        }
        app.verifies(&end).await.refused(400, "Invalid or expired token");
        app.resets_password(&end, OTHER_PASSWORD).await.refused(400, "Invalid or expired token");
        phone.me().await.expect(200);
    }

    async fn notices_are_limited_for_unverified_addresses_only(app: TestApp) {
        app.registers("Acme", ADA).await;
        for n in 0..6 {
            from(&app, &format!("Device {n}")).await;
        }
        assert_eq!(notices(&app).await.len(), 3);
        app.verifies(&app.mailed_token(ADA, "verify_email").await).await.expect(200);
        for n in 6..12 {
            from(&app, &format!("Device {n}")).await;
        }
        assert_eq!(notices(&app).await.len(), 9);
    }

    async fn switching_mfa_on_and_off_is_no_mail_bomb(db: Db) {
        let app = TestApp::limited(db).await;
        let eve = app.signs_up("Evil", "eve@evil.example").await;
        let squatter = app.joins(eve.organization_id(), ADA).await;
        for _ in 0..8 {
            let authenticator = squatter.enrols(&app).await;
            let proof = json!({"password": PASSWORD, "code": authenticator.recovery_codes[0]});
            squatter.delete("/api/auth/mfa/totp").json(&proof).await.expect(200);
        }
        let mut kinds: Vec<_> = app.emails_to(ADA).await.iter().map(EmailMessage::kind).collect();
        kinds.sort_unstable();
        assert_eq!(kinds, ["mfa_changed", "mfa_changed", "mfa_changed", "verify_email"]);
        from(&app, "Firefox").await;
        from(&app, "Phone").await;
        assert_eq!(app.emails_to(ADA).await.len(), 4, "all notices together");
    }

    async fn a_verified_address_gets_twenty_notices_of_a_kind_in_an_hour(app: TestApp) {
        let mut ada = app.signs_up_verified("Acme", ADA).await;
        for n in 0..23 {
            from(&app, &format!("Device {n}")).await;
        }
        assert_eq!(notices(&app).await.len(), 20);
        ada.changes_password(PASSWORD, OTHER_PASSWORD).await.expect(200);
        app.mailed_token(ADA, "password_changed").await;
        app.advance(TimeDelta::hours(1));
        ada.password = OTHER_PASSWORD.to_owned();
        ada.changes_password(OTHER_PASSWORD, PASSWORD).await.expect(200);
        from(&app, "Another").await;
        assert_eq!(notices(&app).await.len(), 21);
    }

    async fn notices_do_not_use_up_the_limit_for_requested_emails(app: TestApp) {
        app.registers("Acme", ADA).await;
        for n in 0..6 {
            from(&app, &format!("Device {n}")).await;
        }
        app.forgets_password(ADA).await.expect(200);
        app.mailed_token(ADA, "reset_password").await;
    }
}

/// Signs Ada in from a device.
async fn from(app: &TestApp, device: &str) -> Actor {
    let answer = app
        .post("/api/auth/login")
        .header("user-agent", device)
        .json(&json!({"email": ADA, "password": PASSWORD}))
        .await;
    let mut actor = Actor {
        client: app.client.clone(),
        email: ADA.to_owned(),
        password: PASSWORD.to_owned(),
        token: String::new(),
        user: Value::Null,
    };
    actor.takes_token(&answer.expect(200));
    actor
}

async fn ends(app: &TestApp, token: &str) -> crate::support::Answer {
    app.post("/api/auth/end-session")
        .json(&json!({"token": token}))
        .await
}

async fn notices(app: &TestApp) -> Vec<EmailMessage> {
    let mut emails = app.emails_to(ADA).await;
    emails.retain(|message| message.kind() == "new_sign_in");
    emails
}
