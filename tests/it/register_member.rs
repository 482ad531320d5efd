//! Registration into an existing organization.

use futures_util::future::join_all;
use hallpass::domain::JoinPolicy;
use serde_json::json;

use crate::support::{Db, TestApp, member_body, on_both_databases};

on_both_databases! {
    async fn joining_signs_in_as_an_employee(app: TestApp) {
        let acme = app.registers("Acme", "ada@acme.example").await;
        let bob = app.joins(&acme.id, "bob@acme.example").await;
        assert_eq!(bob.user["role"], "employee");
        assert_eq!(bob.user["name"], "Bob Byte");
        assert_eq!(bob.user["organizationId"], acme.id);
        assert_eq!(bob.me().await.expect(200), bob.user);
    }

    async fn joining_refuses_unknown_fields(app: TestApp) {
        let acme = app.registers("Acme", "ada@acme.example").await;
        for (field, value) in [
            ("role", json!("admin")),
            ("isAdmin", json!(true)),
            ("emailVerified", json!(true)),
            ("id", json!("01939f2e-0000-7000-8000-000000000000")),
        ] {
            let mut body = member_body(&acme.id, "bob@acme.example");
            body[field] = value;
            app.post("/api/auth/register").json(&body).await.refused_fields(&[field]);
        }
        assert_eq!(app.db.count("select count(*) from users").await, 1);
        app.joins(&acme.id, "bob@acme.example").await;
    }

    async fn fifty_registrations_of_one_address_at_once_make_one_account(app: TestApp) {
        let acme = app.registers("Acme", "ada@acme.example").await;
        let body = member_body(&acme.id, "bob@acme.example");
        let answers = join_all((0..50).map(|_| async {
            app.post("/api/auth/register").json(&body).await
        }))
        .await;
        let (created, refused): (Vec<_>, Vec<_>) =
            answers.iter().partition(|answer| answer.status == 201);
        assert_eq!(created.len(), 1);
        for answer in refused {
            answer.refused(409, "Email already registered");
        }
        assert_eq!(app.db.count("select count(*) from users").await, 2);
        assert_eq!(app.db.count("select count(*) from memberships").await, 2);
    }

    async fn an_unknown_organization_is_not_found(app: TestApp) {
        let body = member_body("01939f2e-0000-7000-8000-000000000000", "bob@acme.example");
        app.post("/api/auth/register").json(&body).await.refused(404, "Organization not found");
        assert_eq!(app.db.count("select count(*) from users").await, 0);
    }

    async fn an_organization_id_that_is_not_a_uuid_is_an_error_of_that_field(app: TestApp) {
        let body = member_body("acme", "bob@acme.example");
        app.post("/api/auth/register").json(&body).await.refused_fields(&["organizationId"]);
    }

    async fn anyone_may_join_only_an_open_organization(app: TestApp) {
        let acme = app.registers("Acme", "ada@acme.example").await;
        app.joins(&acme.id, "bob@acme.example").await;
        for policy in ["domain", "invite", "closed"] {
            app.db.execute(&format!("update organizations set join_policy = '{policy}'")).await;
            app.post("/api/auth/register")
                .json(&member_body(&acme.id, "eve@acme.example"))
                .await
                .refused(403, "Invitation required");
        }
        assert_eq!(app.db.count("select count(*) from users").await, 2);
    }

    async fn a_new_organization_has_the_configured_join_policy(db: Db) {
        let app = TestApp::configured(db, |config| {
            config.accounts.default_join_policy = JoinPolicy::Invite;
        })
        .await;
        let acme = app.registers("Acme", "ada@acme.example").await;
        app.post("/api/auth/register")
            .json(&member_body(&acme.id, "bob@acme.example"))
            .await
            .refused(403, "Invitation required");
    }

    async fn a_refused_address_is_an_error_of_its_field(app: TestApp) {
        let acme = app.registers("Acme", "ada@acme.example").await;
        for email in ["", "ada", "a@b", "a@[127.0.0.1]", "a..b@c.de", "=?utf-8?q?a?=@c.de", "a@c.de\r\nbcc: x@y.de"] {
            app.post("/api/auth/register")
                .json(&member_body(&acme.id, email))
                .await
                .refused_fields(&["email"]);
        }
        app.joins(&acme.id, "o'brien+tag@bücher.example").await;
    }
}
