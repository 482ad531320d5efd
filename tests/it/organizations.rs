//! An organization and its rules.

use serde_json::{Value, json};

use crate::support::{TestApp, on_both_databases};

on_both_databases! {
    async fn every_member_reads_the_organization(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        let grace = app.joins_invited(&ada, "grace@acme.example", "manager").await;
        let organization = ada.get(&ada.organization_path("")).await.expect(200);
        assert_eq!(
            organization,
            json!({
                "id": ada.organization_id(),
                "name": "Acme",
                "slug": "acme",
                "joinPolicy": "open",
                "allowedDomains": [],
                "requireMfa": false,
                "tokenLifetime": null,
                "sessionLifetime": null,
                "sessionIdle": null,
                "createdAt": organization["createdAt"],
            })
        );
        for member in [&bob, &grace] {
            assert_eq!(member.get(&ada.organization_path("")).await.expect(200), organization);
        }
        app.get(&ada.organization_path("")).await.refused(401, "Authentication required");
    }

    async fn an_admin_changes_name_and_rules_and_the_slug_stays(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let path = ada.organization_path("");
        let changed = ada
            .patch(&path)
            .header("x-request-id", "changes")
            .json(&json!({
                "name": "Acme & Söhne",
                "joinPolicy": "domain",
                "allowedDomains": ["Acme.Example", "bücher.example", "acme.example"],
            }))
            .await
            .expect(200);
        assert_eq!(changed["name"], "Acme & Söhne");
        assert_eq!(changed["slug"], "acme");
        assert_eq!(changed["joinPolicy"], "domain");
        assert_eq!(changed["allowedDomains"], json!(["acme.example", "xn--bcher-kva.example"]));
        assert_eq!(ada.get(&path).await.expect(200), changed);

        let audited = format!(
            "select count(*) from audit where request_id = 'changes' and action = 'organization.updated'
             and outcome = 'ok' and actor_id = {} and organization_id = {}",
            app.db.id(ada.id()),
            app.db.id(ada.organization_id())
        );
        assert_eq!(app.db.count(&audited).await, 1);

        // Omitted fields stay, and an empty list is a value.
        let renamed = ada.patch(&path).json(&json!({"name": "Beta"})).await.expect(200);
        assert_eq!(renamed["allowedDomains"], changed["allowedDomains"]);
        assert_eq!(renamed["joinPolicy"], "domain");
        let emptied = ada.patch(&path).json(&json!({"allowedDomains": []})).await.expect(200);
        assert_eq!(emptied["allowedDomains"], json!([]));
        assert_eq!(ada.patch(&path).json(&json!({})).await.expect(200), emptied);
        let changes = "select count(*) from changes where kind = 'organization_changed'";
        assert_eq!(app.db.count(changes).await, 1);
    }

    async fn only_admins_change_the_organization(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        let grace = app.joins_invited(&ada, "grace@acme.example", "manager").await;
        let path = ada.organization_path("");
        let before = ada.get(&path).await.expect(200);
        for member in [&bob, &grace] {
            for change in [json!({"name": "Evil"}), json!({"joinPolicy": "closed"}), json!({})] {
                member.patch(&path).json(&change).await.refused(403, "Forbidden");
            }
        }
        assert_eq!(ada.get(&path).await.expect(200), before);
        ada.patch(&path).json(&json!({"name": "Good"})).await.expect(200);
    }

    async fn another_organization_is_not_found_and_stays_unchanged(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let eve = app.signs_up("Evil", "eve@evil.example").await;
        let mut ids = vec![ada.organization_id().to_owned()];
        ids.extend(["01939f2e-0000-7000-8000-000000000000", "acme", "me"].map(str::to_owned));
        for id in &ids {
            let path = format!("/api/organizations/{id}");
            eve.get(&path).await.refused(404, "Organization not found");
            eve.patch(&path)
                .json(&json!({"name": "Stolen", "joinPolicy": "open"}))
                .await
                .refused(404, "Organization not found");
        }
        let acme = ada.get(&ada.organization_path("")).await.expect(200);
        assert_eq!(acme["name"], "Acme");
        eve.get(&eve.organization_path("")).await.expect(200);
    }

    async fn a_member_of_two_organizations_acts_for_one_at_a_time(app: TestApp) {
        let mut ada = app.signs_up("Acme", "ada@acme.example").await;
        let beta = app.registers("Beta", "eve@beta.example").await;
        let acme = ada.organization_id().to_owned();
        let joined = ada.post(&format!("/api/organizations/{}/join", beta.id)).await.expect(200);
        ada.takes_token(&joined);
        ada.get(&format!("/api/organizations/{acme}")).await.refused(404, "Organization not found");
        let path = format!("/api/organizations/{}", beta.id);
        ada.patch(&path).json(&json!({"name": "Mine"})).await.refused(403, "Forbidden");
        ada.get(&path).await.expect(200);
    }

    async fn an_invalid_rule_is_named_and_nothing_changes(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let path = ada.organization_path("");
        let many: Vec<String> = (0..51).map(|n| format!("d{n}.example")).collect();
        let invalid: [(&str, Value); 15] = [
            ("name", json!("A")),
            ("name", json!(7)),
            ("joinPolicy", json!("nobody")),
            ("joinPolicy", json!(true)),
            ("allowedDomains", json!("acme.example")),
            ("allowedDomains", json!([7])),
            ("allowedDomains", json!(["acme"])),
            ("allowedDomains", json!(["@acme.example"])),
            ("allowedDomains", json!(["*.acme.example"])),
            ("allowedDomains", json!(["acme.example evil.example"])),
            ("allowedDomains", json!(many)),
            ("requireMfa", json!("yes")),
            ("requireMfa", json!(1)),
            ("slug", json!("no slug")),
            ("id", json!("01939f2e-0000-7000-8000-000000000000")),
        ];
        for (field, value) in invalid {
            let answer = ada.patch(&path).json(&json!({field: value})).await;
            answer.refused_fields(&[field]);
        }
        let acme = ada.get(&path).await.expect(200);
        assert_eq!((&acme["name"], &acme["joinPolicy"]), (&json!("Acme"), &json!("open")));
        assert_eq!(acme["allowedDomains"], json!([]));
        let allowed = json!({"allowedDomains": &many[..50]});
        ada.patch(&path).json(&allowed).await.expect(200);
    }

    async fn only_an_admin_with_a_second_factor_can_require_one(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let path = ada.organization_path("");
        let rule = json!({"requireMfa": true, "name": "Safe"});
        let refused = ada.patch(&path).json(&rule).await;
        refused.refused(409, "MFA not enrolled");
        assert_eq!(refused.header("x-error-code"), Some("mfa_not_enrolled"));
        assert_eq!(ada.get(&path).await.expect(200)["name"], "Acme");

        let user = app.db.id(ada.id());
        app.db
            .execute(&format!(
                "insert into totp (user_id, secret, created_at, confirmed_at)
                 select id, 'sealed', created_at, created_at from users where id = {user}"
            ))
            .await;
        assert_eq!(ada.patch(&path).json(&rule).await.expect(200)["requireMfa"], true);
        let off = ada.patch(&path).json(&json!({"requireMfa": false})).await.expect(200);
        assert_eq!(off["requireMfa"], false);
    }
}
