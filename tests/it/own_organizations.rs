//! A person's organizations: the list of them, and founding another one.

use serde_json::{Value, json};

use crate::support::{Actor, Answer, Db, TestApp, on_both_databases};

async fn creates(who: &Actor, body: &Value) -> Answer {
    who.post("/api/organizations").json(body).await
}

async fn own(who: &Actor) -> Vec<Value> {
    let list = who.get("/api/organizations").await.expect(200);
    assert_eq!(list.as_object().unwrap().len(), 1);
    list["organizations"].as_array().unwrap().clone()
}

/// Makes the person a member of as many organizations as one may belong to.
async fn fills_up(app: &TestApp, who: &Actor) {
    while own(who).await.len() < 100 {
        let other = app
            .registers("Other", &format!("{}@other.example", uuid::Uuid::now_v7()))
            .await;
        who.post(&format!("/api/organizations/{}/join", other.id))
            .await
            .expect(200);
    }
}

on_both_databases! {
    async fn a_person_lists_their_organizations_and_switches_to_one(app: TestApp) {
        let mut ada = app.signs_up("Acme", "ada@acme.example").await;
        let bolt = app.signs_up("Bolt", "bob@bolt.example").await;
        let acme = ada.organization_id().to_owned();
        app.advance(chrono::TimeDelta::seconds(1));
        let joined = ada.post(&format!("/api/organizations/{}/join", bolt.organization_id())).await.expect(200);
        let listed = |current: &str| {
            [
                json!({"id": acme, "name": "Acme", "slug": "acme", "role": "admin", "current": current == "acme"}),
                json!({"id": bolt.organization_id(), "name": "Bolt", "slug": "bolt", "role": "employee",
                    "current": current == "bolt"}),
            ]
        };
        assert_eq!(own(&ada).await, listed("acme"));
        ada.takes_token(&joined);
        assert_eq!(own(&ada).await, listed("bolt"));
        assert_eq!(own(&bolt).await.len(), 1);
        let back = own(&ada).await[0]["id"].clone();
        let switched = ada.post("/api/auth/refresh").json(&json!({"organizationId": back})).await.expect(200);
        assert_eq!(switched["user"]["organizationId"], acme);
        app.get("/api/organizations").await.refused(401, "Authentication required");
        ada.as_a_service("employee").await.get("/api/organizations").await.refused(403, "Forbidden");
    }

    async fn a_signed_in_person_founds_another_organization_as_its_admin(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let created = ada
            .post("/api/organizations")
            .header("x-request-id", "founds")
            .json(&json!({"name": "Crème Brûlée"}))
            .await
            .expect(201);
        assert_eq!(
            created,
            json!({
                "id": created["id"],
                "name": "Crème Brûlée",
                "slug": "creme-brulee",
                "joinPolicy": "open",
                "allowedDomains": [],
                "requireMfa": false,
                "tokenLifetime": null,
                "sessionLifetime": null,
                "sessionIdle": null,
                "createdAt": created["createdAt"],
            })
        );
        // The session stays where it is until it is switched.
        assert_eq!(ada.me().await.expect(200), ada.user);
        let switch = json!({"organizationId": created["id"]});
        let switched = ada.post("/api/auth/refresh").json(&switch).await.expect(200);
        assert_eq!(switched["user"]["role"], "admin");
        let audited = format!(
            "select count(*) from audit where request_id = 'founds' and action = 'organization.founded'
             and outcome = 'ok' and method = 'session' and actor_id = {} and organization_id = {}",
            app.db.id(ada.id()),
            app.db.id(created["id"].as_str().unwrap())
        );
        assert_eq!(app.db.count(&audited).await, 1);
        assert_eq!(app.db.count("select count(*) from audit where request_id = 'founds'").await, 1);
    }

    async fn a_name_without_a_latin_spelling_asks_for_a_slug(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        for name in ["株式会社サンプル", "日本2", "عربي"] {
            let refused = creates(&ada, &json!({"name": name})).await;
            refused.refused_fields(&["slug"]);
            let detail = &refused.json()["details"][0];
            assert_eq!(detail["code"], "required");
            assert!(detail["message"].as_str().unwrap().contains("choose a slug"), "{detail}");
        }
        let created = creates(&ada, &json!({"name": "株式会社サンプル", "slug": "sample"})).await.expect(201);
        assert_eq!((&created["name"], &created["slug"]), (&json!("株式会社サンプル"), &json!("sample")));
        assert_eq!(app.db.count("select count(*) from organizations").await, 2);
    }

    async fn a_chosen_slug_is_given_or_refused_never_replaced(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        ada.patch(&ada.organization_path("")).json(&json!({"slug": "works"})).await.expect(200);
        for taken in ["acme", "works"] {
            let refused = creates(&ada, &json!({"name": "Beta", "slug": taken})).await;
            refused.refused(409, "Slug already taken");
        }
        for invalid in [json!("admin"), json!("a b"), json!(7)] {
            creates(&ada, &json!({"name": "Beta", "slug": invalid})).await.refused_fields(&["slug"]);
        }
        creates(&ada, &json!({"name": "B", "role": "admin"})).await.refused_fields(&["name", "role"]);
        assert_eq!(app.db.count("select count(*) from organizations").await, 1);
        // One that the name suggests is numbered.
        assert_eq!(creates(&ada, &json!({"name": "Works"})).await.expect(201)["slug"], "works-2");
    }

    async fn a_person_belongs_to_at_most_a_hundred_organizations(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bolt = app.signs_up_verified("Bolt", "bob@bolt.example").await;
        fills_up(&app, &ada).await;
        let refusals = [
            creates(&ada, &json!({"name": "Beta"})).await,
            ada.post(&format!("/api/organizations/{}/join", bolt.organization_id())).await,
        ];
        for refused in &refusals {
            refused.refused(409, "Too many organizations");
            assert_eq!(refused.header("x-error-code"), Some("too_many_organizations"));
        }
        bolt.invites(&ada.email, "employee").await.expect(201);
        let token = app.mailed_token(&ada.email, "invitation").await;
        ada.accepts(&token).await.refused(409, "Too many organizations");
        assert_eq!(own(&ada).await.len(), 100);
        let mut all = own(&ada).await.into_iter();
        let other = all.find(|organization| organization["role"] == "employee").unwrap()["id"].clone();
        let leave = format!("/api/organizations/{}/members/me", other.as_str().unwrap());
        let other = json!({"organizationId": other});
        let mut there = ada.clone();
        there.takes_token(&ada.post("/api/auth/refresh").json(&other).await.expect(200));
        there.delete(&leave).await.expect(200);
        ada.signs_in_again().await.accepts(&token).await.expect(200);
    }

    async fn founding_is_limited_as_registering_is(db: Db) {
        let app = TestApp::configured(db, |config| config.server.rate_limits = true).await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let mut statuses = Vec::new();
        for n in 0..300 {
            // A taken slug is refused after it was counted, and founds nothing.
            statuses.push(creates(&ada, &json!({"name": format!("Beta {n}"), "slug": "acme"})).await.status.as_u16());
        }
        assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 299);
        let refused = creates(&ada, &json!({"name": "Beta"})).await;
        assert_eq!(refused.header("x-error-code"), Some("too_many_requests"));
    }
}
