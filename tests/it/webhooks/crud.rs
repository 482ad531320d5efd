//! Who makes, changes and takes over webhooks, and when they end.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Hook, hook, makes};
use crate::support::receiver::Receiver;
use crate::support::{Actor, TestApp, on_both_databases};

const URL: &str = "http://127.0.0.1:9/hooks";

async fn list(admin: &Actor) -> Vec<Value> {
    let list = admin.get("/api/webhooks").await.expect(200);
    assert_eq!(list["nextCursor"], Value::Null);
    list["webhooks"].as_array().unwrap().clone()
}

async fn made(admin: &Actor) -> Hook {
    Hook::of(&makes(admin, &json!({"url": URL})).await)
}

async fn admin_of(app: &TestApp, ada: &Actor, email: &str) -> Actor {
    let actor = app.joins(ada.organization_id(), email).await;
    ada.changes(&actor, json!({"role": "admin"}))
        .await
        .expect(200);
    actor
}

on_both_databases! {
    async fn a_webhook_is_made_read_changed_and_deleted(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let body = json!({"url": URL, "events": ["session.ended", "user.created"], "name": " intranet "});
        let made = makes(&ada, &body).await.expect(201);
        let mut about = json!({
            "id": made["id"],
            "organizationId": ada.organization_id(),
            "name": "intranet",
            "url": URL,
            "events": ["user.created", "session.ended"],
            "ownerId": ada.id(),
            "createdAt": made["createdAt"],
            "failingSince": null,
            "enabled": true,
            "switchedOff": null,
        });
        let secret = made["secret"].as_str().unwrap().to_owned();
        assert!(secret.starts_with("whsec_") && secret.len() == 50, "{secret}");
        assert_eq!(list(&ada).await, [about.clone()]);
        let path = format!("/api/webhooks/{}", made["id"].as_str().unwrap());
        assert_eq!(ada.get(&path).await.expect(200), about);

        app.advance(TimeDelta::seconds(1));
        let change = json!({"events": null, "name": null, "url": "http://127.0.0.1:9/other", "enabled": false});
        let changed = ada.patch(&path).json(&change).await.expect(200);
        about["events"] = Value::Null;
        about["name"] = Value::Null;
        about["url"] = json!("http://127.0.0.1:9/other");
        about["enabled"] = json!(false);
        about["switchedOff"] = json!({"at": changed["switchedOff"]["at"], "why": "by_an_admin"});
        assert_eq!(changed, about);
        app.advance(TimeDelta::seconds(1));
        let on = ada.patch(&path).json(&json!({"enabled": true})).await.expect(200);
        assert_eq!((&on["enabled"], &on["switchedOff"]), (&json!(true), &Value::Null));

        app.advance(TimeDelta::seconds(1));
        ada.delete(&path).await.expect(200);
        assert_eq!(list(&ada).await, [] as [Value; 0]);
        ada.get(&path).await.refused(404, "Webhook not found");
        ada.delete(&path).await.refused(404, "Webhook not found");
        let rows = "select action as v from audit where action like 'webhook.%' order by id";
        let rows: Vec<_> = app.db.values(rows).await.into_iter().flatten().collect();
        assert_eq!(rows, ["webhook.created", "webhook.updated", "webhook.updated", "webhook.deleted"]);
    }

    async fn the_secret_is_stored_sealed_and_in_no_log(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let secret = made(&ada).await.secret;
        let secret = secret.trim_start_matches("whsec_");
        for table in ["select secret as v from webhooks", "select coalesce(detail, '') as v from audit"] {
            for value in app.db.values(table).await.into_iter().flatten() {
                assert!(!value.contains(secret), "{value}");
            }
        }
    }

    async fn other_organizations_do_not_find_a_webhook(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let hook = made(&ada).await;
        let eve = app.signs_up("Evil", "eve@evil.example").await;
        assert_eq!(list(&eve).await, [] as [Value; 0]);
        for path in ["", "/deliveries"] {
            eve.get(&hook.path(path)).await.refused(404, "Webhook not found");
        }
        for path in ["/test", "/take-over", "/rotate-secret"] {
            eve.post(&hook.path(path)).await.refused(404, "Webhook not found");
        }
        eve.patch(&hook.path("")).json(&json!({"url": URL})).await.refused(404, "Webhook not found");
        eve.delete(&hook.path("")).await.refused(404, "Webhook not found");
        assert_eq!(list(&ada).await.len(), 1);
    }

    async fn an_organization_has_at_most_twenty_webhooks(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        for _ in 0..20 {
            made(&ada).await;
        }
        makes(&ada, &json!({"url": URL})).await.refused(409, "Too many webhooks");
        let page = ada.get("/api/webhooks?limit=15").await.expect(200);
        let next = page["nextCursor"].as_str().unwrap();
        let rest = ada.get(&format!("/api/webhooks?cursor={next}")).await.expect(200);
        assert_eq!(rest["webhooks"].as_array().unwrap().len(), 5);
        let eve = app.signs_up("Evil", "eve@evil.example").await;
        made(&eve).await;
    }

    async fn a_webhook_ends_with_its_owners_role_membership_or_account(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        for (n, ends) in ["demoted", "disabled", "removed", "left"].into_iter().enumerate() {
            let bob = admin_of(&app, &ada, &format!("bob{n}@acme.example")).await;
            made(&bob).await;
            let own = made(&ada).await;
            match ends {
                "demoted" => ada.changes(&bob, json!({"role": "manager"})).await.expect(200),
                "disabled" => ada.changes(&bob, json!({"disabled": true})).await.expect(200),
                "removed" => ada.delete(&format!("/api/users/{}", bob.id())).await.expect(200),
                _ => {
                    bob.leaves().await;
                    Value::Null
                }
            };
            let left = list(&ada).await;
            assert_eq!((left.len(), &left[0]["id"]), (1, &json!(own.id)), "{ends}");
            ada.delete(&own.path("")).await.expect(200);
        }
    }

    async fn a_webhook_that_another_admin_took_over_stays(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = admin_of(&app, &ada, "bob@acme.example").await;
        let hook = made(&bob).await;
        let taken = ada.post(&hook.path("/take-over")).await.expect(200);
        assert_eq!(taken["ownerId"], ada.id());
        // A second time changes nothing.
        ada.post(&hook.path("/take-over")).await.expect(200);
        let rows = "select count(*) from audit where action = 'webhook.taken_over'";
        assert_eq!(app.db.count(rows).await, 1);
        ada.changes(&bob, json!({"role": "employee"})).await.expect(200);
        assert_eq!(list(&ada).await.len(), 1);
    }

    async fn an_organization_takes_its_webhooks_along_when_it_is_deleted(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        made(&ada).await;
        app.joins(ada.organization_id(), "bob@acme.example").await;
        ada.delete(&ada.organization_path("")).json(&json!({"name": "Acme"})).await.expect(200);
        for table in ["webhooks", "webhook_deliveries"] {
            assert_eq!(app.db.count(&format!("select count(*) from {table}")).await, 0, "{table}");
        }
    }

    async fn faulty_fields_are_refused_by_name(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        for (body, fields) in [
            (json!({}), &["url"][..]),
            (json!({"url": "ftp://example.com"}), &["url"]),
            (json!({"url": "https://ada:secret@example.com"}), &["url"]),
            (json!({"url": URL, "events": []}), &["events"]),
            (json!({"url": URL, "events": ["user.exploded"], "name": ""}), &["events", "name"]),
            (json!({"url": URL, "events": "user.created"}), &["events"]),
        ] {
            makes(&ada, &body).await.refused_fields(fields);
        }
    }

    async fn making_one_wants_a_fresh_session_of_an_admin(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        makes(&bob, &json!({"url": URL})).await.refused(403, "Forbidden");
        let service = ada.as_a_service("admin").await;
        makes(&service, &json!({"url": URL})).await.refused(403, "Forbidden");
        app.advance(TimeDelta::minutes(15));
        makes(&ada, &json!({"url": URL})).await.refused_with(403, "reauthentication_required");
        made(&ada.signs_in_again().await).await;
    }

    async fn a_switched_off_webhook_is_told_nothing_and_cannot_be_tested(app: TestApp) {
        let receiver = Receiver::start().await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let off = hook(&ada, &receiver).await;
        ada.patch(&off.path("")).json(&json!({"enabled": false})).await.expect(200);
        ada.post(&off.path("/test")).await.refused(409, "Webhook switched off");
        app.joins(ada.organization_id(), "bob@acme.example").await;
        assert_eq!(app.db.count("select count(*) from webhook_deliveries").await, 0);
    }
}
