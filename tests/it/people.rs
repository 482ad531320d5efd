//! Who sees whom.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Actor, Db, TestApp, on_both_databases};

const UNKNOWN: &str = "01939f2e-0000-7000-8000-000000000000";

/// Ada is the admin; Grace, a manager, reports to her; Mia, a manager, to Grace; Alan to Mia; Emmy to no one. They
/// joined in this order, a second apart.
pub struct Staff {
    pub ada: Actor,
    pub grace: Actor,
    pub mia: Actor,
    pub alan: Actor,
    pub emmy: Actor,
}

impl Staff {
    pub async fn of(app: &TestApp) -> Self {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let joins = async |name: &str| {
            app.advance(TimeDelta::seconds(1));
            app.joins(ada.organization_id(), &format!("{name}@acme.example"))
                .await
        };
        let staff = Self {
            grace: joins("grace").await,
            mia: joins("mia").await,
            alan: joins("alan").await,
            emmy: joins("emmy").await,
            ada,
        };
        let Self {
            ada,
            grace,
            mia,
            alan,
            ..
        } = &staff;
        for (whom, role, manager) in [
            (grace, "manager", ada),
            (mia, "manager", grace),
            (alan, "employee", mia),
        ] {
            let place = json!({"role": role, "managerId": manager.id()});
            app.advance(TimeDelta::seconds(1));
            ada.changes(whom, place).await.expect(200);
        }
        app.advance(TimeDelta::seconds(1));
        staff
    }
}

on_both_databases! {
    async fn each_role_sees_exactly_the_people_it_may_see(app: TestApp) {
        let staff = Staff::of(&app).await;
        app.signs_up("Beta", "bob@beta.example").await;
        let Staff { ada, grace, mia, alan, emmy } = &staff;
        let all = [ada, grace, mia, alan, emmy];
        for (caller, visible) in [
            (ada, &all[..]),
            (grace, &[grace, mia, alan][..]),
            (mia, &[mia, alan][..]),
            (alan, &[alan][..]),
            (emmy, &[emmy][..]),
        ] {
            let seen: Vec<&str> = visible.iter().map(|actor| actor.email.as_str()).collect();
            assert_eq!(caller.sees().await, seen, "{}", caller.email);
            for whom in all {
                let answer = caller.get(&format!("/api/users/{}", whom.id())).await;
                if seen.contains(&whom.email.as_str()) {
                    assert_eq!(answer.expect(200)["email"], whom.email.as_str());
                } else {
                    answer.refused(403, "Forbidden");
                }
            }
        }
    }

    async fn a_person_is_shown_with_role_manager_and_state(app: TestApp) {
        let staff = Staff::of(&app).await;
        let alan = staff.ada.get(&format!("/api/users/{}", staff.alan.id())).await.expect(200);
        assert_eq!(
            alan,
            json!({
                "id": staff.alan.id(),
                "email": "alan@acme.example",
                "name": "Bob Byte",
                "role": "employee",
                "organizationId": staff.ada.organization_id(),
                "managerId": staff.mia.id(),
                "disabled": false,
                "lockedUntil": null,
                "createdAt": alan["createdAt"],
            })
        );
        let list = staff.alan.get("/api/users").await.expect(200);
        let mut alan = alan;
        alan.as_object_mut().unwrap().remove("lockedUntil");
        assert_eq!(list, json!({"users": [alan], "nextCursor": null}));
        app.get("/api/users").await.refused(401, "Authentication required");
    }

    async fn people_of_other_organizations_and_invalid_ids_are_not_found(app: TestApp) {
        let staff = Staff::of(&app).await;
        let bob = app.signs_up("Beta", "bob@beta.example").await;
        for id in [bob.id(), UNKNOWN, "nonsense", "../users"] {
            let path = format!("/api/users/{}", id.replace('/', "%2f"));
            for caller in [&staff.ada, &staff.grace, &staff.alan] {
                let answer = caller.get(&path).await;
                assert_eq!(answer.status, 404, "{path}: {}", answer.text());
                caller.patch(&path).json(&json!({"name": "Eve"})).await.refused(404, "User not found");
                caller.delete(&path).await.refused(404, "User not found");
            }
        }
        assert_eq!(bob.me().await.expect(200), bob.user);
    }

    async fn pages_follow_each_other_without_gaps_or_repetitions(app: TestApp) {
        let staff = Staff::of(&app).await;
        for n in 0..4 {
            app.joins(staff.ada.organization_id(), &format!("more{n}@acme.example")).await;
        }
        let whole = staff.ada.get("/api/users").await.expect(200);
        let whole = whole["users"].as_array().unwrap();
        assert_eq!(whole.len(), 9);
        for limit in [1, 2, 4, 8, 9, 100] {
            let mut seen: Vec<Value> = Vec::new();
            let mut cursor = String::new();
            loop {
                let path = format!("/api/users?limit={limit}{cursor}");
                let page = staff.ada.get(&path).await.expect(200);
                let users = page["users"].as_array().unwrap();
                assert!((1..=limit).contains(&users.len()), "{page}");
                seen.extend(users.iter().cloned());
                match page["nextCursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
            assert_eq!(&seen, whole, "limit {limit}");
        }
        // A manager sees pages of their own reports only.
        let first = staff.grace.get("/api/users?limit=2").await.expect(200);
        let next = first["nextCursor"].as_str().unwrap();
        let second = staff.grace.get(&format!("/api/users?limit=2&cursor={next}")).await.expect(200);
        assert_eq!(second["users"][0]["id"], staff.alan.id());
        assert_eq!(second["nextCursor"], Value::Null);
    }

    async fn a_search_matches_parts_of_names_and_addresses_without_wildcards(app: TestApp) {
        let staff = Staff::of(&app).await;
        staff.ada.changes(&staff.alan, json!({"name": "Alan 100%_Turing\\"})).await.expect(200);
        for (q, found) in [
            ("ALAN@acme", 1),
            ("turing", 1),
            ("TURING", 1),
            ("0%25_", 1),
            ("_", 1),
            ("%25", 1),
            ("%5C", 1),
            ("acme.example", 5),
            ("nobody", 0),
            ("'", 0),
        ] {
            let list = staff.ada.get(&format!("/api/users?q={q}")).await.expect(200);
            assert_eq!(list["users"].as_array().unwrap().len(), found, "{q}: {list}");
        }
        // A search does not extend anyone's scope.
        let list = staff.mia.get("/api/users?q=acme").await.expect(200);
        assert_eq!(list["users"].as_array().unwrap().len(), 2);
        let list = staff.alan.get("/api/users?q=emmy").await.expect(200);
        assert_eq!(list["users"], json!([]));
    }

    async fn an_invalid_query_parameter_is_named(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let long = "x".repeat(101);
        for (query, fields) in [
            ("limit=0", &["limit"][..]),
            ("limit=101", &["limit"][..]),
            ("limit=ten", &["limit"][..]),
            ("limit=&cursor=x", &["cursor", "limit"][..]),
            ("cursor=nonsense", &["cursor"][..]),
            ("cursor=AZqfLl0bSiCcPWSx4PeowB", &["cursor"][..]),
            ("q=a%00b", &["q"][..]),
            (&format!("q={long}"), &["q"][..]),
            ("limit=0&cursor=x", &["cursor", "limit"][..]),
            ("limit=1&limit=2", &["limit"][..]),
        ] {
            ada.get(&format!("/api/users?{query}")).await.refused_fields(fields);
        }
        // Every name contains the empty text.
        let everybody = ada.get("/api/users?limit=1&cursor=&q=").await.expect(200);
        assert_eq!(everybody["users"], json!([ada.get("/api/users").await.expect(200)["users"][0]]));
    }

    async fn the_migration_builds_reporting_lines_even_from_a_cycle(app: TestApp) {
        let Staff { ada, grace, mia, alan, .. } = &Staff::of(&app).await;
        let (up, down) = match &app.db {
            Db::Sqlite { .. } => (
                include_str!("../../migrations/sqlite/2026-11-22-230301_reporting_lines/up.sql"),
                include_str!("../../migrations/sqlite/2026-11-22-230301_reporting_lines/down.sql"),
            ),
            Db::Postgres { .. } => (
                include_str!("../../migrations/postgres/2026-11-22-230301_reporting_lines/up.sql"),
                include_str!("../../migrations/postgres/2026-11-22-230301_reporting_lines/down.sql"),
            ),
        };
        let lines = async || {
            app.db
                .values(
                    "select m.email || '>' || u.email as v from reporting_lines l
                     join users m on m.id = l.manager_id join users u on u.id = l.user_id order by 1",
                )
                .await
        };
        let kept = lines().await;
        assert_eq!(kept.len(), 5 + 3 + 2 + 1, "{kept:?}");
        app.db.execute(down).await;
        app.db.execute(up).await;
        assert_eq!(lines().await, kept);

        // No endpoint creates a cycle, but an operator with SQL can.
        app.db.execute(down).await;
        let circle = "update memberships set manager_id = (select id from users where email = 'alan@acme.example')
             where user_id = (select id from users where email = 'grace@acme.example')";
        app.db.execute(circle).await;
        app.db.execute(up).await;
        assert_eq!(grace.sees().await, [&*grace.email, &mia.email, &alan.email]);
        assert_eq!(mia.sees().await, [&*grace.email, &mia.email, &alan.email]);
        assert_eq!(ada.sees().await.len(), 5);
    }

    async fn a_member_of_two_organizations_is_shown_to_each_with_its_own_role(app: TestApp) {
        let staff = Staff::of(&app).await;
        let bob = app.signs_up("Beta", "bob@beta.example").await;
        let alone = json!({"managerId": null});
        staff.ada.changes(&staff.alan, alone).await.expect(200);
        staff.alan.also_belongs_to(&app, bob.organization_id(), "admin").await;
        let back = json!({"managerId": staff.mia.id()});
        staff.ada.changes(&staff.alan, back).await.expect(200);
        let there = bob.get(&format!("/api/users/{}", staff.alan.id())).await.expect(200);
        assert_eq!((&there["role"], &there["managerId"]), (&json!("admin"), &Value::Null));
        let here = staff.ada.get(&format!("/api/users/{}", staff.alan.id())).await.expect(200);
        assert_eq!((&here["role"], &here["managerId"]), (&json!("employee"), &json!(staff.mia.id())));
        assert_eq!(bob.sees().await, ["alan@acme.example", "bob@beta.example"]);
    }
}
