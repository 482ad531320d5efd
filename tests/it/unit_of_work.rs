//! What every write records beside its own rows, whatever shows it later.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Actor, PASSWORD, TestApp, on_both_databases};

on_both_databases! {
    async fn a_sign_in_records_its_method_device_and_time(app: TestApp) {
        app.registers("Acme", "ada@acme.example").await;
        let login = json!({"email": "ada@acme.example", "password": PASSWORD});
        app.post("/api/auth/login").header("user-agent", "Lynx/2.9").json(&login).await.expect(200);
        assert_eq!(newest(&app, "session.login", "method").await, "password");
        assert_eq!(newest(&app, "session.login", "device").await, "Lynx 2.9");
        assert_eq!(newest(&app, "session.login", "reason").await, "-");
        let fresh = "select count(*) from sessions where proven_at = created_at";
        assert_eq!(app.db.count(fresh).await, 1);
    }

    async fn a_refused_sign_in_records_why(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        ada.changes(&bob, json!({"disabled": true})).await.expect(200);
        for (email, password, reason) in [
            ("ada@acme.example", "a wrong one", "wrong_password"),
            ("nobody@acme.example", PASSWORD, "unknown_account"),
            ("bob@acme.example", PASSWORD, "disabled"),
        ] {
            // Audit ids of one millisecond are in no order.
            app.advance(TimeDelta::seconds(1));
            app.tries_to_log_in(email, password).await.refused(401, "Invalid credentials");
            assert_eq!(newest(&app, "session.login", "reason").await, reason);
            assert_eq!(newest(&app, "session.login", "outcome").await, "refused");
        }
    }

    async fn a_change_records_what_it_was_and_what_it_is(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        ada.changes(&bob, json!({"role": "manager"})).await.expect(200);
        let detail: Value =
            serde_json::from_str(&newest(&app, "user.role_changed", "detail").await).unwrap();
        assert_eq!(detail, json!({"role": ["employee", "manager"]}));
        assert_eq!(newest(&app, "user.role_changed", "method").await, "session");
        ada.sets_rules(&json!({"joinPolicy": "domain", "allowedDomains": ["acme.example"]})).await;
        let detail: Value =
            serde_json::from_str(&newest(&app, "organization.updated", "detail").await).unwrap();
        assert_eq!(detail["allowedDomains"], json!(["", "acme.example"]));
        assert_eq!(detail["joinPolicy"], json!(["open", "domain"]));
        let service = ada.as_a_service("admin").await;
        app.advance(TimeDelta::seconds(1));
        service.changes(&bob, json!({"role": "employee"})).await.expect(200);
        assert_eq!(newest(&app, "user.role_changed", "method").await, "api_token");
    }

    async fn what_outdates_a_token_is_a_change_of_its_own(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        assert_eq!(permissions_version(&app, &bob).await, 0);
        ada.changes(&bob, json!({"role": "manager"})).await.expect(200);
        assert_eq!(permissions_version(&app, &bob).await, 1);
        ada.changes(&bob, json!({"name": "Robert"})).await.expect(200);
        assert_eq!(permissions_version(&app, &bob).await, 1);
        let elsewhere = app.signs_up("Beta", "eve@beta.example").await;
        bob.also_belongs_to(&app, elsewhere.organization_id(), "employee").await;
        ada.delete(&ada.organization_path(&format!("/members/{}", bob.id()))).await.expect(200);
        assert_eq!(permissions_version(&app, &bob).await, 2);
        let outdated = "select cast(max(min_pv) as integer) as n from changes where kind = 'tokens_outdated'";
        assert_eq!(app.db.count(outdated).await, 2);
    }
}

/// A column of the newest audit row of an action, `-` for null.
async fn newest(app: &TestApp, action: &str, column: &str) -> String {
    let select = format!(
        "select coalesce({column}, '-') as v from audit where action = '{action}' order by id desc limit 1"
    );
    app.db.values(&select).await.remove(0).unwrap()
}

async fn permissions_version(app: &TestApp, whom: &Actor) -> i64 {
    let id = app.db.id(whom.id());
    app.db
        .count(&format!("select pv from users where id = {id}"))
        .await
}
