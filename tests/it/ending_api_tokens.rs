//! API tokens that end with the sessions that made them.

use chrono::TimeDelta;
use serde_json::json;

use crate::support::jwt::claims;
use crate::support::{Actor, OTHER_PASSWORD, PASSWORD, TestApp, on_both_databases};

on_both_databases! {
    async fn logout_all_ends_the_api_tokens_that_its_sessions_made(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let (here, ended, thief) = three_services(&ada).await;
        ada.post("/api/auth/logout-all").await.expect(200);
        here.me().await.refused(401, "Token revoked");
        thief.me().await.refused(401, "Token revoked");
        ended.me().await.expect(200);
        let ada = app.logs_in(&ada.email, PASSWORD).await;
        ada.post("/api/auth/logout-all").json(&json!({"endApiTokens": true})).await.expect(200);
        ended.me().await.refused(401, "Token revoked");
    }

    async fn a_session_ended_from_another_takes_its_api_tokens(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let thief = ada.signs_in_again().await;
        let (own, stolen) = (ada.as_a_service("employee").await, thief.as_a_service("admin").await);
        let session = claims(&thief.token)["sid"].clone();
        ada.delete(&format!("/api/auth/sessions/{}", session.as_str().unwrap())).await.expect(200);
        stolen.me().await.refused(401, "Token revoked");
        own.me().await.expect(200);
        let thief = ada.signs_in_again().await;
        let stolen = thief.as_a_service("admin").await;
        ada.enrols(&app).await;
        stolen.me().await.refused(401, "Token revoked");
        own.me().await.expect(200);
    }

    async fn a_new_password_ends_the_api_tokens_of_other_sessions(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let (here, ended, thief) = three_services(&ada).await;
        ada.changes_password(PASSWORD, OTHER_PASSWORD).await.expect(200);
        thief.me().await.refused(401, "Token revoked");
        for service in [&here, &ended] {
            service.me().await.expect(200);
        }
        let body = json!({"currentPassword": OTHER_PASSWORD, "newPassword": PASSWORD, "endApiTokens": true});
        ada.post("/api/auth/change-password").json(&body).await.expect(200);
        for service in [&here, &ended] {
            service.me().await.refused(401, "Token revoked");
        }
        let rows = "select detail as v from audit where action = 'user.password_changed' order by detail";
        let details = [1, 2].map(|ended| Some(json!({"apiTokensEnded": ended}).to_string()));
        assert_eq!(app.db.values(rows).await, details);
    }

    async fn a_reset_ends_the_api_tokens_of_its_sessions_or_all(app: TestApp) {
        let ada = verified(&app).await;
        let (here, ended, thief) = three_services(&ada).await;
        app.forgets_password(&ada.email).await.expect(200);
        let link = app.mailed_token(&ada.email, "reset_password").await;
        app.resets_password(&link, OTHER_PASSWORD).await.expect(200);
        for service in [&here, &thief] {
            service.me().await.refused(401, "Token revoked");
        }
        ended.me().await.expect(200);
        app.advance(TimeDelta::seconds(1));
        app.forgets_password(&ada.email).await.expect(200);
        let link = app.mailed_token(&ada.email, "reset_password").await;
        let body = json!({"token": link, "password": PASSWORD, "endApiTokens": true});
        app.post("/api/auth/reset-password").json(&body).await.expect(200);
        ended.me().await.refused(401, "Token revoked");
    }

    async fn the_reset_page_offers_to_end_all_api_tokens(app: TestApp) {
        let ada = verified(&app).await;
        for (choice, survives) in [(None, true), (Some(("endApiTokens", "true")), false)] {
            let session = app.logs_in(&ada.email, if survives { PASSWORD } else { OTHER_PASSWORD }).await;
            let service = session.as_a_service("employee").await;
            session.logs_out().await.expect(200);
            app.advance(TimeDelta::seconds(1));
            app.forgets_password(&ada.email).await.expect(200);
            let link = app.mailed_token(&ada.email, "reset_password").await;
            let page = app.get(&format!("/reset-password?token={link}")).await.text();
            assert!(page.contains(r#"name="endApiTokens" type="checkbox" value="true""#), "{page}");
            let fields = [("token", &*link), ("password", OTHER_PASSWORD)];
            let fields: Vec<_> = fields.into_iter().chain(choice).collect();
            assert_eq!(app.post("/reset-password").form(&fields).await.status, 200);
            assert_eq!(service.me().await.status == 200, survives);
        }
    }

    async fn signing_out_ends_no_api_token(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let service = ada.as_a_service("employee").await;
        ada.logs_out().await.expect(200);
        service.me().await.expect(200);
    }
}

/// Ada with a verified address.
async fn verified(app: &TestApp) -> Actor {
    let ada = app.signs_up("Acme", "ada@acme.example").await;
    let link = app.mailed_token(&ada.email, "verify_email").await;
    app.verifies(&link).await.expect(200);
    ada
}

/// One made by this session, one by a session that has ended since, and one by another that is live.
async fn three_services(ada: &Actor) -> (Actor, Actor, Actor) {
    let here = ada.as_a_service("employee").await;
    let ended = ada.signs_in_again().await;
    let of_ended = ended.as_a_service("employee").await;
    ended.logs_out().await.expect(200);
    let elsewhere = ada.signs_in_again().await.as_a_service("employee").await;
    (here, of_ended, elsewhere)
}
