//! A person's own profile, and what they may change in it.

use serde_json::json;

use crate::support::{TestApp, on_both_databases};

on_both_databases! {
    async fn me_is_the_user_of_the_login_answer(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        assert_eq!(ada.me().await.expect(200), ada.user);
        app.get("/api/auth/me").await.refused(401, "Authentication required");
    }

    async fn a_new_name_is_shown_at_once(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        ada.me().await.expect(200);
        let answer = ada
            .patch("/api/auth/me")
            .json(&json!({"name": "  Ada Lovelace "}))
            .await
            .expect(200);
        assert_eq!(answer["name"], "Ada Lovelace");
        assert_eq!(ada.me().await.expect(200), answer);
        assert_eq!(ada.signs_in_again().await.user, answer);
    }

    async fn only_the_name_can_be_changed(app: TestApp) {
        let acme = app.registers("Acme", "ada@acme.example").await;
        let bob = app.joins(&acme.id, "bob@acme.example").await;
        for (field, value) in [
            ("role", json!("admin")),
            ("email", json!("ada@acme.example")),
            ("organizationId", json!(acme.id)),
            ("id", json!(bob.id())),
        ] {
            let mut body = json!({"name": "Bob"});
            body[field] = value;
            bob.patch("/api/auth/me").json(&body).await.refused_fields(&[field]);
        }
        assert_eq!(bob.me().await.expect(200), bob.user);
    }

    async fn an_invalid_name_is_refused(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        for name in ["", "   ", "a\nb", "a\0b"] {
            ada.patch("/api/auth/me")
                .json(&json!({"name": name}))
                .await
                .refused_fields(&["name"]);
        }
        ada.patch("/api/auth/me").json(&json!({})).await.refused_fields(&["name"]);
        app.client.patch("/api/auth/me")
            .json(&json!({"name": "Eve"}))
            .await
            .refused(401, "Authentication required");
        assert_eq!(ada.me().await.expect(200)["name"], "Ada Byron");
    }
}
