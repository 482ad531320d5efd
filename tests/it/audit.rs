//! One row for each act, written with it.

use crate::house::{
    Actor, OTHER_PASSWORD, PASSWORD, TestApp, founding, joining, on_both_databases,
};
use serde_json::json;

on_both_databases! {
    async fn each_act_leaves_one_row_that_says_who_where_and_how_it_ended(app: TestApp) {
        let founded = app
            .post("/api/auth/register")
            .header("x-request-id", "founds")
            .json(&founding("Acme", "ada@acme.example"))
            .await
            .expect(201);
        let ada = app.logs_in("ada@acme.example", PASSWORD).await;
        assert_eq!(founded["user"]["id"], ada.user["id"]);
        left_one_row(&app, "founds", "organization.founded", "ok", &ada).await;

        app.post("/api/auth/login")
            .header("x-request-id", "logs-in")
            .json(&json!({"email": ada.email, "password": PASSWORD}))
            .await
            .expect(200);
        left_one_row(&app, "logs-in", "session.login", "ok", &ada).await;

        app.post("/api/auth/register")
            .header("x-request-id", "joins")
            .json(&joining(ada.organization_id(), "bob@acme.example"))
            .await
            .expect(201);
        let bob = app.logs_in("bob@acme.example", PASSWORD).await;
        left_one_row(&app, "joins", "user.registered", "ok", &bob).await;

        let lost = ada.signs_in_again().await;
        let path = format!(
            "/api/auth/sessions/{}",
            crate::house::jwt::claims(&lost.token)["sid"].as_str().unwrap()
        );
        ada.delete(&path).header("x-request-id", "ends").await.expect(200);
        left_one_row(&app, "ends", "session.ended", "ok", &ada).await;

        ada.patch("/api/auth/me")
            .header("x-request-id", "renames")
            .json(&json!({"name": "Ada Lovelace"}))
            .await
            .expect(200);
        left_one_row(&app, "renames", "user.profile_updated", "ok", &ada).await;

        ada.post("/api/auth/change-password")
            .header("x-request-id", "changes")
            .json(&json!({"currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD}))
            .await
            .expect(200);
        left_one_row(&app, "changes", "user.password_changed", "ok", &ada).await;

        bob.post("/api/auth/logout").header("x-request-id", "logs-out").await.expect(200);
        left_one_row(&app, "logs-out", "session.logout", "ok", &bob).await;
        ada.post("/api/auth/logout-all").header("x-request-id", "logs-out-all").await.expect(200);
        left_one_row(&app, "logs-out-all", "session.logout_all", "ok", &ada).await;
    }

    async fn a_failed_login_leaves_one_row_whether_or_not_the_account_exists(app: TestApp) {
        let ada = app.founds("Acme", "ada@acme.example").await;
        for (id, email) in [("known", ada.email.as_str()), ("unknown", "nobody@acme.example")] {
            app.post("/api/auth/login")
                .header("x-request-id", id)
                .json(&json!({"email": email, "password": "Not-The-Password-1"}))
                .await
                .refused(401, "Invalid credentials");
            let row = format!(
                "select count(*) from audit where request_id = '{id}' and action = 'session.login'
                 and outcome = 'refused' and address = '127.0.0.1' and at is not null"
            );
            assert_eq!(app.db.count(&row).await, 1, "{id}");
        }
        let rows = "select count(*) from audit where request_id in ('known', 'unknown')";
        assert_eq!(app.db.count(rows).await, 2);
    }

    async fn an_act_that_did_not_happen_leaves_no_row(app: TestApp) {
        app.found("Acme", "ada@acme.example").await;
        app.post("/api/auth/register")
            .header("x-request-id", "taken")
            .json(&founding("Beta", "ada@acme.example"))
            .await
            .refused(409, "Email already registered");
        let rows = "select count(*) from audit where request_id = 'taken' and outcome = 'ok'";
        assert_eq!(app.db.count(rows).await, 0);
    }

    async fn no_row_holds_a_secret(app: TestApp) {
        let ada = app.founds("Acme", "ada@acme.example").await;
        app.tries_to_log_in(&ada.email, "Not-The-Password-1").await.refused(401, "Invalid credentials");
        let texts = "select coalesce(action, '') || coalesce(address, '') || coalesce(request_id, '') as v from audit";
        for text in app.db.values(texts).await.into_iter().flatten() {
            for secret in [PASSWORD, "Not-The-Password-1", ada.token.as_str()] {
                assert!(!text.contains(secret), "{text}");
            }
        }
    }
}

async fn left_one_row(app: &TestApp, request_id: &str, action: &str, outcome: &str, who: &Actor) {
    let all = format!("select count(*) from audit where request_id = '{request_id}'");
    assert_eq!(app.db.count(&all).await, 1, "{request_id}");
    let right = format!(
        "{all} and action = '{action}' and outcome = '{outcome}' and at is not null
         and coalesce(actor_id, subject_id) = {user} and organization_id = {organization}
         and address = '127.0.0.1'",
        user = app.db.id(who.id()),
        organization = app.db.id(who.organization_id()),
    );
    assert_eq!(app.db.count(&right).await, 1, "{request_id}");
}
