//! The audit log: one row for each action, written with it, and how admins read them.

use chrono::{SecondsFormat, TimeDelta};
use hallpass::ports::Clock as _;
use serde_json::{Value, json};

use crate::people::Staff;
use crate::support::{
    Actor, OTHER_PASSWORD, PASSWORD, TestApp, member_body, on_both_databases, organization_body,
};

on_both_databases! {
    async fn each_action_leaves_one_row_with_actor_subject_and_outcome(app: TestApp) {
        let founded = app
            .post("/api/auth/register")
            .header("x-request-id", "registers")
            .json(&organization_body("Acme", "ada@acme.example"))
            .await
            .expect(201);
        let ada = app.logs_in("ada@acme.example", PASSWORD).await;
        assert_eq!(founded["user"]["id"], ada.user["id"]);
        left_one_row(&app, "registers", "organization.founded", "ok", &ada).await;

        app.post("/api/auth/login")
            .header("x-request-id", "logs-in")
            .json(&json!({"email": ada.email, "password": PASSWORD}))
            .await
            .expect(200);
        left_one_row(&app, "logs-in", "session.login", "ok", &ada).await;

        app.post("/api/auth/register")
            .header("x-request-id", "joins")
            .json(&member_body(ada.organization_id(), "bob@acme.example"))
            .await
            .expect(201);
        let bob = app.logs_in("bob@acme.example", PASSWORD).await;
        left_one_row(&app, "joins", "user.registered", "ok", &bob).await;

        let lost = ada.signs_in_again().await;
        let path = format!(
            "/api/auth/sessions/{}",
            crate::support::jwt::claims(&lost.token)["sid"].as_str().unwrap()
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
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        for (id, email) in [("known", ada.email.as_str()), ("unknown", "unknown@acme.example")] {
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

    async fn an_action_that_did_not_happen_leaves_no_row(app: TestApp) {
        app.registers("Acme", "ada@acme.example").await;
        app.post("/api/auth/register")
            .header("x-request-id", "taken")
            .json(&organization_body("Beta", "ada@acme.example"))
            .await
            .refused(409, "Email already registered");
        let rows = "select count(*) from audit where request_id = 'taken' and outcome = 'ok'";
        assert_eq!(app.db.count(rows).await, 0);
    }

    async fn no_row_contains_a_secret(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        app.tries_to_log_in(&ada.email, "Not-The-Password-1").await.refused(401, "Invalid credentials");
        let texts = "select coalesce(action, '') || coalesce(address, '') || coalesce(request_id, '') as v from audit";
        for text in app.db.values(texts).await.into_iter().flatten() {
            for secret in [PASSWORD, "Not-The-Password-1", ada.token.as_str()] {
                assert!(!text.contains(secret), "{text}");
            }
        }
    }

    async fn admins_read_only_the_log_of_their_organization(app: TestApp) {
        let Staff { ada, grace, alan, .. } = &Staff::of(&app).await;
        let bob = app.signs_up("Beta", "bob@beta.example").await;
        let log = entries(ada, "").await;
        let last = &log[0];
        assert_eq!(
            last,
            &json!({
                "id": last["id"],
                "at": last["at"],
                "action": "user.manager_changed",
                "outcome": "ok",
                "actorId": ada.id(),
                "subjectId": alan.id(),
                "address": "127.0.0.1",
                "requestId": last["requestId"],
            })
        );
        assert!(log.iter().all(|entry| entry["actorId"] != bob.id()));
        let theirs = entries(&bob, "").await;
        let mut actions: Vec<_> = theirs.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
        actions.sort_unstable();
        assert_eq!(actions, ["organization.founded", "session.login"]);
        for actor in [grace, alan] {
            actor.get("/api/audit").await.refused(403, "Forbidden");
        }
        app.get("/api/audit").await.refused(401, "Authentication required");
    }

    async fn a_failed_login_of_a_member_is_in_the_organizations_log(app: TestApp) {
        let Staff { ada, alan, .. } = &Staff::of(&app).await;
        app.tries_to_log_in(&alan.email, "Not-The-Password-1").await.refused(401, "Invalid credentials");
        app.tries_to_log_in("unknown@acme.example", "Not-The-Password-1").await.refused(401, "Invalid credentials");
        let log = entries(ada, "?outcome=refused").await;
        assert_eq!(log.len(), 1, "{log:?}");
        assert_eq!(log[0]["action"], "session.login");
        assert_eq!((&log[0]["actorId"], &log[0]["subjectId"]), (&Value::Null, &json!(alan.id())));
    }

    async fn pages_follow_each_other_newest_first(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        for n in 0..6 {
            app.advance(TimeDelta::seconds(1));
            ada.patch("/api/auth/me").json(&json!({"name": format!("Ada {n}")})).await.expect(200);
        }
        let whole = entries(&ada, "").await;
        assert_eq!(whole.len(), 8);
        assert!(whole.is_sorted_by(|a, b| a["at"].as_str() >= b["at"].as_str()));
        for limit in [1, 3, 7, 8] {
            let mut seen = Vec::new();
            let mut cursor = String::new();
            loop {
                let page = ada.get(&format!("/api/audit?limit={limit}{cursor}")).await.expect(200);
                let entries = page["entries"].as_array().unwrap();
                assert!((1..=limit).contains(&entries.len()), "{page}");
                seen.extend(entries.iter().cloned());
                match page["nextCursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
            assert_eq!(seen, whole, "limit {limit}");
        }
    }

    async fn filters_can_be_combined(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let begun = now(&app);
        app.advance(TimeDelta::minutes(1));
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        let joined = now(&app);
        app.advance(TimeDelta::minutes(1));
        ada.changes(&bob, json!({"role": "manager"})).await.expect(200);
        app.advance(TimeDelta::minutes(1));
        app.tries_to_log_in(&bob.email, "Not-The-Password-1").await.refused(401, "Invalid credentials");

        let (ada_id, bob_id) = (ada.id(), bob.id());
        for (query, actions) in [
            ("action=user.role_changed".to_owned(), &["user.role_changed"][..]),
            ("action=nothing".to_owned(), &[][..]),
            ("outcome=refused".to_owned(), &["session.login"][..]),
            (format!("actorId={bob_id}"), &["user.registered"][..]),
            (format!("subjectId={bob_id}"), &["session.login", "user.role_changed", "user.registered"][..]),
            (format!("subjectId={bob_id}&actorId={ada_id}"), &["user.role_changed"][..]),
            (format!("subjectId={bob_id}&outcome=ok&action=user.registered"), &["user.registered"][..]),
            (format!("from={joined}"), &["session.login", "user.role_changed", "user.registered"][..]),
            (format!("to={joined}"), &["session.login", "organization.founded"][..]),
            (format!("from={begun}&to={begun}"), &[][..]),
            (format!("from={joined}&action=session.login&outcome=ok"), &[][..]),
        ] {
            let log = entries(&ada, &format!("?{query}")).await;
            let mut found: Vec<_> = log.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
            if actions.contains(&"organization.founded") {
                // At the same instant as the login.
                found.sort_unstable_by(|a, b| b.cmp(a));
            }
            assert_eq!(found, actions, "{query}");
        }
    }

    async fn an_invalid_query_parameter_is_named(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        for (query, fields) in [
            ("limit=0&outcome=maybe", &["limit", "outcome"][..]),
            ("cursor=x", &["cursor"][..]),
            ("actorId=x&subjectId=y", &["actorId", "subjectId"][..]),
            ("from=yesterday&to=2026-13-01T00:00:00Z", &["from", "to"][..]),
            ("from=2026-11-22%2010:00:00Z&to=2026-11-22_10:00:00Z", &["from", "to"][..]),
            ("action=a%0Ab", &["action"][..]),
            (
                "limit=&cursor=x&action=&outcome=&actorId=&subjectId=&from=&to=",
                &["action", "actorId", "cursor", "from", "limit", "outcome", "subjectId", "to"][..],
            ),
        ] {
            ada.get(&format!("/api/audit?{query}")).await.refused_fields(fields);
        }
        for query in ["from=0000-01-01T00:00:00Z&to=9999-12-31T23:59:59Z", "from=2026-11-22T10:00:00%2B01:00"] {
            ada.get(&format!("/api/audit?{query}")).await.expect(200);
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

fn now(app: &TestApp) -> String {
    app.clock.now().to_rfc3339_opts(SecondsFormat::Micros, true)
}

async fn entries(actor: &Actor, query: &str) -> Vec<Value> {
    let log = actor.get(&format!("/api/audit{query}")).await.expect(200);
    log["entries"].as_array().unwrap().clone()
}
