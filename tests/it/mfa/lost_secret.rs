//! `JWT_SECRET` was lost or changed: no code can be checked, nothing answers 500, and recovery codes lead in.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::mfa::Authenticator;
use crate::support::{
    Actor, Answer, Browser, Db, OTHER_SECRET, PASSWORD, SlackApp, TestApp, on_both_databases,
};

const ADA: &str = "ada@acme.example";

on_both_databases! {
    async fn every_way_in_refuses_a_code_that_cannot_be_checked(app: TestApp) {
        let (app, _, authenticator) = enrolled_before_the_loss(app).await;
        let code = authenticator.code(&app);
        let token = app.takes_first_step(ADA).await;
        for _ in 0..6 {
            is_unusable(&app.shows_code(&token, &code).await);
        }
        let locked = session_token(&app).await;
        is_unusable(&app.post(&format!("/api/v1/unlock?token={locked}")).json(&json!({"code": code})).await);
        let sign_in = json!({"email": ADA, "password": PASSWORD, "code": code});
        is_unusable(&app.post("/api/auth/callback/credentials").json(&sign_in).await);

        let browser = Browser::new(&app);
        let mut form = vec![("email", ADA), ("password", PASSWORD), ("code", code.as_str())];
        let answer = browser.post_form("/api/auth/signin/credentials", &form).await;
        let page = answer.header("location").unwrap().replace("http://localhost", "");
        assert!(page.contains("error=authenticator_unusable"), "{page}");
        let page = browser.get(&page).await.text();
        assert!(page.contains("recovery codes") && page.contains("name=\"code\""), "{page}");
        form.push(("json", "true"));
        let answer = browser.post_form("/api/auth/signin/credentials", &form).await;
        assert_eq!((answer.status.as_u16(), answer.header("x-error-code")), (403, Some("authenticator_unusable")));
        assert!(answer.text().contains("error=authenticator_unusable"), "{}", answer.text());
        let rows = "select count(*) from audit where reason = 'authenticator_unusable' and outcome = 'refused'";
        assert_eq!(app.db.count(rows).await, 10);

        // None of these were guesses, so nothing is locked.
        app.shows_code(&token, &authenticator.recovery_codes[0]).await.expect(200);
        let unlock = json!({"code": authenticator.recovery_codes[1]});
        app.post(&format!("/api/v1/unlock?token={locked}")).json(&unlock).await.expect(200);
    }

    async fn every_call_that_takes_a_code_says_that_it_cannot_be_checked(app: TestApp) {
        let (app, ada, authenticator) = recovered(app).await;
        let code = authenticator.code(&app);
        let with_password = json!({"code": code, "password": PASSWORD});
        let code = json!({"code": code});
        is_unusable(&ada.reauthenticates(&code).await);
        is_unusable(&ada.begins_enrolment().json(&code).await);
        is_unusable(&ada.post("/api/auth/mfa/recovery-codes").json(&code).await);
        is_unusable(&ada.delete("/api/auth/mfa/totp").json(&with_password).await);
        let recovery = json!({"code": authenticator.recovery_codes[1], "password": PASSWORD});
        ada.delete("/api/auth/mfa/totp").json(&recovery).await.expect(200);
        app.tries_to_log_in(ADA, PASSWORD).await.expect(200)["accessToken"].as_str().unwrap();
    }

    async fn a_recovery_code_is_the_proof_for_enrolling_again(app: TestApp) {
        let (app, ada, lost) = recovered(app).await;
        app.advance(TimeDelta::minutes(15));
        ada.begins_enrolment().json(&json!({"code": "aaaa-aaaa-aaaa-aaaa"})).await.refused(401, "Invalid code");
        let recovery = json!({"code": lost.recovery_codes[1]});
        let begun = ada.begins_enrolment().json(&recovery).await.expect(200);
        let new = Authenticator::from_enrolment(&begun);
        ada.confirms(&new.code(&app)).await.expect(200);
        app.advance(TimeDelta::seconds(30));
        let token = app.takes_first_step(ADA).await;
        app.shows_code(&token, &new.code(&app)).await.expect(200);
        // The authenticator works again, so a recovery code is no longer enough.
        app.advance(TimeDelta::minutes(15));
        let again = ada.begins_enrolment().json(&json!({"code": lost.recovery_codes[2]})).await;
        assert_eq!(again.header("x-error-code"), Some("reauthentication_required"));
    }

    async fn the_last_recovery_code_is_enough_to_sign_in_and_enrol_again(app: TestApp) {
        let (app, ada, _) = recovered(app).await;
        app.db.execute("delete from recovery_codes").await;
        app.advance(TimeDelta::minutes(14));
        ada.begins_enrolment().await.expect(200);
        app.advance(TimeDelta::minutes(1));
        ada.begins_enrolment().await.refused_with(409, "mfa_already_enabled");
    }

    async fn a_fresh_session_replaces_no_authenticator_that_works(app: TestApp) {
        let (app, mut ada, lost) = recovered(app).await;
        let new = Authenticator::from_enrolment(&ada.begins_enrolment().await.expect(200));
        let codes = ada.confirms(&new.code(&app)).await.expect(200);
        ada.begins_enrolment().await.refused_with(409, "mfa_already_enabled");
        let token = app.takes_first_step(ADA).await;
        app.shows_code(&token, &lost.recovery_codes[1]).await.refused(401, "Invalid code");
        let signed_in = app.shows_code(&token, codes["recoveryCodes"][0].as_str().unwrap()).await.expect(200);
        ada.takes_token(&signed_in);
        ada.begins_enrolment().await.refused_with(409, "mfa_already_enabled");
    }

    async fn what_else_the_lost_secret_sealed_is_refused_without_a_500(app: TestApp) {
        let mut app = app;
        let ada = app.signs_up("Acme", ADA).await;
        let browser = Browser::new(&app);
        browser.signs_in(ADA, PASSWORD).await.expect(200);
        let csrf = browser.get("/api/auth/csrf").await.expect(200)["csrfToken"].as_str().unwrap().to_owned();
        let session_token = session_token(&app).await;
        let verify = app.mailed_token(ADA, "verify_email").await;
        app.forgets_password(ADA).await.expect(200);
        let pending = Authenticator::from_enrolment(&ada.begins_enrolment().await.expect(200));
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        let bobs = bob.enrols(&app).await;
        let challenge = app.takes_first_step(&bob.email).await;
        loses_secret(&mut app).await;

        ada.me().await.refused(401, "Invalid token");
        assert_eq!(browser.session().await, json!({}));
        let sign_out = json!({"csrfToken": csrf});
        let forged = app.post("/api/auth/signin/credentials").form(&[("email", ADA), ("csrfToken", &csrf)]).await;
        assert_eq!((forged.status.as_u16(), forged.header("x-error-code")), (403, Some("cross_site_request")));
        assert!(app.post("/api/auth/signout").json(&sign_out).await.status.as_u16() < 500);
        browser.signs_in(ADA, PASSWORD).await.expect(200);
        let search = json!({"from": 0, "size": 1});
        app.post(&format!("/api/v1/search?token={session_token}")).json(&search).await.expect(200);
        app.shows_code(&challenge, &bobs.recovery_codes[0]).await.expect(200);
        app.verifies(&verify).await.expect(200);
        app.logs_in(ADA, PASSWORD).await.confirms(&pending.code(&app)).await.refused(409, "MFA not enrolled");
    }

    async fn a_state_of_the_lost_secret_is_an_expired_sign_in(db: Db) {
        let mut app = SlackApp::start(db).await;
        let callback = app.callback_of("owner").await;
        loses_secret(&mut app.0).await;
        app.get(&callback).await.is_page(400, "sign_in_expired");
    }
}

async fn loses_secret(app: &mut TestApp) {
    app.restart_configured(|config| config.tokens.secrets = vec![OTHER_SECRET.into()])
        .await;
}

async fn enrolled_before_the_loss(mut app: TestApp) -> (TestApp, Actor, Authenticator) {
    let ada = app.signs_up("Acme", ADA).await;
    let authenticator = ada.enrols(&app).await;
    loses_secret(&mut app).await;
    (app, ada, authenticator)
}

/// Signed in after the loss with the first recovery code.
async fn recovered(app: TestApp) -> (TestApp, Actor, Authenticator) {
    let (app, mut ada, authenticator) = enrolled_before_the_loss(app).await;
    let token = app.takes_first_step(ADA).await;
    let code = &authenticator.recovery_codes[0];
    let signed_in: Value = app.shows_code(&token, code).await.expect(200);
    ada.takes_token(&signed_in);
    (app, ada, authenticator)
}

async fn session_token(app: &TestApp) -> String {
    let login = json!({"name": ADA, "password": PASSWORD, "returnToken": true});
    let begun = app.post("/api/v1/login").json(&login).await.expect(200);
    begun["token"].as_str().unwrap().to_owned()
}

#[track_caller]
fn is_unusable(answer: &Answer) {
    let message = "Authenticator unusable: use a recovery code, or ask the people who run this service to reset \
        the second factor";
    answer.refused(403, message);
    assert_eq!(
        answer.header("x-error-code"),
        Some("authenticator_unusable")
    );
}
