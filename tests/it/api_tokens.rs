//! API tokens of services: what they may do, how they end, and that they are not accepted in place of other tokens.

use chrono::{SecondsFormat, TimeDelta};
use futures_util::future::join_all;
use hallpass::ports::Clock as _;
use serde_json::{Value, json};

use crate::people::Staff;
use crate::role_matrix::everything;
use crate::support::{Actor, Db, PASSWORD, TestApp, eventually, on_both_databases};

on_both_databases! {
    async fn a_token_is_shown_once_and_listed_by_its_prefix(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let created = makes(&ada, json!({"name": " nightly export ", "role": "manager"})).await;
        let token = created["token"].as_str().unwrap();
        let mut shown = created.clone();
        shown.as_object_mut().unwrap().remove("token");
        assert_eq!(
            shown,
            json!({
                "id": created["id"],
                "name": "nightly export",
                "role": "manager",
                "prefix": &token[..11],
                "createdBy": ada.id(),
                "createdAt": created["createdAt"],
                "expiresAt": null,
                "lastUsedAt": null,
            })
        );
        assert!(token.starts_with("hp_") && token.len() == 52, "{token}");
        let list = ada.get("/api/tokens").await.expect(200);
        assert_eq!(list, json!({"tokens": [shown], "nextCursor": null}));
        // Without a role in the request the token gets the lowest one.
        assert_eq!(makes(&ada, json!({"name": "reader"})).await["role"], "employee");
        let stored = "select hash || prefix || name as v from api_tokens";
        for row in app.db.values(stored).await.into_iter().flatten() {
            assert!(!row.contains(&token[3..46]), "{row}");
        }
    }

    async fn a_token_has_the_lower_of_its_own_and_its_creators_role(app: TestApp) {
        let Staff { ada, grace, mia, alan, .. } = &Staff::of(&app).await;
        for (role, sees) in [("employee", 1), ("manager", 4), ("admin", 5)] {
            let service = ada.as_a_service(role).await;
            let me = service.me().await.expect(200);
            assert_eq!((&me["id"], &me["role"]), (&json!(ada.id()), &json!(role)));
            assert_eq!(service.sees().await.len(), sees, "{role}");
        }
        let service = grace.as_a_service("manager").await;
        assert_eq!(service.sees().await, [&*grace.email, &mia.email, &alan.email]);
        service.changes(alan, json!({"name": "Alan"})).await.expect(200);
        service.get("/api/audit").await.refused(403, "Forbidden");

        ada.changes(grace, json!({"role": "employee"})).await.expect(200);
        assert_eq!(service.me().await.expect(200)["role"], "employee");
        assert_eq!(service.sees().await, [&*grace.email]);
        // Promoting its creator does not promote the token.
        ada.changes(grace, json!({"role": "admin"})).await.expect(200);
        assert_eq!(service.me().await.expect(200)["role"], "manager");
    }

    async fn a_token_cannot_have_a_role_above_its_creators(app: TestApp) {
        let Staff { ada, grace, alan, .. } = &Staff::of(&app).await;
        for (actor, role, allowed) in [
            (alan, "employee", true),
            (alan, "manager", false),
            (alan, "admin", false),
            (grace, "manager", true),
            (grace, "admin", false),
            (ada, "admin", true),
        ] {
            let answer = actor.post("/api/tokens").json(&json!({"name": "x", "role": role})).await;
            if allowed {
                answer.expect(201);
            } else {
                answer.refused(403, "Forbidden");
            }
        }
        assert_eq!(app.db.count("select count(*) from api_tokens").await, 3);
    }

    async fn an_admins_api_token_changes_nothing_of_its_owner(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        ada.changes(&bob, json!({"role": "admin"})).await.expect(200);
        let service = ada.as_a_service("admin").await;
        let before = everything(&app).await;
        let own = format!("/api/users/{}", ada.id());
        for how in [
            json!({"name": "Eve"}), json!({"role": "employee"}), json!({"managerId": bob.id()}),
            json!({"disabled": true}), json!({"disabled": false}),
        ] {
            service.changes(&ada, how).await.refused(403, "Forbidden");
        }
        service.delete(&own).await.refused(403, "Forbidden");
        let membership = ada.organization_path(&format!("/members/{}", ada.id()));
        service.delete(&membership).await.refused(403, "Forbidden");
        service.changes(&bob, json!({"managerId": ada.id()})).await.refused(403, "Forbidden");
        service.invites(&ada.email, "admin").await.refused(409, "Already a member");
        service.post("/api/tokens").json(&json!({"name": "more"})).await.refused(403, "Forbidden");
        assert_eq!(everything(&app).await, before);
        // Others are its to administer, and it may read its owner.
        assert_eq!(service.get(&own).await.expect(200)["email"], "ada@acme.example");
        assert_eq!(service.changes(&bob, json!({"name": "Bob"})).await.expect(200)["name"], "Bob");
    }

    async fn an_api_token_cannot_use_account_endpoints(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let session = ada.sessions().await[0]["id"].as_str().unwrap().to_owned();
        let passwords = json!({"currentPassword": PASSWORD, "newPassword": "Staple-Orange-9-Umbrella"});
        for role in ["employee", "admin"] {
            let service = ada.as_a_service(role).await;
            let token = ada.get("/api/tokens").await.expect(200)["tokens"][0]["id"].as_str().unwrap().to_owned();
            for call in [
                service.post("/api/auth/refresh"),
                service.post("/api/auth/logout"),
                service.post("/api/auth/logout-all"),
                service.get("/api/auth/sessions"),
                service.delete(&format!("/api/auth/sessions/{session}")),
                service.patch("/api/auth/me").json(&json!({"name": "Eve"})),
                service.post("/api/auth/change-password").json(&passwords),
                service.get("/api/tokens"),
                service.post("/api/tokens").json(&json!({"name": "more"})),
                service.delete(&format!("/api/tokens/{token}")),
            ] {
                call.await.refused(403, "Forbidden");
            }
            service.me().await.expect(200);
        }
        // Nor by the other endpoint that changes the name.
        let service = ada.as_a_service("employee").await;
        service.changes(&ada, json!({"name": "Eve"})).await.refused(403, "Forbidden");
        assert_eq!(ada.me().await.expect(200), ada.user);
    }

    async fn a_revoked_token_is_refused_at_once(app: TestApp) {
        let Staff { ada, grace, alan, .. } = &Staff::of(&app).await;
        let bob = app.signs_up("Beta", "bob@beta.example").await;
        let created = makes(alan, json!({"name": "one"})).await;
        let service = with_token(alan, &created);
        let other = alan.as_a_service("employee").await;
        service.me().await.expect(200);
        let path = format!("/api/tokens/{}", created["id"].as_str().unwrap());
        for stranger in [grace, &bob] {
            stranger.delete(&path).await.refused(404, "API token not found");
        }
        alan.delete("/api/tokens/nonsense").await.refused(404, "API token not found");

        assert_eq!(alan.delete(&path).await.expect(200), json!({"success": true}));
        let answer = service.me().await;
        answer.refused(401, "Token revoked");
        assert!(answer.header("www-authenticate").unwrap().contains(r#"error="invalid_token""#));
        other.me().await.expect(200);
        alan.me().await.expect(200);
        alan.delete(&path).await.refused(404, "API token not found");
        assert_eq!(alan.get("/api/tokens").await.expect(200)["tokens"].as_array().unwrap().len(), 1);

        // An admin revokes tokens created by others.
        let all = ada.get("/api/tokens").await.expect(200);
        let path = format!("/api/tokens/{}", all["tokens"][0]["id"].as_str().unwrap());
        assert_eq!(all["tokens"][0]["createdBy"], alan.id());
        assert_eq!(grace.get("/api/tokens").await.expect(200)["tokens"], json!([]));
        ada.delete(&path).await.expect(200);
        other.me().await.refused(401, "Token revoked");
    }

    async fn a_token_expires_to_the_second_and_stays_listed_as_expired(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let end = app.clock.now() + TimeDelta::days(30);
        let end = end.to_rfc3339_opts(SecondsFormat::Micros, true);
        let created = makes(&ada, json!({"name": "a month", "expiresAt": end})).await;
        assert_eq!(created["expiresAt"], end.as_str());
        let service = with_token(&ada, &created);
        app.advance(TimeDelta::days(30) - TimeDelta::microseconds(1));
        service.me().await.expect(200);
        app.advance(TimeDelta::microseconds(1));
        service.me().await.refused(401, "Token expired");
        service.me().await.refused(401, "Token expired");
    }

    async fn a_token_without_an_expiry_outlives_every_session(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let service = ada.as_a_service("admin").await;
        ada.logs_out().await.expect(200);
        app.advance(TimeDelta::days(400));
        service.me().await.expect(200);
        ada.me().await.refused(401, "Token expired");
    }

    async fn an_invalid_field_is_named(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let long = "x".repeat(101);
        let now = app.clock.now().to_rfc3339();
        for (body, fields) in [
            (json!({}), &["name"][..]),
            (json!({"name": ""}), &["name"][..]),
            (json!({"name": long}), &["name"][..]),
            (json!({"name": "x", "role": "superadmin"}), &["role"][..]),
            (json!({"name": "x", "expiresAt": "soon"}), &["expiresAt"][..]),
            (json!({"name": "x", "expiresAt": now}), &["expiresAt"][..]),
            (json!({"name": "x", "organizationId": ada.organization_id()}), &["organizationId"][..]),
        ] {
            ada.post("/api/tokens").json(&body).await.refused_fields(fields);
        }
        assert_eq!(app.db.count("select count(*) from api_tokens").await, 0);
    }

    async fn the_last_use_is_accurate_to_five_minutes(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let service = ada.as_a_service("employee").await;
        let last_used = async || ada.get("/api/tokens").await.expect(200)["tokens"][0]["lastUsedAt"].clone();
        assert_eq!(last_used().await, Value::Null);
        service.me().await.expect(200);
        let first = last_used().await;
        assert!(first.is_string(), "{first}");
        app.advance(TimeDelta::seconds(299));
        service.me().await.expect(200);
        assert_eq!(last_used().await, first);
        app.advance(TimeDelta::seconds(1));
        service.me().await.expect(200);
        assert_ne!(last_used().await, first);
    }

    async fn api_tokens_and_other_tokens_are_not_interchangeable(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let service = ada.as_a_service("admin").await;
        let token = &service.token;
        let jwt = &ada.token;
        let other = if token[20..].starts_with('x') { 'y' } else { 'x' };
        let altered = format!("{}{other}{}", &token[..20], &token[21..]);
        for bad in [
            format!("hp_{jwt}").as_str(),
            &token[3..],
            &token[..51],
            &altered,
            &format!("{token}A"),
            &token.to_uppercase(),
            &format!("hp_{}", "A".repeat(49)),
            "hp_",
            // Well formed, but not issued by us.
            "hp_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcQjZeTA",
        ] {
            let answer = app.get("/api/auth/me").bearer(bad).await;
            assert_eq!(answer.status, 401, "{bad} of {token}");
            answer.refused(401, "Invalid token");
            assert!(answer.header("www-authenticate").unwrap().contains(r#"error="invalid_token""#));
        }
        for path in [format!("/api/auth/me?token={token}"), format!("/api/auth/me?access_token={token}")] {
            app.get(&path).await.refused(401, "Authentication required");
        }
        for refused in [
            app.post("/api/auth/slack/token").json(&json!({"code": token, "codeVerifier": token})),
            app.get("/api/auth/me").header("cookie", &format!("next-auth.session-token={token}")),
            app.post("/api/auth/login").json(&json!({"email": ada.email, "password": token})),
        ] {
            let answer = refused.await;
            assert!(answer.status.is_client_error() || answer.status == 501, "{}", answer.text());
        }
        service.me().await.expect(200);
    }

    async fn a_known_token_needs_no_database_query(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let service = ada.as_a_service("employee").await;
        let me = service.me().await.expect(200);
        let tables = ["users", "organizations", "memberships", "sessions", "audit", "api_tokens"];
        for table in tables {
            app.db.execute(&format!("alter table {table} rename to {table}_away")).await;
        }
        for _ in 0..100 {
            assert_eq!(service.me().await.expect(200), me);
        }
        for table in tables {
            app.db.execute(&format!("alter table {table}_away rename to {table}")).await;
        }
    }

    async fn a_person_has_at_most_a_hundred_active_tokens(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let mut made = Vec::new();
        // A few at once, because so many would be refused for load.
        for _ in 0..21 {
            let five = (0..5).map(|n| {
                ada.post("/api/tokens").json(&json!({"name": format!("token {n}")})).into_future()
            });
            made.extend(join_all(five).await);
            if made.len() == 5 {
                // The last batch begins with 98.
                for token in &made[..2] {
                    let id = token.expect(201)["id"].as_str().unwrap().to_owned();
                    ada.delete(&format!("/api/tokens/{id}")).await.expect(200);
                }
            }
        }
        let created = made.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(created, 2 + 100);
        made.iter().find(|answer| answer.status != 201).unwrap().refused(409, "Too many API tokens");
        ada.get("/api/tokens?limit=&cursor=x").await.refused_fields(&["cursor", "limit"]);
        ada.get("/api/tokens?cursor=").await.expect(200);
        let first = ada.get("/api/tokens?limit=60").await.expect(200);
        let next = first["nextCursor"].as_str().unwrap();
        let second = ada.get(&format!("/api/tokens?limit=60&cursor={next}")).await.expect(200);
        assert_eq!(second["tokens"].as_array().unwrap().len(), 40);
        let id = first["tokens"][0]["id"].as_str().unwrap();
        ada.delete(&format!("/api/tokens/{id}")).await.expect(200);
        makes(&ada, json!({"name": "one more"})).await;
    }

    async fn each_action_leaves_one_audit_row(app: TestApp) {
        let Staff { ada, alan, .. } = &Staff::of(&app).await;
        let created = alan
            .post("/api/tokens")
            .header("x-request-id", "makes")
            .json(&json!({"name": "x"}))
            .await
            .expect(201);
        ada.delete(&format!("/api/tokens/{}", created["id"].as_str().unwrap()))
            .header("x-request-id", "revokes")
            .await
            .expect(200);
        for (request_id, action, actor) in [
            ("makes", "api_token.created", alan), ("revokes", "api_token.revoked", ada),
        ] {
            let all = format!("select count(*) from audit where request_id = '{request_id}'");
            assert_eq!(app.db.count(&all).await, 1);
            let right = format!(
                "{all} and action = '{action}' and outcome = 'ok' and actor_id = {} and subject_id = {}",
                app.db.id(actor.id()), app.db.id(alan.id()),
            );
            assert_eq!(app.db.count(&right).await, 1, "{action}");
        }
    }
}

/// Prints how long another instance accepts a token after its revocation here.
#[actix_web::test]
async fn another_instance_accepts_a_new_token_and_learns_of_its_revocation() {
    let Some(db) = Db::postgres().await else {
        return;
    };
    let here = TestApp::start(db).await;
    let there = here.second_instance().await;
    let ada = here.signs_up("Acme", "ada@acme.example").await;
    ada.at(&there).me().await.expect(200);
    let created = makes(&ada, json!({"name": "x", "role": "admin"})).await;
    let service = with_token(&ada, &created).at(&there);
    for _ in 0..3 {
        service.me().await.expect(200);
    }
    let path = format!("/api/tokens/{}", created["id"].as_str().unwrap());
    ada.delete(&path).await.expect(200);
    let took = eventually("a revoked token takes effect elsewhere", async || {
        service.me().await.status == 401
    })
    .await;
    eprintln!(
        "a revoked API token takes effect elsewhere after {} ms",
        took.as_millis()
    );
    service.me().await.refused(401, "Token revoked");
}

async fn makes(actor: &Actor, body: Value) -> Value {
    actor.post("/api/tokens").json(&body).await.expect(201)
}

fn with_token(actor: &Actor, created: &Value) -> Actor {
    Actor {
        token: created["token"].as_str().unwrap().to_owned(),
        ..actor.clone()
    }
}
