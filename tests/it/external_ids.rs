//! The ids that people had in the system they came from, for applications whose tables hold those.

use hallpass::crypto::token_keys::SecretUse;
use serde_json::{Value, json};

use crate::support::{Actor, Db, TestApp, jwt, on_both_databases};

const ADA: &str = "ada@acme.example";
const BOB: &str = "bob@acme.example";

/// As an import would write it, so many seconds after the account was created.
async fn is_imported(app: &TestApp, email: &str, source: &str, external_id: &str, seconds: i64) {
    let at = match app.db {
        Db::Sqlite { .. } => format!("created_at + {seconds}000000"),
        Db::Postgres { .. } => format!("created_at + interval '{seconds} seconds'"),
    };
    app.db
        .execute(&format!(
            "insert into external_ids (source, external_id, user_id, imported_at, fingerprint)
             select '{source}', '{external_id}', id, {at}, '' from users where email = '{email}'"
        ))
        .await;
}

async fn account(actor: &Actor) -> Value {
    actor.get("/api/auth/account").await.expect(200)
}

on_both_databases! {
    async fn an_imported_person_has_the_id_of_the_latest_import(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        let bob = app.joins(ada.organization_id(), BOB).await;
        is_imported(&app, ADA, "b", "4711", 0).await;
        assert_eq!(account(&ada).await["externalId"], "4711");
        is_imported(&app, ADA, "c", "newest", 2).await;
        is_imported(&app, ADA, "a", "newer", 1).await;
        assert_eq!(account(&ada).await["externalId"], "newest");
        assert!(account(&bob).await.get("externalId").is_none());
        // As others in the organization see them.
        let list = ada.get("/api/users").await.expect(200);
        for user in list["users"].as_array().unwrap() {
            let expected = (user["id"] == ada.id()).then(|| json!("newest"));
            assert_eq!(user.get("externalId"), expected.as_ref(), "{user}");
        }
        let path = format!("/api/users/{}", ada.id());
        assert_eq!(ada.get(&path).await.expect(200)["externalId"], "newest");
        let renamed = ada.patch(&path).json(&json!({"name": "Ada King"})).await.expect(200);
        assert_eq!(renamed["externalId"], "newest");
        // The user of the API stays as clients know it, and so does the token.
        assert!(ada.me().await.expect(200).get("externalId").is_none());
        assert!(jwt::claims(&ada.signs_in_again().await.token).get("externalId").is_none());
    }

    async fn the_token_says_the_id_if_the_operator_wants_it(db: Db) {
        let key = jwt::new_signing_key();
        for signing in [None, jwt::signing(&[&key], SecretUse::Verifies)] {
            let app = TestApp::configured(db.fresh().await, |config| {
                config.tokens.external_id = true;
                config.tokens.signing = signing;
            })
            .await;
            let mut ada = app.signs_up("Acme", ADA).await;
            assert!(jwt::claims(&ada.token).get("externalId").is_none());
            is_imported(&app, ADA, "b", "auth0|\"4711\" ü", 0).await;
            // Each way to another token: a refresh, a sign-in, a switch.
            let refreshed = ada.refreshes().await.expect(200);
            let signed_in = ada.signs_in_again().await.token;
            let elsewhere = app.registers("Beta", "eve@beta.example").await;
            ada.also_belongs_to(&app, &elsewhere.id, "employee").await;
            let switch = json!({"organizationId": elsewhere.id});
            let switched = ada.post("/api/auth/refresh").json(&switch).await.expect(200);
            for token in [&refreshed["accessToken"], &json!(signed_in), &switched["accessToken"]] {
                let token = token.as_str().unwrap();
                assert_eq!(jwt::claims(token)["externalId"], "auth0|\"4711\" ü");
                ada.token = token.to_owned();
                ada.me().await.expect(200);
            }
        }
    }
}
