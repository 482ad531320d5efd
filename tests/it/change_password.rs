//! Changing a password with the current one.

use serde_json::json;

use crate::support::{OTHER_PASSWORD, PASSWORD, TestApp, on_both_databases};

on_both_databases! {
    async fn a_new_password_ends_every_other_session_and_keeps_this_one(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let elsewhere = ada.signs_in_again().await;
        let answer = ada.changes_password(PASSWORD, OTHER_PASSWORD).await;
        assert_eq!(answer.expect(200), json!({"success": true}));

        elsewhere.me().await.refused(401, "Token revoked");
        ada.me().await.expect(200);
        ada.refreshes().await.expect(200);
        app.tries_to_log_in(&ada.email, PASSWORD).await.refused(401, "Invalid credentials");
        app.tries_to_log_in(&ada.email, OTHER_PASSWORD).await.expect(200);
    }

    async fn a_wrong_current_password_changes_nothing(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let elsewhere = ada.signs_in_again().await;
        let answer = ada.changes_password("Not-The-Password-1", OTHER_PASSWORD).await;
        answer.refused(401, "Invalid credentials");
        assert!(!answer.header("www-authenticate").unwrap().contains("invalid_token"));
        ada.me().await.expect(200);
        elsewhere.me().await.expect(200);
        app.tries_to_log_in(&ada.email, PASSWORD).await.expect(200);
    }

    async fn a_weak_new_password_is_an_error_of_that_field(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        for weak in ["short", "password123", "ada@acme.example", &"x".repeat(101)] {
            ada.changes_password(PASSWORD, weak).await.refused_fields(&["newPassword"]);
        }
        app.tries_to_log_in(&ada.email, PASSWORD).await.expect(200);
        app.post("/api/auth/change-password")
            .json(&json!({"currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD}))
            .await
            .refused(401, "Authentication required");
    }

    async fn missing_and_unknown_fields_are_named(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        ada.post("/api/auth/change-password")
            .json(&json!({}))
            .await
            .refused_fields(&["newPassword"]);
        ada.post("/api/auth/change-password")
            .json(&json!({"newPassword": OTHER_PASSWORD}))
            .await
            .refused_fields(&["currentPassword"]);
        ada.post("/api/auth/change-password")
            .json(&json!({"currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD, "email": "x@y.de"}))
            .await
            .refused_fields(&["email"]);
    }
}
