//! Join links: who makes them, who joins by them, and when they end; and joining by slug.

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use hallpass::ports::Clock as _;
use hallpass::service::operations::purge::purge;
use serde_json::{Value, json};

use crate::support::{Actor, Answer, SlackApp, TestApp, on_both_databases};

async fn makes(who: &Actor, body: &Value) -> Answer {
    who.post(&who.organization_path("/join-links"))
        .json(body)
        .await
}

/// The token of a new link for this role.
async fn link(admin: &Actor, role: &str) -> String {
    token(&makes(admin, &json!({"role": role})).await)
}

fn token(made: &Answer) -> String {
    made.expect(201)["token"].as_str().unwrap().to_owned()
}

async fn joins(who: &Actor, by: &Value) -> Answer {
    who.post("/api/organizations/join").json(by).await
}

async fn joins_by(who: &Actor, token: &str) -> Answer {
    joins(who, &json!({"token": token})).await
}

async fn links(admin: &Actor) -> Vec<Value> {
    let list = admin
        .get(&admin.organization_path("/join-links"))
        .await
        .expect(200);
    list["joinLinks"].as_array().unwrap().clone()
}

async fn members(app: &TestApp, organization_id: &str) -> i64 {
    let id = app.db.id(organization_id);
    app.db
        .count(&format!(
            "select count(*) from memberships where organization_id = {id}"
        ))
        .await
}

fn is_spent(answer: &Answer) {
    answer.refused(400, "Invalid or expired token");
}

on_both_databases! {
    async fn a_link_is_shown_once_and_stored_as_a_hash(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let made = ada
            .post(&ada.organization_path("/join-links"))
            .header("x-request-id", "makes")
            .json(&json!({"role": "manager", "uses": 2}))
            .await
            .expect(201);
        let token = made["token"].as_str().unwrap();
        assert_eq!(made["url"], format!("http://localhost/join?token={token}"));
        let about = json!({
            "id": made["id"],
            "role": "manager",
            "uses": 2,
            "used": 0,
            "createdBy": ada.id(),
            "createdAt": made["createdAt"],
            "expiresAt": made["expiresAt"],
        });
        assert_eq!(links(&ada).await, [about]);
        let instant = |field: &str| made[field].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
        assert_eq!(instant("expiresAt") - instant("createdAt"), TimeDelta::days(7));
        let in_plain = format!("select count(*) from join_links where hash like '%{token}%'");
        assert_eq!(app.db.count(&in_plain).await, 0);
        let audited = "select coalesce(detail, '') as v from audit where request_id = 'makes'";
        let rows = app.db.values(audited).await;
        assert_eq!(rows.len(), 1);
        assert!(!rows[0].as_deref().unwrap().contains(token));
        let row = "select count(*) from audit where request_id = 'makes' and action = 'join_link.created'";
        assert_eq!(app.db.count(row).await, 1);
    }

    async fn whoever_has_the_link_joins_with_its_role_whatever_the_policy(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        for (policy, role) in [("open", "manager"), ("domain", "employee"), ("invite", "admin")] {
            ada.sets_rules(&json!({"joinPolicy": policy})).await;
            let token = link(&ada, role).await;
            let email = format!("{policy}@bolt.example");
            let mut bob = app.signs_up("Bolt", &email).await;
            let join = bob.post("/api/organizations/join").header("x-request-id", policy);
            let joined = join.json(&json!({"token": token})).await.expect(200);
            assert_eq!(joined["user"]["role"], role);
            assert_eq!(joined["user"]["organizationId"], ada.organization_id());
            bob.takes_token(&joined);
            assert_eq!(bob.me().await.expect(200), joined["user"]);
            let row = format!(
                "select count(*) from audit where request_id = '{policy}' and action = 'membership.joined'
                 and detail like '%joinLink%' and organization_id = {}",
                app.db.id(ada.organization_id())
            );
            assert_eq!(app.db.count(&row).await, 1);
        }
        let token = link(&ada, "employee").await;
        ada.sets_rules(&json!({"joinPolicy": "closed"})).await;
        let eve = app.signs_up("Evil", "eve@evil.example").await;
        joins_by(&eve, &token).await.refused(409, "Organization closed");
        makes(&ada, &json!({"role": "employee"})).await.refused(409, "Organization closed");
        ada.sets_rules(&json!({"joinPolicy": "invite"})).await;
        joins_by(&eve, &token).await.expect(200);
    }

    async fn a_second_use_by_a_member_is_success_and_uses_nothing_up(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let token = token(&makes(&ada, &json!({"role": "manager", "uses": 1})).await);
        let bob = app.signs_up("Bolt", "bob@bolt.example").await;
        let mut there = bob.clone();
        there.takes_token(&joins_by(&bob, &token).await.expect(200));
        // From the organization itself, and from another session in another organization.
        let again = joins_by(&there, &token).await.expect(200);
        assert_eq!(again["user"], there.user);
        let switched = joins_by(&bob.signs_in_again().await, &token).await.expect(200);
        assert_eq!(switched["user"], there.user);
        // The role stays as it is.
        let promoted = ada.changes(&bob, json!({"role": "employee"})).await.expect(200);
        assert_eq!(promoted["role"], "employee");
        assert_eq!(joins_by(&bob, &token).await.expect(200)["user"]["role"], "employee");
        assert_eq!(links(&ada).await[0]["used"], 1);
        let rows = "select count(*) from audit where action = 'membership.joined'";
        assert_eq!(app.db.count(rows).await, 1);
        let eve = app.signs_up("Evil", "eve@evil.example").await;
        is_spent(&joins_by(&eve, &token).await);
        ada.signs_in_again().await;
        assert_eq!(members(&app, ada.organization_id()).await, 2);
    }

    async fn a_link_admits_as_many_as_it_may_even_at_once(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let token = token(&makes(&ada, &json!({"role": "employee", "uses": 3})).await);
        let mut people = Vec::new();
        for n in 0..8 {
            people.push(app.signs_up("Bolt", &format!("bob{n}@bolt.example")).await);
        }
        let answers = join_all(people.iter().map(|who| joins_by(who, &token))).await;
        let (joined, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
        assert_eq!(joined.len(), 3);
        refused.into_iter().for_each(is_spent);
        assert_eq!(members(&app, ada.organization_id()).await, 4);
        assert_eq!(links(&ada).await[0]["used"], 3);
    }

    async fn one_person_who_joins_twice_at_once_uses_the_link_once(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let token = token(&makes(&ada, &json!({"role": "employee", "uses": 1})).await);
        let bob = app.signs_up("Bolt", "bob@bolt.example").await;
        for answer in join_all((0..10).map(|_| joins_by(&bob, &token))).await {
            assert_eq!(answer.expect(200)["user"]["organizationId"], ada.organization_id());
        }
        assert_eq!(links(&ada).await[0]["used"], 1);
        assert_eq!(members(&app, ada.organization_id()).await, 2);
    }

    async fn only_admins_make_list_and_revoke_links(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let eve = app.signs_up("Evil", "eve@evil.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        let path = ada.organization_path("/join-links");
        let made = makes(&ada, &json!({"role": "employee"})).await.expect(201);
        let this = format!("{path}/{}", made["id"].as_str().unwrap());
        for role in ["employee", "manager"] {
            ada.changes(&bob, json!({"role": role})).await.expect(200);
            makes(&bob, &json!({"role": "employee"})).await.refused(403, "Forbidden");
            bob.get(&path).await.refused(403, "Forbidden");
            bob.delete(&this).await.refused(403, "Forbidden");
        }
        eve.get(&path).await.refused(404, "Organization not found");
        eve.delete(&this).await.refused(404, "Organization not found");
        let mine = eve.organization_path(&format!("/join-links/{}", made["id"].as_str().unwrap()));
        eve.delete(&mine).await.refused(404, "Join link not found");
        ada.delete(&format!("{path}/nonsense")).await.refused(404, "Join link not found");
        assert_eq!(links(&ada).await.len(), 1);

        ada.delete(&this).header("x-request-id", "revokes").await.expect(200);
        is_spent(&joins_by(&eve, made["token"].as_str().unwrap()).await);
        ada.delete(&this).await.refused(404, "Join link not found");
        let row = "select count(*) from audit where request_id = 'revokes' and action = 'join_link.revoked'";
        assert_eq!(app.db.count(row).await, 1);
    }

    async fn a_link_that_another_admin_took_over_stays(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        ada.changes(&bob, json!({"role": "admin"})).await.expect(200);
        let kept = makes(&bob, &json!({"role": "employee"})).await;
        let lost = link(&bob, "employee").await;
        let id = kept.expect(201)["id"].as_str().unwrap().to_owned();
        let path = ada.organization_path(&format!("/join-links/{id}/take-over"));
        for _ in 0..2 {
            assert_eq!(ada.post(&path).await.expect(200)["createdBy"], ada.id());
        }
        let rows = "select count(*) from audit where action = 'join_link.taken_over'";
        assert_eq!(app.db.count(rows).await, 1);
        ada.changes(&bob, json!({"role": "employee"})).await.expect(200);
        let eve = app.signs_up("Evil", "eve@evil.example").await;
        is_spent(&joins_by(&eve, &lost).await);
        joins_by(&eve, &token(&kept)).await.expect(200);
    }

    async fn a_link_ends_when_its_maker_is_no_longer_an_admin(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let eve = app.signs_up("Evil", "eve@evil.example").await;
        for how in ["demoted", "disabled", "removed", "leaves"] {
            let maker = app.joins(ada.organization_id(), &format!("{how}@acme.example")).await;
            ada.changes(&maker, json!({"role": "admin"})).await.expect(200);
            let token = link(&maker, "admin").await;
            match how {
                "demoted" => ada.changes(&maker, json!({"role": "manager"})).await,
                "disabled" => ada.changes(&maker, json!({"disabled": true})).await,
                "removed" => ada.delete(&format!("/api/users/{}", maker.id())).await,
                _ => maker.delete(&maker.organization_path("/members/me")).await,
            }
            .expect(200);
            is_spent(&joins_by(&eve, &token).await);
            assert!(links(&ada).await.is_empty(), "{how}");
            // Nor does it come back with the role.
            match how {
                "demoted" => ada.changes(&maker, json!({"role": "admin"})).await.expect(200),
                "disabled" => ada.changes(&maker, json!({"disabled": false})).await.expect(200),
                _ => continue,
            };
            is_spent(&joins_by(&eve, &token).await);
        }
        assert_eq!(members(&app, eve.organization_id()).await, 1);
    }

    async fn a_reset_that_claims_an_account_ends_its_links(app: TestApp) {
        let squatter = app.signs_up("Acme", "ada@acme.example").await;
        let token = link(&squatter, "admin").await;
        app.forgets_password("ada@acme.example").await.expect(200);
        let reset = app.mailed_token("ada@acme.example", "reset_password").await;
        app.resets_password(&reset, crate::support::OTHER_PASSWORD).await.expect(200);
        let eve = app.signs_up("Evil", "eve@evil.example").await;
        is_spent(&joins_by(&eve, &token).await);
        assert_eq!(app.db.count("select count(*) from join_links").await, 0);
    }

    async fn a_link_works_until_its_second_and_is_purged_afterwards(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.signs_up("Bolt", "bob@bolt.example").await;
        let eve = app.signs_up("Evil", "eve@evil.example").await;
        let end = app.clock.now() + TimeDelta::hours(1);
        let made = makes(&ada, &json!({"role": "employee", "expiresAt": end})).await;
        let token = token(&made);
        app.advance(TimeDelta::hours(1) - TimeDelta::seconds(1));
        joins_by(&bob, &token).await.expect(200);
        app.advance(TimeDelta::seconds(1));
        is_spent(&joins_by(&eve, &token).await);
        is_spent(&joins_by(&bob, &token).await);
        assert!(links(&ada).await.is_empty());
        assert_eq!(app.db.count("select count(*) from join_links").await, 1);
        let operator_app = app.operator_app().await;
        purge(operator_app.services()).await;
        assert_eq!(app.db.count("select count(*) from join_links").await, 0);
    }

    async fn faulty_fields_of_a_link_are_named(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let at = |by: TimeDelta| json!(app.clock.now() + by);
        for (field, value) in [
            ("role", Value::Null),
            ("role", json!("owner")),
            ("uses", json!(0)),
            ("uses", json!(10_001)),
            ("uses", json!(1.5)),
            ("uses", json!("many")),
            ("expiresAt", json!("tomorrow")),
            ("expiresAt", at(TimeDelta::zero())),
            ("expiresAt", at(TimeDelta::days(366))),
            ("token", json!("mine")),
        ] {
            let mut body = json!({"role": "employee"});
            body[field] = value;
            makes(&ada, &body).await.refused_fields(&[field]);
        }
        let longest = json!({"role": "employee", "uses": 10_000, "expiresAt": at(TimeDelta::days(365))});
        makes(&ada, &longest).await.expect(201);
        assert_eq!(links(&ada).await.len(), 1);
    }

    async fn an_organization_has_at_most_fifty_links(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        for _ in 0..50 {
            makes(&ada, &json!({"role": "employee"})).await.expect(201);
        }
        let refused = makes(&ada, &json!({"role": "employee"})).await;
        refused.refused(409, "Too many join links");
        assert_eq!(refused.header("x-error-code"), Some("too_many_join_links"));
        app.advance(TimeDelta::days(7));
        makes(&ada.signs_in_again().await, &json!({"role": "employee"})).await.expect(201);
    }

    async fn bad_and_foreign_tokens_get_one_answer(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        let bob = app.signs_up("Bolt", "bob@bolt.example").await;
        ada.invites("bob@bolt.example", "employee").await.expect(201);
        let invitation = app.mailed_token("bob@bolt.example", "invitation").await;
        let token = link(&ada, "employee").await;
        for bad in ["x", &"A".repeat(43), &invitation, &bob.token, &format!("{token}A"), &token.to_lowercase()] {
            is_spent(&joins_by(&bob, bad).await);
        }
        bob.accepts(&token).await.refused(400, "Invalid or expired token");
        app.registers_invited("bob2@bolt.example", &token).await.refused(400, "Invalid or expired token");
        for (body, field) in [
            (json!({}), "token"),
            (json!({"token": ""}), "token"),
            (json!({"token": token, "slug": "acme"}), "slug"),
            (json!({"slug": 7}), "slug"),
        ] {
            joins(&bob, &body).await.refused_fields(&[field]);
        }
        app.post("/api/organizations/join").json(&json!({"token": token}))
            .await.refused(401, "Authentication required");
        let service = bob.as_a_service("admin").await;
        joins_by(&service, &token).await.refused(403, "Forbidden");
        joins(&service, &json!({"slug": "acme"})).await.refused(403, "Forbidden");
        assert_eq!(members(&app, ada.organization_id()).await, 1);
        joins_by(&bob, &token).await.expect(200);
    }

    async fn a_slug_or_a_former_one_joins_as_the_policy_says(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        ada.patch(&ada.organization_path("")).json(&json!({"slug": "works"})).await.expect(200);
        for (slug, email) in [("works", "bob@bolt.example"), (" ACME ", "eve@evil.example")] {
            let who = app.signs_up("Bolt", email).await;
            let joined = joins(&who, &json!({"slug": slug})).await.expect(200);
            assert_eq!(joined["user"]["organizationId"], ada.organization_id());
            assert_eq!(joined["user"]["role"], "employee");
            joins(&who, &json!({"slug": slug})).await.refused(409, "Already a member");
        }
        let grace = app.signs_up("Bolt", "grace@bolt.example").await;
        joins(&grace, &json!({"slug": "nowhere"})).await.refused(404, "Organization not found");
        for policy in ["domain", "invite", "closed"] {
            ada.sets_rules(&json!({"joinPolicy": policy, "allowedDomains": ["bolt.example"]})).await;
            joins(&grace, &json!({"slug": "works"})).await.refused(403, "Invitation required");
        }
        ada.sets_rules(&json!({"joinPolicy": "domain"})).await;
        app.verifies_address(&grace.email).await;
        joins(&grace, &json!({"slug": "works"})).await.expect(200);
    }

    async fn a_stale_session_joins_by_no_link_that_has_it_enrol_first(app: TestApp) {
        let eve = app.signs_up("Evil", "eve@evil.example").await;
        eve.enrols(&app).await;
        eve.sets_rules(&json!({"requireMfa": true})).await;
        let token = link(&eve, "employee").await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        app.advance(TimeDelta::minutes(15));
        let refused = joins_by(&ada, &token).await;
        assert_eq!(refused.header("x-error-code"), Some("reauthentication_required"));
        assert_eq!(members(&app, eve.organization_id()).await, 1);
        let challenge = joins_by(&ada.signs_in_again().await, &token).await.expect(200);
        assert_eq!(challenge["enrolmentRequired"], true);
        // A second use asks for the same.
        let again = joins_by(&ada.signs_in_again().await, &token).await.expect(200);
        assert_eq!(again["enrolmentRequired"], true);
        assert_eq!(members(&app, eve.organization_id()).await, 2);
    }

    async fn a_slack_user_joins_by_a_link(app: SlackApp) {
        let ada = app.signs_up("Beta", "ada@beta.example").await;
        let token = link(&ada, "manager").await;
        let returned = app.arrives("no-email").await;
        let join = app.post("/api/organizations/join").bearer(returned.token());
        let joined = join.json(&json!({"token": token})).await.expect(200);
        assert_eq!(joined["user"]["role"], "manager");
        assert_eq!(joined["user"]["email"], Value::Null);
    }
}
