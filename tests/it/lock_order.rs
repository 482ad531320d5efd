//! Writers that touch the same rows wait for each other in one order, so that no deadlock ends one of them.

use futures_util::future::join_all;
use serde_json::json;

use crate::support::{TestApp, on_both_databases};

on_both_databases! {
    async fn people_who_change_each_other_at_once_run_into_no_deadlock(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let mut admins = vec![ada.clone()];
        for n in 0..5 {
            let admin = app.joins(ada.organization_id(), &format!("admin{n}@acme.example")).await;
            ada.changes(&admin, json!({"role": "admin"})).await.expect(200);
            admins.push(admin);
        }
        // Some of them are admins of a second organization, whose lock is another one.
        let elsewhere = app.registers("Beta", "eve@beta.example").await;
        let mut abroad = Vec::new();
        for admin in &admins[1..4] {
            admin.also_belongs_to(&app, &elsewhere.id, "admin").await;
            let switch = json!({"organizationId": elsewhere.id});
            let mut there = admin.signs_in_again().await;
            there.takes_token(&there.post("/api/auth/refresh").json(&switch).await.expect(200));
            abroad.push(there);
        }
        for round in 0..6 {
            let mut changes = Vec::new();
            for (actor, people) in [(&admins, &admins[1..]), (&abroad, &abroad[..])] {
                for who in actor {
                    for whom in people.iter().filter(|whom| whom.id() != who.id()) {
                        let role = if round % 2 == 0 { "manager" } else { "admin" };
                        let how = json!({"role": role, "name": format!("Name {round}")});
                        let path = format!("/api/users/{}", whom.id());
                        changes.push(who.patch(&path).json(&how).into_future());
                    }
                    let name = json!({"name": format!("Own {round}")});
                    changes.push(who.patch("/api/auth/me").json(&name).into_future());
                }
            }
            for answer in join_all(changes).await {
                assert!(answer.status.as_u16() < 500, "{}", answer.text());
            }
            // Undo the demotions.
            for admin in &admins[1..] {
                ada.changes(admin, json!({"role": "admin"})).await.expect(200);
            }
        }
    }
}
