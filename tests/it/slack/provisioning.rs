//! Which user, organization and role a person from Slack gets.

use futures_util::future::join_all;
use hallpass::domain::Role;
use hallpass::domain::slack::SlackFlow;
use hallpass::sandbox::slack::Endpoint;
use serde_json::json;

use crate::support::{Db, PASSWORD, SlackApp, on_both_databases};

on_both_databases! {
    async fn the_first_person_creates_the_organization_and_later_ones_join_it(app: SlackApp) {
        let owner = app.signs_in("owner").await;
        assert_eq!(owner["role"], "admin");
        assert_eq!(owner["name"], "Katherine Johnson");
        let member = app.signs_in("member").await;
        assert_eq!(member["role"], "employee");
        assert_eq!(member["organizationId"], owner["organizationId"]);
        let names = app.db.values("select name || ' ' || slug as v from organizations").await;
        assert_eq!(names, [Some("Numbers & Co numbers-co".to_owned())]);
        assert_eq!(app.db.count("select count(*) from users where password_hash is not null").await, 0);
    }

    async fn openid_connect_creates_the_same_people(db: Db) {
        let app = SlackApp::oidc(db).await;
        let member = app.signs_in("member").await;
        assert_eq!(member["role"], "admin");
        assert_eq!(member["email"], "edsger@example.com");
        assert_eq!(app.slack().calls(Endpoint::OpenIdUserInfo), 1);
        let owner = app.signs_in("owner").await;
        assert_eq!(owner["role"], "employee");
        let names = app.db.values("select name as v from organizations").await;
        assert_eq!(names, [Some("Numbers & Co".to_owned())]);
        // Known people are not looked up again, and neither are the keys.
        assert_eq!(app.slack().calls(Endpoint::OpenIdUserInfo), 1);
        assert_eq!(app.slack().calls(Endpoint::OpenIdKeys), 1);
    }

    async fn both_flows_identify_the_same_person(db: Db) {
        let mut app = SlackApp::start(db).await;
        let before = app.signs_in("member").await;
        app.0.restart_configured(|config| config.slack.as_mut().unwrap().flow = SlackFlow::Oidc).await;
        assert_eq!(app.signs_in("member").await, before);
    }

    async fn a_returning_person_is_recognized_after_an_address_change(app: SlackApp) {
        let before = app.signs_in("member").await;
        app.slack().change_persona("member", |persona| {
            persona.email = Some("dijkstra@example.com");
            persona.is_admin = true;
        });
        let after = app.signs_in("member").await;
        assert_eq!(before, after);
        let sessions = "select count(*) from sessions";
        assert_eq!(app.db.count(sessions).await, 2);
    }

    async fn the_first_role_is_configurable_but_an_owner_is_always_admin(db: Db) {
        let app = SlackApp::configured(db, |slack| slack.first_user_role = Role::Manager).await;
        assert_eq!(app.signs_in("member").await["role"], "manager");
        assert_eq!(app.signs_in("owner").await["role"], "employee");
        app.slack().change_persona("second-workspace", |persona| {
            persona.is_owner = true;
            persona.email = None;
        });
        assert_eq!(app.signs_in("second-workspace").await["role"], "admin");
    }

    async fn twenty_concurrent_sign_ins_of_one_person_create_one_account(app: SlackApp) {
        let mut callbacks = Vec::new();
        for _ in 0..20 {
            callbacks.push(app.callback_of("owner").await);
        }
        let returned = join_all(callbacks.iter().map(|callback| app.follows(callback))).await;
        for returned in &returned {
            returned.token();
        }
        for (table, rows) in [
            ("organizations", 1),
            ("users", 1),
            ("memberships", 1),
            ("identities", 1),
            ("workspaces", 1),
            ("sessions", 20),
        ] {
            assert_eq!(app.db.count(&format!("select count(*) from {table}")).await, rows, "{table}");
        }
        let founded = "select count(*) from audit where action = 'organization.founded'";
        assert_eq!(app.db.count(founded).await, 1);
        assert_eq!(app.db.count("select count(*) from audit").await, 20);
    }

    async fn twenty_people_of_one_new_workspace_at_once_create_it_once(app: SlackApp) {
        let people = ["owner", "member", "no-email", "unicode", "registered"];
        let mut callbacks = Vec::new();
        for n in 0..20 {
            callbacks.push(app.callback_of(people[n % people.len()]).await);
        }
        let returned = join_all(callbacks.iter().map(|callback| app.follows(callback))).await;
        for returned in &returned {
            returned.token();
        }
        for (table, rows) in [
            ("organizations", 1), ("users", 5), ("memberships", 5), ("identities", 5), ("workspaces", 1),
        ] {
            assert_eq!(app.db.count(&format!("select count(*) from {table}")).await, rows, "{table}");
        }
        assert_eq!(app.db.count("select count(*) from memberships where role = 'admin'").await, 1);
    }

    async fn one_callback_twenty_times_at_once_signs_in_once(app: SlackApp) {
        let callback = app.callback_of("owner").await;
        let answers = join_all((0..20).map(|_| async { app.get(&callback).await })).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 302).count(), 1);
        for answer in answers.iter().filter(|answer| answer.status != 302) {
            answer.is_page(400, "sign_in_expired");
        }
        assert_eq!(app.slack().calls(Endpoint::OauthAccess), 1);
    }

    async fn guests_are_admitted_only_where_allowed(db: Db) {
        let mut app = SlackApp::start(db).await;
        app.arrives("guest").await.failed_with("not_allowed");
        app.slack().change_persona("guest", |persona| {
            persona.is_restricted = false;
            persona.is_ultra_restricted = true;
        });
        app.arrives("guest").await.failed_with("not_allowed");
        assert_eq!(app.db.count("select count(*) from users").await, 0);
        assert_eq!(app.db.count("select count(*) from audit where outcome = 'refused'").await, 2);
        app.0.restart_configured(|config| config.slack.as_mut().unwrap().allow_guests = true).await;
        app.signs_in("guest").await;
    }

    async fn members_who_became_guests_or_were_deactivated_are_refused(app: SlackApp) {
        app.signs_in("member").await;
        app.slack().change_persona("member", |persona| persona.is_restricted = true);
        app.arrives("member").await.failed_with("not_allowed");
        app.slack().change_persona("member", |persona| { persona.is_restricted = false; persona.is_deleted = true; });
        app.arrives("member").await.failed_with("not_allowed");
        app.slack().change_persona("member", |persona| { persona.is_deleted = false; persona.is_bot = true; });
        app.arrives("member").await.failed_with("not_allowed");
        app.slack().change_persona("member", |persona| persona.is_bot = false);
        app.signs_in("member").await;
    }

    async fn a_missing_or_unconfirmed_address_is_ignored(app: SlackApp) {
        assert!(app.signs_in("no-email").await["email"].is_null());
        app.slack().change_persona("member", |persona| persona.is_email_confirmed = false);
        assert!(app.signs_in("member").await["email"].is_null());
    }

    async fn names_are_kept_as_people_write_them(app: SlackApp) {
        assert_eq!(app.signs_in("unicode").await["name"], "Софья Ковалевская");
        app.slack().change_persona("member", |persona| persona.name = "\u{7}");
        assert_eq!(app.signs_in("member").await["name"], "edsger");
    }

    async fn an_org_wide_installation_makes_the_enterprise_one_organization(app: SlackApp) {
        app.signs_in("grid").await;
        let teams = app.db.values("select team_id as v from workspaces").await;
        assert_eq!(teams, [Some("E0UNION".to_owned())]);
        let names = app.db.values("select name as v from organizations").await;
        assert_eq!(names, [Some("Grand Union".to_owned())]);
    }

    async fn an_address_that_has_an_account_is_never_linked_silently(app: SlackApp) {
        app.registers("Acme", "ada@example.com").await;
        app.arrives("registered").await.failed_with("account_exists");
        assert_eq!(app.db.count("select count(*) from identities").await, 0);
        assert_eq!(app.db.count("select count(*) from organizations").await, 1);
        let refused = "select count(*) from audit where outcome = 'refused'";
        assert_eq!(app.db.count(refused).await, 1);
    }

    async fn the_same_user_id_and_address_in_another_workspace_is_another_person(app: SlackApp) {
        let owner = app.signs_in("owner").await;
        app.arrives("second-workspace").await.failed_with("account_exists");
        app.slack().change_persona("second-workspace", |persona| persona.email = Some("other@example.com"));
        let other = app.signs_in("second-workspace").await;
        assert_ne!(owner["id"], other["id"]);
        assert_ne!(owner["organizationId"], other["organizationId"]);
    }

    async fn former_members_have_no_organization_and_disabled_people_are_refused(app: SlackApp) {
        app.signs_in("owner").await;
        let member = app.signs_in("member").await;
        let user = app.db.id(member["id"].as_str().unwrap());
        app.db.execute(&format!("delete from memberships where user_id = {user}")).await;
        let former = app.signs_in("member").await;
        assert_eq!((&former["id"], &former["organizationId"]), (&member["id"], &json!(null)));

        app.disables("katherine@example.com").await;
        app.arrives("owner").await.failed_with("not_allowed");
    }

    async fn a_person_removed_by_an_admin_cannot_come_back_by_slack(app: SlackApp) {
        let token = app.arrives("owner").await.fragment["token"].clone();
        let member = app.signs_in("member").await;
        let path = format!("/api/users/{}", member["id"].as_str().unwrap());
        app.client.delete(&path).bearer(&token).await.expect(200);
        app.client.get(&path).bearer(&token).await.refused(404, "User not found");
        app.arrives("member").await.failed_with("not_allowed");
        assert_eq!(app.db.count("select count(*) from memberships").await, 1);
    }

    async fn a_person_without_a_password_cannot_log_in_with_one(app: SlackApp) {
        app.signs_in("owner").await;
        app.tries_to_log_in("katherine@example.com", PASSWORD).await.refused(401, "Invalid credentials");
    }
}
