//! Who may change what about whom, and that it takes effect at once.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::people::Staff;
use crate::support::{Actor, Db, PASSWORD, TestApp, eventually, on_both_databases};

on_both_databases! {
    async fn a_name_is_changed_by_its_owner_by_managers_above_and_by_admins(app: TestApp) {
        let Staff { ada, grace, mia, alan, emmy } = &Staff::of(&app).await;
        for (caller, name) in [(alan, "Alan"), (mia, "A. Turing"), (grace, "Alan M."), (ada, "Alan T.")] {
            assert_eq!(caller.changes(alan, json!({"name": name})).await.expect(200)["name"], name);
            assert_eq!(alan.me().await.expect(200)["name"], name);
        }
        for (caller, whom) in [(mia, grace), (emmy, alan), (alan, mia), (grace, emmy)] {
            caller.changes(whom, json!({"name": "Eve"})).await.refused(403, "Forbidden");
        }
        ada.changes(alan, json!({"name": ""})).await.refused_fields(&["name"]);
    }

    async fn only_admins_change_roles_managers_and_disabled_state(app: TestApp) {
        let Staff { ada, grace, mia, alan, emmy } = &Staff::of(&app).await;
        let before = people(&app).await;
        for how in [
            json!({"role": "admin"}),
            json!({"role": "employee"}),
            json!({"managerId": null}),
            json!({"disabled": true}),
            json!({"disabled": false}),
            json!({"name": "Eve", "role": "manager"}),
        ] {
            for (caller, whom) in [(grace, mia), (grace, grace), (mia, alan), (alan, alan), (emmy, ada)] {
                caller.changes(whom, how.clone()).await.refused(403, "Forbidden");
            }
        }
        for (caller, whom) in [(grace, alan), (mia, mia), (alan, alan)] {
            caller.delete(&format!("/api/users/{}", whom.id())).await.refused(403, "Forbidden");
        }
        assert_eq!(people(&app).await, before);
        let changed = ada.changes(alan, json!({"role": "manager", "managerId": null})).await.expect(200);
        assert_eq!((&changed["role"], &changed["managerId"]), (&json!("manager"), &Value::Null));
    }

    async fn a_new_role_applies_to_the_next_request(app: TestApp) {
        let Staff { ada, grace, alan, .. } = &Staff::of(&app).await;
        let alans = format!("/api/users/{}", alan.id());
        assert_eq!(grace.me().await.expect(200)["role"], "manager");
        grace.get(&alans).await.expect(200);

        ada.changes(grace, json!({"role": "employee"})).await.expect(200);
        grace.get(&alans).await.refused(403, "Forbidden");
        assert_eq!(grace.me().await.expect(200)["role"], "employee");

        ada.changes(grace, json!({"role": "admin"})).await.expect(200);
        assert_eq!(grace.sees().await.len(), 5);
        // Someone who lost the right cannot give it back to themselves.
        grace.changes(ada, json!({"role": "employee"})).await.expect(200);
        ada.changes(ada, json!({"role": "admin"})).await.refused(403, "Forbidden");
    }

    async fn a_disabled_account_is_signed_out_at_once_and_can_be_enabled_again(app: TestApp) {
        let Staff { ada, alan, .. } = &Staff::of(&app).await;
        let elsewhere = alan.signs_in_again().await;
        let service = alan.as_a_service("employee").await;
        service.me().await.expect(200);

        let changed = ada.changes(alan, json!({"disabled": true})).await.expect(200);
        assert_eq!(changed["disabled"], true);
        for token in [alan, &elsewhere, &service] {
            token.me().await.refused(401, "Token revoked");
        }
        app.tries_to_log_in(&alan.email, PASSWORD).await.refused(401, "Invalid credentials");
        assert!(ada.sees().await.contains(&alan.email));

        let changed = ada.changes(alan, json!({"disabled": false})).await.expect(200);
        assert_eq!(changed["disabled"], false);
        app.logs_in(&alan.email, PASSWORD).await.me().await.expect(200);
        // Ended sessions stay ended.
        for token in [alan, &elsewhere, &service] {
            token.me().await.refused(401, "Token revoked");
        }
    }

    async fn an_account_of_two_organizations_cannot_be_disabled_by_either(app: TestApp) {
        let Staff { ada, alan, .. } = &Staff::of(&app).await;
        let bob = app.signs_up("Beta", "bob@beta.example").await;
        ada.changes(alan, json!({"managerId": null})).await.expect(200);
        alan.also_belongs_to(&app, bob.organization_id(), "employee").await;
        for admin in [ada, &bob] {
            let answer = admin.changes(alan, json!({"disabled": true, "name": "Gone"})).await;
            answer.refused(409, "Member of another organization");
        }
        assert_eq!(alan.me().await.expect(200)["name"], "Bob Byte");
    }

    async fn only_the_admins_of_a_persons_only_organization_rename_them(app: TestApp) {
        let Staff { ada, grace, mia, alan, .. } = &Staff::of(&app).await;
        let bob = app.signs_up("Beta", "bob@beta.example").await;
        ada.changes(alan, json!({"managerId": null})).await.expect(200);
        alan.also_belongs_to(&app, bob.organization_id(), "employee").await;
        ada.changes(alan, json!({"managerId": mia.id()})).await.expect(200);
        for superior in [ada, &bob, grace, mia] {
            let before = people(&app).await;
            let answer = superior.changes(alan, json!({"name": "Eve", "role": "manager"})).await;
            if superior.id() == ada.id() || superior.id() == bob.id() {
                answer.refused(409, "Member of another organization");
            } else {
                answer.refused(403, "Forbidden");
            }
            if superior.id() != bob.id() {
                superior.changes(alan, json!({"name": "Eve"})).await.refused(409, "Member of another organization");
            }
            assert_eq!(people(&app).await, before);
        }
        // Their place in each organization is the admins' to change, and the name their own.
        assert_eq!(bob.changes(alan, json!({"role": "manager"})).await.expect(200)["role"], "manager");
        assert_eq!(ada.changes(alan, json!({"role": "manager"})).await.expect(200)["role"], "manager");
        assert_eq!(alan.changes(alan, json!({"name": "Alan"})).await.expect(200)["name"], "Alan");
        // The name they have is no change.
        assert_eq!(bob.changes(alan, json!({"name": "Alan"})).await.expect(200)["name"], "Alan");
    }

    async fn an_admin_of_one_organization_enables_no_account_of_two(app: TestApp) {
        let Staff { ada, emmy, .. } = &Staff::of(&app).await;
        let bob = app.signs_up("Beta", "bob@beta.example").await;
        emmy.also_belongs_to(&app, bob.organization_id(), "employee").await;
        app.disables(&emmy.email).await;
        for admin in [ada, &bob] {
            admin.changes(emmy, json!({"disabled": false})).await.refused(409, "Member of another organization");
        }
    }

    async fn a_removed_person_is_signed_out_and_leaves_no_account(app: TestApp) {
        let Staff { ada, grace, mia, alan, .. } = &Staff::of(&app).await;
        let service = mia.as_a_service("manager").await;
        service.me().await.expect(200);
        let path = format!("/api/users/{}", mia.id());
        assert_eq!(ada.delete(&path).await.expect(200), json!({"success": true}));

        mia.me().await.refused(401, "Token revoked");
        assert_eq!(service.me().await.status, 401);
        app.tries_to_log_in(&mia.email, PASSWORD).await.refused(401, "Invalid credentials");
        ada.get(&path).await.refused(404, "User not found");
        ada.delete(&path).await.refused(404, "User not found");
        assert_eq!(app.db.count("select count(*) from users where email = 'mia@acme.example'").await, 0);
        // Alan reported to her, and through her to Grace.
        let left = ada.get(&format!("/api/users/{}", alan.id())).await.expect(200);
        assert_eq!(left["managerId"], Value::Null);
        assert_eq!(grace.sees().await, ["grace@acme.example"]);
        // Her audit rows stay.
        let hers = format!("select count(*) from audit where actor_id = {}", app.db.id(mia.id()));
        assert!(app.db.count(&hers).await > 0);
        app.joins(ada.organization_id(), &mia.email).await.me().await.expect(200);
    }

    async fn a_person_with_other_memberships_keeps_account_and_sessions_there(app: TestApp) {
        let Staff { ada, alan, .. } = &Staff::of(&app).await;
        app.advance(TimeDelta::seconds(1));
        let bob = app.signs_up("Beta", "bob@beta.example").await;
        ada.changes(alan, json!({"managerId": null})).await.expect(200);
        alan.also_belongs_to(&app, bob.organization_id(), "employee").await;
        let mut there = alan.signs_in_again().await;
        let switched = there
            .post("/api/auth/refresh")
            .json(&json!({"organizationId": bob.organization_id()}))
            .await;
        there.takes_token(&switched.expect(200));

        ada.delete(&format!("/api/users/{}", alan.id())).await.expect(200);
        alan.me().await.refused(401, "Token revoked");
        there.me().await.expect(200);
        assert_eq!(app.logs_in(&alan.email, PASSWORD).await.organization_id(), bob.organization_id());
        assert!(bob.sees().await.contains(&alan.email));
    }

    async fn the_last_admin_cannot_be_demoted_disabled_or_removed(app: TestApp) {
        let Staff { ada, grace, .. } = &Staff::of(&app).await;
        let path = format!("/api/users/{}", ada.id());
        // A disabled admin does not count.
        ada.changes(grace, json!({"role": "admin"})).await.expect(200);
        ada.changes(grace, json!({"disabled": true})).await.expect(200);
        let before = people(&app).await;
        for how in [json!({"role": "manager"}), json!({"disabled": true, "name": "Gone"})] {
            ada.changes(ada, how).await.refused(409, "The last admin must stay");
        }
        ada.delete(&path).await.refused(409, "The last admin must stay");
        assert_eq!(people(&app).await, before);

        ada.changes(grace, json!({"disabled": false})).await.expect(200);
        ada.changes(ada, json!({"role": "employee"})).await.expect(200);
        ada.delete(&path).await.refused(403, "Forbidden");
        let grace = grace.signs_in_again().await;
        grace.changes(ada, json!({"role": "admin"})).await.expect(200);
        ada.delete(&path).await.expect(200);
        ada.me().await.refused(401, "Token revoked");
    }

    async fn of_two_admins_who_demote_or_remove_each_other_at_once_one_stays(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        for round in 0..6 {
            ada.changes(&bob, json!({"role": "admin"})).await.expect(200);
            bob.me().await.expect(200);
            let demotes = |caller: &Actor, whom: &Actor| {
                caller.patch(&format!("/api/users/{}", whom.id())).json(&json!({"role": "employee"})).into_future()
            };
            let calls = match round % 2 {
                0 => [demotes(&ada, &bob), demotes(&bob, &ada)],
                _ => [demotes(&ada, &ada), demotes(&bob, &bob)],
            };
            let answers = join_all(calls).await;
            let done = answers.iter().filter(|answer| answer.status == 200).count();
            assert_eq!(done, 1, "{:?}", answers.iter().map(crate::support::Answer::text).collect::<Vec<_>>());
            let admins = "select count(*) from memberships where role = 'admin'";
            assert_eq!(app.db.count(admins).await, 1);
            if bob.me().await.expect(200)["role"] == "admin" {
                bob.changes(&ada, json!({"role": "admin"})).await.expect(200);
                ada.changes(&bob, json!({"role": "employee"})).await.expect(200);
            }
        }
    }

    async fn no_one_can_report_to_themselves_directly_or_indirectly(app: TestApp) {
        let Staff { ada, grace, mia, alan, .. } = &Staff::of(&app).await;
        let before = people(&app).await;
        for (whom, manager) in [(grace, grace), (grace, mia), (grace, alan), (mia, alan), (ada, alan)] {
            let how = json!({"managerId": manager.id(), "name": "Changed"});
            ada.changes(whom, how).await.refused_fields(&["managerId"]);
        }
        let bob = app.signs_up("Beta", "bob@beta.example").await;
        for id in [bob.id(), "01939f2e-0000-7000-8000-000000000000", "nonsense"] {
            ada.changes(alan, json!({"managerId": id})).await.refused_fields(&["managerId"]);
        }
        ada.changes(alan, json!({"managerId": 7})).await.refused_fields(&["managerId"]);
        let now = people(&app).await;
        assert!(before.iter().all(|row| now.contains(row)));
    }

    async fn concurrent_manager_changes_make_no_cycle(app: TestApp) {
        let Staff { ada, grace, emmy, .. } = &Staff::of(&app).await;
        for _ in 0..6 {
            let below = |whom: &Actor, manager: &Actor| {
                ada.patch(&format!("/api/users/{}", whom.id())).json(&json!({"managerId": manager.id()})).into_future()
            };
            let answers = join_all([below(grace, emmy), below(emmy, grace)]).await;
            let done: Vec<_> = answers.iter().map(|answer| answer.status.as_u16()).collect();
            assert!(done.contains(&200) && done.contains(&400), "{done:?}");
            for whom in [grace, emmy] {
                ada.changes(whom, json!({"managerId": null})).await.expect(200);
            }
        }
    }

    async fn people_who_move_keep_their_reports(app: TestApp) {
        let Staff { ada, grace, mia, alan, emmy } = &Staff::of(&app).await;
        ada.changes(emmy, json!({"role": "manager"})).await.expect(200);
        assert_eq!(grace.sees().await, [&*grace.email, &mia.email, &alan.email]);
        ada.changes(mia, json!({"managerId": emmy.id()})).await.expect(200);
        assert_eq!(grace.sees().await, [&*grace.email]);
        assert_eq!(emmy.sees().await, [&*mia.email, &alan.email, &emmy.email]);
        ada.changes(emmy, json!({"managerId": grace.id()})).await.expect(200);
        assert_eq!(grace.sees().await, [&*grace.email, &mia.email, &alan.email, &emmy.email]);
        ada.changes(mia, json!({"managerId": null})).await.expect(200);
        assert_eq!(grace.sees().await, [&*grace.email, &emmy.email]);
        assert_eq!(mia.sees().await, [&*mia.email, &alan.email]);
    }

    async fn no_other_property_of_a_person_can_be_changed(app: TestApp) {
        let Staff { ada, alan, .. } = &Staff::of(&app).await;
        for field in ["id", "email", "organizationId", "createdAt", "password", "ver"] {
            let mut how = json!({"name": "Alan"});
            how[field] = json!("x");
            ada.changes(alan, how).await.refused_fields(&[field]);
        }
        for (field, value) in [
            ("role", json!("superadmin")), ("role", json!(7)), ("disabled", json!("yes")), ("name", json!(null)),
        ] {
            let answer = ada.changes(alan, json!({field: value})).await;
            match value {
                Value::Null => assert_eq!(answer.expect(200)["name"], "Bob Byte"),
                _ => answer.refused_fields(&[field]),
            }
        }
        assert_eq!(ada.changes(alan, json!({})).await.expect(200)["name"], "Bob Byte");
    }

    async fn each_change_leaves_one_audit_row_and_a_no_op_none(app: TestApp) {
        let Staff { ada, alan, grace, .. } = &Staff::of(&app).await;
        let everything = json!({"name": "Alan", "role": "manager", "managerId": grace.id(), "disabled": true});
        let actions = async |request_id: &str, how: &Value| {
            ada.patch(&format!("/api/users/{}", alan.id()))
                .header("x-request-id", request_id)
                .json(how)
                .await
                .expect(200);
            let rows = format!(
                "select action as v from audit where request_id = '{request_id}' and outcome = 'ok'
                 and actor_id = {} and subject_id = {} and organization_id = {} order by action",
                app.db.id(ada.id()), app.db.id(alan.id()), app.db.id(ada.organization_id()),
            );
            app.db.values(&rows).await.into_iter().flatten().collect::<Vec<_>>()
        };
        assert_eq!(actions("role", &json!({"role": "admin"})).await, ["user.role_changed"]);
        assert_eq!(
            actions("all", &everything).await,
            ["user.disabled", "user.manager_changed", "user.profile_updated", "user.role_changed"]
        );
        assert_eq!(actions("again", &everything).await, Vec::<String>::new());
        assert_eq!(actions("enabled", &json!({"disabled": false})).await, ["user.enabled"]);
        ada.delete(&format!("/api/users/{}", alan.id())).header("x-request-id", "gone").await.expect(200);
        let rows = "select action as v from audit where request_id = 'gone'";
        assert_eq!(app.db.values(rows).await, [Some("user.deleted".to_owned())]);
    }
}

/// Prints how long another instance keeps the state from before a change here.
#[actix_web::test]
async fn another_instance_learns_of_demotion_disabling_and_removal() {
    let Some(db) = Db::postgres().await else {
        return;
    };
    let here = TestApp::start(db).await;
    let there = here.second_instance().await;
    let Staff {
        ada,
        grace,
        mia,
        alan,
        ..
    } = &Staff::of(&here).await;
    for actor in [grace, mia, alan] {
        eventually("the other instance knows the roles", async || {
            actor.at(&there).me().await.expect(200)["role"] == actor.me().await.expect(200)["role"]
        })
        .await;
    }
    ada.changes(grace, json!({"role": "employee"}))
        .await
        .expect(200);
    let took = eventually("a demotion takes effect elsewhere", async || {
        grace.at(&there).me().await.expect(200)["role"] == "employee"
    })
    .await;
    eprintln!(
        "a demotion takes effect elsewhere after {} ms",
        took.as_millis()
    );

    ada.changes(mia, json!({"disabled": true}))
        .await
        .expect(200);
    let took = eventually("a deactivation takes effect elsewhere", async || {
        mia.at(&there).me().await.status == 401
    })
    .await;
    eprintln!(
        "a deactivation takes effect elsewhere after {} ms",
        took.as_millis()
    );

    ada.delete(&format!("/api/users/{}", alan.id()))
        .await
        .expect(200);
    let took = eventually("a removal takes effect elsewhere", async || {
        alan.at(&there).me().await.status == 401
    })
    .await;
    eprintln!(
        "a removal takes effect elsewhere after {} ms",
        took.as_millis()
    );
    mia.at(&there).me().await.refused(401, "Token revoked");
    // An endpoint that reads the database before the change is known finds no such person.
    assert_eq!(alan.at(&there).me().await.status, 401);
}

/// Every person's name, state and membership in the database.
async fn people(app: &TestApp) -> Vec<Option<String>> {
    app.db
        .values(
            "select u.name || u.ver || coalesce(cast(u.disabled_at as text), '-') || m.role ||
                 coalesce((select email from users where id = m.manager_id), '-') as v
             from users u join memberships m on m.user_id = u.id order by u.id",
        )
        .await
}
