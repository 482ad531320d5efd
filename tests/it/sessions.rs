//! Signing out of this session, another one, or all.

use chrono::TimeDelta;
use serde_json::json;

use crate::support::{TestApp, on_both_databases};

on_both_databases! {
    async fn logout_ends_this_session_only(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let elsewhere = ada.signs_in_again().await;
        let mut refreshed = ada.clone();
        refreshed.takes_token(&ada.refreshes().await.expect(200));

        assert_eq!(ada.logs_out().await.expect(200), json!({"success": true}));
        let answer = ada.me().await;
        answer.refused(401, "Token revoked");
        assert!(answer.header("www-authenticate").unwrap().contains(r#"error="invalid_token""#));
        refreshed.me().await.refused(401, "Token revoked");
        ada.refreshes().await.refused(401, "Token revoked");
        ada.logs_out().await.refused(401, "Token revoked");
        elsewhere.me().await.expect(200);
    }

    async fn logout_all_ends_every_session_of_one_person_only(app: TestApp) {
        let acme = app.registers("Acme", "ada@acme.example").await;
        let ada = app.logs_in("ada@acme.example", crate::support::PASSWORD).await;
        let elsewhere = ada.signs_in_again().await;
        let bob = app.joins(&acme.id, "bob@acme.example").await;

        assert_eq!(
            ada.post("/api/auth/logout-all").await.expect(200),
            json!({"success": true})
        );
        ada.me().await.refused(401, "Token revoked");
        elsewhere.me().await.refused(401, "Token revoked");
        bob.me().await.expect(200);
        ada.signs_in_again().await.me().await.expect(200);
    }

    async fn the_list_shows_a_persons_live_sessions_and_marks_the_current_one(app: TestApp) {
        let acme = app.registers("Acme", "ada@acme.example").await;
        app.joins(&acme.id, "bob@acme.example").await;
        let ada = app.logs_in("ada@acme.example", crate::support::PASSWORD).await;
        app.advance(TimeDelta::hours(1));
        let phone = app
            .post("/api/auth/login")
            .header("user-agent", "Phone/1.0")
            .json(&json!({"email": ada.email, "password": ada.password}))
            .await
            .expect(200);
        let ended = ada.signs_in_again().await;
        ended.logs_out().await.expect(200);

        let sessions = ada.sessions().await;
        assert_eq!(sessions.len(), 2, "{sessions:?}");
        let (newest, oldest) = (&sessions[0], &sessions[1]);
        assert_eq!(newest["device"], "Phone 1.0");
        assert_eq!(newest["current"], false);
        assert_eq!(oldest["current"], true);
        for session in &sessions {
            assert_eq!(session["address"], "127.0.0.1");
            for time in ["createdAt", "lastUsedAt", "expiresAt"] {
                let text = session[time].as_str().unwrap();
                let parsed = chrono::DateTime::parse_from_rfc3339(text).unwrap();
                assert_eq!(parsed.offset().local_minus_utc(), 0);
            }
        }
        assert!(newest["createdAt"].as_str() > oldest["createdAt"].as_str());
        let mut on_the_phone = ada.clone();
        on_the_phone.takes_token(&phone);
        assert_eq!(on_the_phone.sessions().await[0]["current"], true);
        app.get("/api/auth/sessions").await.refused(401, "Authentication required");
    }

    async fn a_session_can_be_ended_from_another_one(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let lost = ada.signs_in_again().await;
        let path = format!("/api/auth/sessions/{}", session_id(&lost.token));
        assert_eq!(ada.delete(&path).await.expect(200), json!({"success": true}));
        lost.me().await.refused(401, "Token revoked");
        ada.me().await.expect(200);
        ada.delete(&path).await.refused(404, "Session not found");
    }

    async fn another_persons_session_is_not_found_and_continues(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        let path = format!("/api/auth/sessions/{}", session_id(&bob.token));
        ada.delete(&path).await.refused(404, "Session not found");
        bob.me().await.expect(200);
        ada.delete("/api/auth/sessions/01939f2e-0000-7000-8000-000000000000")
            .await
            .refused(404, "Session not found");
        ada.delete("/api/auth/sessions/nonsense")
            .await
            .refused(404, "Session not found");
        bob.delete(&path).await.expect(200);
    }
}

fn session_id(token: &str) -> String {
    crate::support::jwt::claims(token)["sid"]
        .as_str()
        .unwrap()
        .to_owned()
}
