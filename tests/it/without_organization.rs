//! People who belong to no organization: they sign in, and every way on is open to them.

use hallpass::http::openapi_json;
use reqwest::Method;
use serde_json::{Value, json};

use crate::role_matrix::{Cell, Kind, body, routes};
use crate::support::jwt::claims;
use crate::support::{Actor, PASSWORD, SESSION_COOKIE, TestApp, on_both_databases};

on_both_databases! {
    async fn who_left_the_last_organization_signs_in_without_one(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let member = app.joins(ada.organization_id(), "bob@acme.example").await;
        member.leaves().await;
        member.me().await.refused(401, "Token revoked");

        let bob = app.logs_in("bob@acme.example", PASSWORD).await;
        let user = json!({
            "id": member.id(), "email": "bob@acme.example", "name": "Bob Byte",
            "role": null, "organizationId": null,
        });
        assert_eq!(bob.user, user);
        let claims = claims(&bob.token);
        assert!(claims.get("orgId").is_none() && claims.get("role").is_none(), "{claims}");
        assert_eq!(bob.me().await.expect(200), user);
        assert_eq!(bob.refreshes().await.expect(200)["user"], user);
        let renamed = bob.patch("/api/auth/me").json(&json!({"name": "Bob"})).await.expect(200);
        assert_eq!((&renamed["name"], &renamed["organizationId"]), (&json!("Bob"), &json!(null)));
        assert_eq!(bob.sessions().await.len(), 1);
        bob.get("/api/users").await.refused_with(403, "no_organization");
        bob.logs_out().await.expect(200);
        bob.me().await.refused(401, "Token revoked");
    }

    async fn who_was_removed_signs_in_without_an_organization(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        ada.delete(&ada.organization_path(&format!("/members/{}", bob.id()))).await.expect(200);
        bob.me().await.refused(401, "Token revoked");
        assert_eq!(app.logs_in("bob@acme.example", PASSWORD).await.user["organizationId"], json!(null));
    }

    async fn they_join_an_open_organization(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let beta = app.signs_up("Beta", "eve@beta.example").await;
        let mut bob = without_organization(&app, &ada).await;
        bob.takes_token(&bob.post(&beta.organization_path("/join")).await.expect(200));
        assert_eq!(bob.organization_id(), beta.organization_id());
        assert_eq!(bob.user["role"], "employee");
        bob.get("/api/users").await.expect(200);
    }

    async fn they_accept_an_invitation(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        let bob = without_organization(&app, &ada).await;
        ada.invites(&bob.email, "manager").await.expect(201);
        let token = app.mailed_token(&bob.email, "invitation").await;
        let signed_in = bob.accepts(&token).await.expect(200);
        assert_eq!(signed_in["user"]["organizationId"], ada.organization_id());
        assert_eq!(signed_in["user"]["role"], "manager");
    }

    async fn a_refresh_acts_in_the_organization_they_have_joined_since(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = without_organization(&app, &ada).await;
        let elsewhere = bob.signs_in_again().await;
        elsewhere.post(&ada.organization_path("/join")).await.expect(200);
        assert_eq!(bob.me().await.expect(200)["organizationId"], json!(null));
        let refreshed = bob.refreshes().await.expect(200);
        assert_eq!(refreshed["user"]["organizationId"], ada.organization_id());
    }

    async fn their_second_factor_is_asked_for(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = without_organization(&app, &ada).await;
        let authenticator = bob.enrols(&app).await;
        let token = app.takes_first_step(&bob.email).await;
        let signed_in = app.shows_code(&token, &authenticator.code(&app)).await.expect(200);
        assert_eq!(signed_in["user"]["organizationId"], json!(null));
    }

    async fn their_cookie_sessions_and_session_tokens_name_none(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = without_organization(&app, &ada).await;
        let cookie = format!("{SESSION_COOKIE}={}", bob.token);
        let session = app.get("/api/auth/session").header("cookie", &cookie).await.expect(200);
        assert_eq!(session["user"], bob.user);

        let login = json!({"name": bob.email, "password": PASSWORD, "returnToken": true});
        let begun = app.post("/api/v1/login").json(&login).await.expect(200);
        let of_none = (&begun["tenant"], &begun["settings"], &begun["rights"], &begun["user"]["role"]);
        assert_eq!(of_none, (&json!(null), &json!(null), &json!([]), &json!(null)));
        let query = format!("?token={}", begun["token"].as_str().unwrap());
        let search = json!({"from": 0, "size": 10});
        let found = app.post(&format!("/api/v1/search{query}")).json(&search).await;
        found.refused_with(403, "no_organization");
        let unlocked = app.post(&format!("/api/v1/unlock{query}")).json(&json!({"code": "1"})).await;
        assert_eq!(unlocked.expect(200)["tenant"], json!(null));
        app.post(&format!("/api/v1/logout{query}")).await.expect(200);
    }

    async fn exactly_what_needs_an_organization_says_so(app: TestApp) {
        let document: Value = serde_json::from_str(&openapi_json()).unwrap();
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let mut faults = Vec::new();
        for (method, path, example) in routes(&document) {
            if path.starts_with("/api/v1/") {
                continue;
            }
            let cell = Cell::of(&app, &ada, Kind::WithoutOrganization).await;
            let caller = cell.caller.as_ref().unwrap();
            let verb: Method = method.to_uppercase().parse().unwrap();
            let mut call = app.client.call(verb, &cell.path(path)).bearer(&caller.token);
            if let Some(body) = body(method, path).or(example) {
                call = call.json(&body);
            }
            let answer = call.await;
            let says_so = answer.header("x-error-code") == Some("no_organization");
            let codes = document["paths"][path][method]["x-error-codes"].to_string();
            let is_documented = codes.contains("\"no_organization\"");
            if says_so != is_documented {
                faults.push(format!("{method} {path}: {} {}", answer.status, answer.text()));
            }
            if answer.status.is_server_error() && answer.status != 501 {
                faults.push(format!("{method} {path}: {}", answer.status));
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    async fn a_sign_in_acts_in_the_organization_used_last(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let eve = app.signs_up("Beta", "eve@beta.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        let organization = async || {
            let signed_in = app.logs_in(&bob.email, PASSWORD).await;
            signed_in.organization_id().to_owned()
        };
        bob.post(&eve.organization_path("/join")).await.expect(200);
        assert_eq!(organization().await, eve.organization_id());

        // Named, or switched to by a refresh.
        let login = json!({"email": bob.email, "password": PASSWORD, "organizationId": ada.organization_id()});
        app.post("/api/auth/login").json(&login).await.expect(200);
        assert_eq!(organization().await, ada.organization_id());
        let to = json!({"organizationId": eve.organization_id()});
        let mut bob = app.logs_in(&bob.email, PASSWORD).await;
        bob.takes_token(&bob.post("/api/auth/refresh").json(&to).await.expect(200));
        assert_eq!(organization().await, eve.organization_id());
        let session = json!({"name": bob.email, "password": PASSWORD, "returnToken": true});
        assert_eq!(app.post("/api/v1/login").json(&session).await.expect(200)["tenant"], "beta");

        // Not one that they have left.
        bob.leaves().await;
        assert_eq!(organization().await, ada.organization_id());
    }
}

/// Bob, who has left the organization of `admin`.
async fn without_organization(app: &TestApp, admin: &Actor) -> Actor {
    let bob = app.joins(admin.organization_id(), "bob@acme.example").await;
    app.verifies_address(&bob.email).await;
    bob.leaves().await;
    bob.signs_in_again().await
}
