//! The end of accounts and organizations, and what is left of them.

use std::future::IntoFuture as _;

use chrono::TimeDelta;
use futures_util::future::join_all;
use hallpass::service::Error;
use hallpass::service::operations::operator;
use hallpass::service::sessions::housekeeping;
use serde_json::json;

use crate::support::test_app::operator_context;
use crate::support::{Actor, Db, PASSWORD, SlackApp, TestApp, on_both_databases};

on_both_databases! {
    async fn the_account_of_an_only_member_goes_with_the_organization(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let there = app.second_instance().await;
        ada.at(&there).me().await.expect(200);
        ada.delete("/api/auth/account").await.expect(200);
        ada.me().await.refused(401, "Token revoked");
        app.tries_to_log_in("ada@acme.example", PASSWORD).await.refused(401, "Invalid credentials");
        for table in ["users", "organizations", "memberships", "sessions", "one_time_tokens", "outbox"] {
            assert_eq!(app.db.count(&format!("select count(*) from {table}")).await, 0, "{table}");
        }
        let of_ada = format!("actor_id = {}", app.db.id(ada.id()));
        let rows = async |more: &str| {
            app.db.count(&format!("select count(*) from audit where {of_ada} {more}")).await
        };
        assert!(rows("and action = 'user.deleted'").await == 1);
        assert!(rows("and action = 'organization.deleted'").await == 1);
        assert_eq!(rows("and (address is not null or device is not null)").await, 0);
        // The address is free.
        app.signs_up("Acme", "ada@acme.example").await;
    }

    async fn a_member_who_deletes_the_account_leaves_the_others(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        let report = app.joins(ada.organization_id(), "report@acme.example").await;
        ada.changes(&bob, json!({"role": "manager"})).await.expect(200);
        ada.changes(&report, json!({"managerId": bob.id()})).await.expect(200);
        let service = bob.as_a_service("employee").await;
        bob.delete("/api/auth/account").await.expect(200);
        for token in [&bob, &service] {
            assert_eq!(token.me().await.status, 401);
        }
        let mut left = ada.sees().await;
        left.sort_unstable();
        assert_eq!(left, ["ada@acme.example", "report@acme.example"]);
        let path = format!("/api/users/{}", report.id());
        assert_eq!(ada.get(&path).await.expect(200)["managerId"], json!(null));
        let seen = ada.get(&format!("/api/audit?subjectId={}&action=membership.left", bob.id())).await.expect(200);
        assert_eq!(seen["entries"].as_array().unwrap().len(), 1);
        assert_eq!(seen["entries"][0]["address"], json!(null));
    }

    async fn a_last_admin_is_told_which_organizations_need_another(app: TestApp) {
        let mut ada = app.signs_up("Acme", "ada@acme.example").await;
        let acme = ada.organization_id().to_owned();
        let bob = app.joins(&acme, "bob@acme.example").await;
        let eve = app.signs_up("Beta", "eve@beta.example").await;
        ada.takes_token(&ada.post(&eve.organization_path("/join")).await.expect(200));
        let refusal = ada.delete("/api/auth/account").await;
        refusal.refused_with(409, "last_admin");
        assert_eq!(refusal.json()["organizations"], json!([{"id": acme, "name": "Acme"}]));
        assert_eq!(app.db.count("select count(*) from memberships").await, 4);

        let back = json!({"organizationId": acme});
        ada.takes_token(&ada.post("/api/auth/refresh").json(&back).await.expect(200));
        ada.changes(&bob, json!({"role": "admin"})).await.expect(200);
        ada.delete("/api/auth/account").await.expect(200);
        assert_eq!(bob.get("/api/users").await.expect(200)["users"].as_array().unwrap().len(), 1);
        assert_eq!(app.db.count("select count(*) from memberships").await, 2);
    }

    async fn nothing_keeps_the_address_of_a_deleted_account(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        let bob = app.joins_invited(&ada, "bob@elsewhere.example", "manager").await;
        let eve = app.signs_up_verified("Beta", "eve@beta.example").await;
        eve.invites(&bob.email, "employee").await.expect(201);
        app.forgets_password(&bob.email).await.expect(200);
        bob.changes_email("robert@elsewhere.example", PASSWORD).await.expect(200);
        app.tries_to_log_in(&bob.email, "wrong").await.refused(401, "Invalid credentials");
        assert!(mentions(&app, "bob@elsewhere").await > 0);
        bob.delete("/api/auth/account").await.expect(200);
        assert_eq!(mentions(&app, "@elsewhere").await, 0);
        assert_eq!(app.db.count("select count(*) from failures_in_a_row").await, 0);
    }

    async fn an_admin_deletes_the_organization_by_its_name(app: TestApp) {
        let ada = app.signs_up_verified("Acme, Inc.", "ada@acme.example").await;
        let bob = app.joins_invited(&ada, "bob@acme.example", "manager").await;
        let report = app.joins(ada.organization_id(), "report@acme.example").await;
        ada.changes(&report, json!({"managerId": bob.id()})).await.expect(200);
        let service = ada.as_a_service("admin").await;
        let there = app.second_instance().await;
        bob.at(&there).me().await.expect(200);
        ada.invites("grace@acme.example", "employee").await.expect(201);
        let waiting = app.mailed_token("grace@acme.example", "invitation").await;
        let path = ada.organization_path("");
        let by_name = |name: &str| json!({"name": name});

        for (caller, status) in [(&bob, 403), (&service, 403)] {
            let refusal = caller.delete(&path).json(&by_name("Acme, Inc.")).await;
            refusal.refused_with(status, "forbidden");
        }
        ada.delete(&path).json(&by_name("Acme")).await.refused_fields(&["name"]);
        ada.delete(&path).json(&by_name("Acme, Inc.")).await.expect(200);

        for caller in [&ada, &bob, &report, &service] {
            assert_eq!(caller.me().await.status, 401);
        }
        let at_once = async || bob.at(&there).me().await.status == 401;
        crate::support::eventually("the other instance knows", at_once).await;
        app.registers_invited("grace@acme.example", &waiting).await.refused(400, "Invalid or expired token");
        assert_eq!(app.db.count("select count(*) from users").await, 3);
        for table in ["organizations", "memberships", "invitations", "api_tokens", "reporting_lines"] {
            assert_eq!(app.db.count(&format!("select count(*) from {table}")).await, 0, "{table}");
        }
        for email in ["ada@acme.example", "bob@acme.example"] {
            assert_eq!(app.logs_in(email, PASSWORD).await.user["organizationId"], json!(null));
        }
    }

    async fn a_session_that_has_switched_into_a_deleted_organization_ends(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let eve = app.signs_up("Beta", "eve@beta.example").await;
        eve.post(&ada.organization_path("/join")).await.expect(200);
        let there = app.second_instance().await;
        eve.at(&there).me().await.expect(200);
        ada.delete(&ada.organization_path("")).json(&json!({"name": "Acme"})).await.expect(200);
        eve.me().await.refused(401, "Token revoked");
        let elsewhere = async || eve.at(&there).me().await.status == 401;
        crate::support::eventually("the other instance knows", elsewhere).await;
        assert_eq!(eve.signs_in_again().await.organization_id(), eve.organization_id());
    }

    async fn an_address_that_the_person_had_before_goes_too(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        let bob = app.joins_invited(&ada, "old@elsewhere.example", "employee").await;
        bob.changes_email("new@elsewhere.example", PASSWORD).await.expect(200);
        let link = app.mailed_token("new@elsewhere.example", "confirm_new_email").await;
        app.verifies(&link).await.expect(200);
        assert!(mentions(&app, "old@elsewhere").await > 0);
        app.logs_in("new@elsewhere.example", PASSWORD).await.delete("/api/auth/account").await.expect(200);
        assert_eq!(mentions(&app, "@elsewhere").await, 0);
    }

    async fn an_address_that_was_never_verified_takes_no_invitation_along(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        ada.invites("victim@acme.example", "manager").await.expect(201);
        let invitation = app.mailed_token("victim@acme.example", "invitation").await;
        let squatter = app.signs_up("Evil", "victim@acme.example").await;
        squatter.delete("/api/auth/account").await.expect(200);
        let joined = app.registers_invited("victim@acme.example", &invitation).await.expect(201);
        assert_eq!(joined["user"]["role"], "manager");
    }

    async fn who_joins_while_an_organization_ends_is_in_it_or_told(app: TestApp) {
        for round in 0..8 {
            let ada = app.signs_up("Acme", &format!("ada{round}@acme.example")).await;
            let bob = app.signs_up("Beta", &format!("bob{round}@beta.example")).await;
            let joins = bob.post(&ada.organization_path("/join"));
            let (deleted, joined) = tokio::join!(ada.delete("/api/auth/account").into_future(), joins.into_future());
            let acme = format!("select count(*) from organizations where id = {}", app.db.id(ada.organization_id()));
            let exists = app.db.count(&acme).await == 1;
            match (deleted.status.as_u16(), joined.status.as_u16()) {
                (200, 404) => assert!(!exists),
                (409, 200) => assert!(exists),
                other => panic!("{other:?} {} {}", deleted.text(), joined.text()),
            }
        }
    }

    async fn a_sign_in_while_the_organization_ends_is_no_failure(app: TestApp) {
        for round in 0..8 {
            let ada = app.signs_up(&format!("Acme {round}"), &format!("ada{round}@acme.example")).await;
            let bob = app.joins(ada.organization_id(), &format!("bob{round}@acme.example")).await;
            let path = ada.organization_path("");
            let name = json!({"name": format!("Acme {round}")});
            let (deleted, signed_in) = tokio::join!(
                ada.delete(&path).json(&name).into_future(),
                app.tries_to_log_in(&bob.email, PASSWORD)
            );
            deleted.expect(200);
            assert!([200, 404].contains(&signed_in.status.as_u16()), "{}", signed_in.text());
            assert_eq!(bob.signs_in_again().await.user["organizationId"], json!(null));
        }
    }

    async fn members_who_act_while_the_organization_ends_fail_nothing(app: TestApp) {
        for round in 0..4 {
            let name = format!("Acme {round}");
            let ada = app.signs_up(&name, &format!("ada{round}@acme.example")).await;
            let mut members = Vec::new();
            for n in 0..4 {
                members.push(app.joins(ada.organization_id(), &format!("member{round}-{n}@acme.example")).await);
            }
            let changes = members.iter().cycle().take(24).enumerate().map(|(n, who)| {
                who.patch("/api/auth/me").json(&json!({"name": format!("Name {n}")})).into_future()
            });
            let path = ada.organization_path("");
            let name = json!({"name": name});
            let deletes = ada.delete(&path).json(&name).into_future();
            let (changed, deleted) = tokio::join!(join_all(changes), deletes);
            deleted.expect(200);
            for answer in changed {
                assert!(answer.status.as_u16() < 500, "{}", answer.text());
            }
        }
    }

    async fn no_command_revives_an_account_that_is_being_deleted(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let acts = format!(
            "insert into audit (id, at, action, outcome, actor_id, address, request_id)
             select {}, created_at, 'session.login', 'ok', id, '192.0.2.1', 'x' from users",
            match app.db {
                Db::Sqlite { .. } => "randomblob(16)",
                Db::Postgres { .. } => "gen_random_uuid()",
            }
        );
        for _ in 0..600 {
            app.db.execute(&acts).await;
        }
        ada.delete("/api/auth/account").await.expect(200);
        assert_eq!(app.db.count("select count(*) from users where deleted_at is not null").await, 1);
        let operator_app = app.operator_app().await;
        let (services, id) = (operator_app.services(), ada.id().parse().unwrap());
        let enabled = operator::enable_user(services, &operator_context(), id).await;
        assert!(matches!(enabled, Err(Error::UserNotFound)));
        housekeeping::delete_hidden_accounts(services).await.unwrap();
        assert_eq!(app.db.count("select count(*) from users").await, 0);
        assert_eq!(app.db.count("select count(*) from audit where address is not null").await, 0);
    }

    async fn a_large_organization_is_deleted_in_batches(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        app.joins(ada.organization_id(), "bob@acme.example").await;
        fills(&app, &ada, 1100).await;
        ada.delete(&ada.organization_path("")).json(&json!({"name": "Acme"})).await.expect(200);
        assert_eq!(app.db.count("select count(*) from memberships").await, 0);
        assert_eq!(app.db.count("select count(*) from organizations").await, 0);
        let batches = "select count(*) from audit where detail like '%membersRemoved%'";
        assert_eq!(app.db.count(batches).await, 3);
    }

    async fn both_ends_require_a_recent_proof(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        app.advance(TimeDelta::minutes(16));
        let name = json!({"name": "Acme"});
        for call in [ada.delete("/api/auth/account"), ada.delete(&ada.organization_path("")).json(&name)] {
            call.await.refused_with(403, "reauthentication_required");
        }
        ada.reauthenticates(&json!({"password": PASSWORD})).await.expect(200);
        ada.delete(&ada.organization_path("")).json(&name).await.expect(200);
        let ada = ada.signs_in_again().await;
        ada.delete("/api/auth/account").await.expect(200);
    }

    async fn of_a_person_removed_from_slack_only_ids_are_left(app: SlackApp) {
        let owner = app.arrives("owner").await.token().to_owned();
        let member = app.signs_in("member").await;
        let path = format!("/api/users/{}", member["id"].as_str().unwrap());
        app.client.delete(&path).bearer(&owner).await.expect(200);
        assert_eq!(app.db.count("select count(*) from users").await, 1);
        assert_eq!(app.db.count("select count(*) from identities").await, 1);
        assert_eq!(app.db.count("select count(*) from removed_identities").await, 1);
        app.arrives("member").await.failed_with("not_allowed");
    }

    async fn a_person_of_slack_who_deletes_the_account_may_come_back_as_new(app: SlackApp) {
        app.signs_in("owner").await;
        let token = app.arrives("member").await.token().to_owned();
        let before = app.me(&token).await;
        app.client.delete("/api/auth/account").bearer(&token).await.expect(200);
        assert_eq!(app.db.count("select count(*) from identities").await, 1);
        assert_ne!(app.signs_in("member").await["id"], before["id"]);
    }
}

/// Adds members by SQL.
async fn fills(app: &TestApp, admin: &Actor, count: u32) {
    let organization = app.db.id(admin.organization_id());
    for n in 0..count {
        let id = app
            .db
            .id(&uuid::Uuid::from_u128(u128::from(n) + 1).to_string());
        let row = format!(
            "insert into users (id, name, ver, pv, session_ver, created_at, updated_at)
                 select {id}, 'x', 0, 0, 0, created_at, updated_at from users where email = '{}';
             insert into memberships (user_id, organization_id, role, created_at, updated_at)
                 select {id}, {organization}, 'employee', created_at, updated_at from users where email = '{}';",
            admin.email, admin.email
        );
        app.db.execute(&row).await;
    }
}

/// How many rows of any table contain the text.
async fn mentions(app: &TestApp, text: &str) -> i64 {
    let mut count = 0;
    for (table, column) in [
        ("users", "email"),
        ("outbox", "recipient"),
        ("one_time_tokens", "payload"),
        ("invitations", "email"),
        ("audit", "coalesce(detail, '') || coalesce(reason, '')"),
        ("failed_attempts", "account"),
    ] {
        let select = format!("select count(*) from {table} where {column} like '%{text}%'");
        count += app.db.count(&select).await;
    }
    count
}
