//! The members of an organization, and how a membership ends.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Actor, Db, PASSWORD, TestApp, eventually, on_both_databases};

on_both_databases! {
    async fn managers_and_admins_see_the_members(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        let grace = app.joins_invited(&ada, "grace@acme.example", "manager").await;
        app.signs_up("Other", "eve@other.example").await;
        let path = ada.organization_path("/members");
        let list = ada.get(&path).await.expect(200);
        let mut seen: Vec<(&str, &str)> = list["members"]
            .as_array()
            .unwrap()
            .iter()
            .map(|member| (member["email"].as_str().unwrap(), member["role"].as_str().unwrap()))
            .collect();
        seen.sort_unstable();
        assert_eq!(
            seen,
            [
                ("ada@acme.example", "admin"),
                ("bob@acme.example", "employee"),
                ("grace@acme.example", "manager"),
            ]
        );
        let first = list["members"][0].as_object().unwrap();
        let mut fields: Vec<&str> = first.keys().map(String::as_str).collect();
        fields.sort_unstable();
        assert_eq!(fields, ["email", "id", "joinedAt", "name", "role"]);
        assert_eq!(list["nextCursor"], Value::Null);
        assert_eq!(grace.get(&path).await.expect(200), list);
        bob.get(&path).await.refused(403, "Forbidden");
    }

    async fn pages_list_each_member_once(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        for n in 0..5 {
            app.joins(ada.organization_id(), &format!("bob{n}@acme.example")).await;
        }
        let mut seen = Vec::new();
        let mut more = String::new();
        for size in [4, 2] {
            let path = ada.organization_path(&format!("/members?limit=4{more}"));
            let page = ada.get(&path).await.expect(200);
            let members = page["members"].as_array().unwrap();
            assert_eq!(members.len(), size);
            seen.extend(members.iter().map(|member| member["id"].as_str().unwrap().to_owned()));
            more = match page["nextCursor"].as_str() {
                Some(cursor) => format!("&cursor={cursor}"),
                None => String::new(),
            };
        }
        assert_eq!(more, "");
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 6);
        for (query, field) in [
            ("limit=0", "limit"),
            ("limit=101", "limit"),
            ("limit=x", "limit"),
            ("limit=", "limit"),
            ("limit=1&limit=2", "limit"),
            ("cursor=nonsense", "cursor"),
        ] {
            let path = ada.organization_path(&format!("/members?{query}"));
            ada.get(&path).await.refused_fields(&[field]);
        }
        ada.get(&ada.organization_path("/members?limit=100")).await.expect(200);
    }

    async fn an_admin_removes_a_member_whose_account_stays(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        let again = bob.signs_in_again().await;
        bob.me().await.expect(200);
        let path = ada.organization_path(&format!("/members/{}", bob.id()));
        let done = ada.delete(&path).header("x-request-id", "removes").await.expect(200);
        assert_eq!(done, json!({"success": true}));
        for session in [&bob, &again] {
            session.me().await.refused(401, "Token revoked");
            session.refreshes().await.refused(401, "Token revoked");
        }
        assert_eq!(app.logs_in(&bob.email, PASSWORD).await.user["organizationId"], json!(null));
        assert_eq!(app.db.count("select count(*) from users").await, 2);
        ada.delete(&path).await.refused(404, "User not found");
        is_audited(&app, "removes", "membership.removed", &ada, &bob).await;
        ada.me().await.expect(200);

        // A person who joins again starts from scratch.
        ada.invites(&bob.email, "employee").await.expect(201);
        let token = app.mailed_token(&bob.email, "invitation").await;
        let form = format!("token={token}&password={PASSWORD}");
        let page = app.post("/accept-invitation").body("application/x-www-form-urlencoded", form).await;
        assert_eq!(page.status, 200, "{}", page.text());
        for session in [&bob, &again] {
            session.me().await.refused(401, "Token revoked");
        }
        bob.signs_in_again().await.me().await.expect(200);
    }

    async fn a_member_leaves_and_keeps_other_memberships(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let mut bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        let at_acme = bob.signs_in_again().await;
        let beta = app.registers("Beta", "eve@beta.example").await;
        let joined = bob.post(&format!("/api/organizations/{}/join", beta.id)).await.expect(200);
        bob.takes_token(&joined);

        at_acme
            .delete(&at_acme.organization_path("/members/me"))
            .header("x-request-id", "leaves")
            .await
            .expect(200);
        at_acme.me().await.refused(401, "Token revoked");
        // The session that acts for another organization continues.
        assert_eq!(bob.me().await.expect(200)["organizationId"], beta.id);
        let back = json!({"organizationId": ada.organization_id()});
        bob.post("/api/auth/refresh").json(&back).await.refused(404, "Organization not found");
        is_audited(&app, "leaves", "membership.left", &at_acme, &bob).await;
    }

    async fn an_old_token_for_the_organization_ends_with_the_membership(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        let beta = app.registers("Beta", "eve@beta.example").await;
        // The session now acts for Beta, while the token in hand still names Acme.
        let joined = bob.post(&format!("/api/organizations/{}/join", beta.id)).await.expect(200);
        bob.me().await.expect(200);
        let path = ada.organization_path(&format!("/members/{}", bob.id()));
        ada.delete(&path).await.expect(200);
        bob.me().await.refused(401, "Token revoked");
        let token = joined["accessToken"].as_str().unwrap();
        app.get("/api/auth/me").bearer(token).await.expect(200);
    }

    async fn only_an_admin_removes_others(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        let grace = app.joins_invited(&ada, "grace@acme.example", "manager").await;
        let eve = app.signs_up("Evil", "eve@evil.example").await;
        for victim in [ada.id(), bob.id(), grace.id(), "nonsense"] {
            for member in [&bob, &grace] {
                if member.id() != victim {
                    let path = ada.organization_path(&format!("/members/{victim}"));
                    member.delete(&path).await.refused(403, "Forbidden");
                }
            }
            let path = ada.organization_path(&format!("/members/{victim}"));
            eve.delete(&path).await.refused(404, "Organization not found");
            let at_home = eve.organization_path(&format!("/members/{victim}"));
            eve.delete(&at_home).await.refused(404, "User not found");
        }
        assert_eq!(app.db.count("select count(*) from memberships").await, 4);
        grace.delete(&grace.organization_path("/members/me")).await.expect(200);
        bob.delete(&bob.organization_path(&format!("/members/{}", bob.id()))).await.expect(200);
        assert_eq!(app.db.count("select count(*) from memberships").await, 2);
    }

    async fn reports_of_a_removed_manager_have_no_manager(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        let grace = app.joins_invited(&ada, "grace@acme.example", "manager").await;
        app.db
            .execute(&format!(
                "update memberships set manager_id = {} where user_id = {}",
                app.db.id(grace.id()),
                app.db.id(bob.id())
            ))
            .await;
        ada.delete(&ada.organization_path(&format!("/members/{}", grace.id()))).await.expect(200);
        let managed = "select count(*) from memberships where manager_id is not null";
        assert_eq!(app.db.count(managed).await, 0);
        bob.me().await.expect(200);
    }

    async fn the_last_admin_cannot_leave(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let grace = app.joins_invited(&ada, "grace@acme.example", "admin").await;
        let leave = ada.organization_path("/members/me");
        grace.delete(&ada.organization_path(&format!("/members/{}", grace.id()))).await.expect(200);
        let refused = ada.delete(&leave).await;
        refused.refused(409, "The last admin must stay");
        assert_eq!(refused.header("x-error-code"), Some("last_admin"));
        ada.me().await.expect(200);

        // A disabled admin does not count.
        let eve = app.joins_invited(&ada, "eve@acme.example", "admin").await;
        app.db.execute("update users set disabled_at = created_at where email = 'eve@acme.example'").await;
        ada.delete(&leave).await.refused(409, "The last admin must stay");
        app.db.execute("update users set disabled_at = null").await;
        ada.delete(&leave).await.expect(200);
        assert_eq!(eve.me().await.expect(200)["role"], "admin");
    }

    async fn of_admins_who_leave_at_once_one_stays(app: TestApp) {
        for round in 0..5 {
            let ada = app.signs_up("Acme", &format!("ada{round}@acme.example")).await;
            let mut admins = vec![ada.clone()];
            for n in 0..4 {
                let email = format!("admin{round}-{n}@acme.example");
                admins.push(app.joins_invited(&ada, &email, "admin").await);
            }
            // Some leave, some remove each other, in a ring.
            let next = |n: usize| admins[(n + 1) % admins.len()].id().to_owned();
            let goings = admins.iter().enumerate().map(|(n, admin)| {
                let whom = if n % 2 == 0 { "me".to_owned() } else { next(n) };
                let path = admin.organization_path(&format!("/members/{whom}"));
                async move { admin.delete(&path).await.status.as_u16() }
            });
            for status in join_all(goings).await {
                assert!([200, 401, 404, 409].contains(&status), "{status}");
            }
            assert!(admins_of(&app, &ada).await >= 1);
            // And when everyone left tries to leave.
            let leaving = admins.iter().map(async |admin: &Actor| {
                admin.delete(&admin.organization_path("/members/me")).await.status.as_u16()
            });
            let statuses = join_all(leaving).await;
            assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 1, "{statuses:?}");
            assert_eq!(admins_of(&app, &ada).await, 1);
        }
    }
}

/// A removal at one instance takes effect at another within the promised second.
#[actix_web::test]
async fn another_instance_learns_of_a_removal() {
    let Some(db) = Db::postgres().await else {
        return;
    };
    let here = TestApp::start(db).await;
    let there = here.second_instance().await;
    let ada = here.signs_up("Acme", "ada@acme.example").await;
    let bob = here.joins(ada.organization_id(), "bob@acme.example").await;
    bob.at(&there).me().await.expect(200);
    let path = ada.organization_path(&format!("/members/{}", bob.id()));
    ada.delete(&path).await.expect(200);
    let took = eventually("the removed person is refused elsewhere", async || {
        bob.at(&there).me().await.status == 401
    })
    .await;
    eprintln!(
        "a removal takes effect elsewhere after {} ms",
        took.as_millis()
    );
}

async fn admins_of(app: &TestApp, member: &Actor) -> i64 {
    let id = app.db.id(member.organization_id());
    let admins =
        format!("select count(*) from memberships where organization_id = {id} and role = 'admin'");
    app.db.count(&admins).await
}

async fn is_audited(app: &TestApp, request_id: &str, action: &str, actor: &Actor, whom: &Actor) {
    let rows = format!("select count(*) from audit where request_id = '{request_id}'");
    assert_eq!(app.db.count(&rows).await, 1);
    let row = format!(
        "{rows} and action = '{action}' and outcome = 'ok' and actor_id = {} and subject_id = {}
         and organization_id = {}",
        app.db.id(actor.id()),
        app.db.id(whom.id()),
        app.db.id(actor.organization_id()),
    );
    assert_eq!(app.db.count(&row).await, 1);
}
