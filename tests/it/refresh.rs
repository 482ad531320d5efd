//! Exchanging a valid token for a new one.

use chrono::TimeDelta;
use serde_json::json;

use crate::support::{Db, TestApp, jwt, on_both_databases};

on_both_databases! {
    async fn a_refresh_answers_like_a_login_and_the_old_token_stays_valid(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        app.advance(TimeDelta::days(3));
        let answer = ada.refreshes().await.expect(200);
        assert_eq!(answer["expiresIn"], 604_800);
        assert_eq!(answer["user"], ada.user);
        let mut refreshed = ada.clone();
        refreshed.takes_token(&answer);
        assert_ne!(refreshed.token, ada.token);
        assert_eq!(jwt::claims(&refreshed.token)["sid"], jwt::claims(&ada.token)["sid"]);
        refreshed.me().await.expect(200);
        ada.me().await.expect(200);

        app.advance(TimeDelta::days(5));
        ada.me().await.refused(401, "Token expired");
        refreshed.me().await.expect(200);
    }

    async fn a_refresh_reads_role_and_name_from_the_database(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        ada.patch("/api/auth/me").json(&json!({"name": "Ada Lovelace"})).await.expect(200);
        app.db.execute("update memberships set role = 'employee'").await;
        let answer = ada.refreshes().await.expect(200);
        assert_eq!(answer["user"]["name"], "Ada Lovelace");
        assert_eq!(answer["user"]["role"], "employee");
        let token = answer["accessToken"].as_str().unwrap();
        assert_eq!(jwt::claims(token)["role"], "employee");
    }

    async fn a_refresh_switches_to_another_organization_of_the_person(db: Db) {
        let mut app = TestApp::start(db).await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let beta = app.registers("Beta", "bob@beta.example").await;
        let switch = json!({"organizationId": beta.id});
        ada.post("/api/auth/refresh").json(&switch).await.refused(404, "Organization not found");

        ada.also_belongs_to(&app, &beta.id, "manager").await;
        app.restart().await;
        let answer = ada.post("/api/auth/refresh").json(&switch).await.expect(200);
        assert_eq!(answer["user"]["organizationId"], beta.id);
        assert_eq!(answer["user"]["role"], "manager");
        let mut switched = ada.clone();
        switched.takes_token(&answer);
        assert_eq!(switched.me().await.expect(200)["organizationId"], beta.id);
        assert_eq!(ada.me().await.expect(200), ada.user);
        let unchanged = ada.refreshes().await.expect(200);
        assert_eq!(unchanged["user"]["organizationId"], ada.organization_id());
    }

    async fn a_session_ends_after_ninety_days_and_no_token_outlives_it(app: TestApp) {
        let mut ada = app.signs_up("Acme", "ada@acme.example").await;
        let began = jwt::claims(&ada.token)["iat"].as_i64().unwrap();
        let session_end = began + 90 * 86_400;
        for _ in 0..14 {
            app.advance(TimeDelta::days(6));
            ada.takes_token(&ada.refreshes().await.expect(200));
            let claims = jwt::claims(&ada.token);
            let iat = claims["iat"].as_i64().unwrap();
            assert_eq!(claims["exp"], session_end.min(iat + 604_800));
        }
        app.advance(TimeDelta::days(5));
        let last = ada.refreshes().await.expect(200);
        assert_eq!(last["expiresIn"], 86_400);
        ada.takes_token(&last);
        ada.me().await.expect(200);

        app.advance(TimeDelta::days(1));
        ada.me().await.refused(401, "Token expired");
        ada.refreshes().await.refused(401, "Token expired");
        ada.signs_in_again().await.me().await.expect(200);
    }

    async fn a_refresh_without_a_token_is_refused(app: TestApp) {
        let answer = app.post("/api/auth/refresh").await;
        answer.refused(401, "Authentication required");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }

    async fn a_refresh_refuses_unknown_fields(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        ada.post("/api/auth/refresh")
            .json(&json!({"role": "admin"}))
            .await
            .refused_fields(&["role"]);
        ada.post("/api/auth/refresh").json(&json!({})).await.expect(200);
    }
}
