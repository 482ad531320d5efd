//! The file with everything that is kept about a person: all of it, nothing of others, and no secret.

use std::collections::BTreeSet;

use hallpass::http::openapi_json;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Actor, Db, PASSWORD, TestApp, on_both_databases};

const PATH: &str = "/api/auth/account/export";

on_both_databases! {
    async fn the_file_has_every_kind_of_row_and_nothing_of_others(db: Db) {
        let app = TestApp::configured(db, |config| config.server.rate_limits = true).await;
        let scene = Scene::of(&app).await;
        let bob = &scene.bob;
        let answer = bob.get(PATH).header("user-agent", "Exporter/1").await;
        let file = answer.expect(200);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let name = answer.header("content-disposition").unwrap();
        let day = file["exportedAt"].as_str().unwrap().split_once('T').unwrap().0;
        assert_eq!(name, format!("attachment; filename=\"hallpass-account-{day}.json\""));
        is_as_documented(&file);

        assert_eq!(file["version"], 1);
        let account = &file["account"];
        assert_eq!((&account["id"], &account["email"]), (&json!(bob.id()), &json!(bob.email)));
        assert_eq!((&account["hasPassword"], &account["lastOrganizationId"]),
            (&json!(true), &json!(bob.organization_id())));
        assert!(account["emailVerifiedAt"].is_string(), "{account}");
        assert_eq!(account["secondFactor"]["recoveryCodesLeft"], 10);
        assert_eq!((&account["wrongPasswords"]["recent"], &account["wrongPasswords"]["inARow"]),
            (&json!(1), &json!(1)));
        let membership = &file["memberships"][0];
        assert_eq!((&membership["organizationName"], &membership["role"]), (&json!("Acme"), &json!("admin")));
        assert_eq!(membership["managerId"], scene.ada.id());
        assert_eq!(sorted(&file["sessions"], "ended"), ["false", "true"]);
        assert_eq!(values(&file["apiTokens"], "name"), ["a service"]);
        assert_eq!(values(&file["identities"], "accountId"), ["U1", "U2"]);
        let removed = values(&file["identities"], "removedAt");
        assert!(removed[0] == "null" && removed[1] != "null", "{removed:?}");
        assert_eq!(values(&file["externalIds"], "id"), ["clx2z9v0w0000"]);
        assert_eq!(sorted(&file["invitations"], "organizationName"), ["Acme", "Beta"]);
        assert_eq!(values(&file["sentInvitations"], "role"), ["employee"]);
        assert!(values(&file["emails"], "kind").contains(&"reset_password".to_owned()));
        assert!(values(&file["oneTimeTokens"], "purpose").contains(&"reset_password".to_owned()));
        let actions = file["actions"].as_array().unwrap();
        let to_others = actions.iter().filter(|row| row["toAnotherPerson"] == true);
        assert!(to_others.clone().count() > 0 && to_others.into_iter().all(|row| row["detail"].is_null()));
        let exported = actions.last().unwrap();
        assert_eq!((&exported["action"], &exported["device"]), (&json!("user.exported"), &json!("Exporter 1")));
        assert_eq!(exported["address"], "127.0.0.1");
        let by_others = values(&file["actionsByOthers"], "action");
        assert!(by_others.contains(&"user.role_changed".to_owned()), "{by_others:?}");
        assert!(by_others.contains(&"session.login".to_owned()), "{by_others:?}");

        let text = answer.text();
        for (what, of_another) in scene.of_others() {
            assert!(!text.contains(&of_another), "{what}: {of_another} in {text}");
        }
        // Only as manager: in the membership, and where that changed.
        let parts: Vec<&str> = text.split(scene.ada.id()).collect();
        let (last, before) = parts.split_last().unwrap();
        assert_eq!(before.len(), 2, "{text}");
        for part in before {
            assert!(part.contains("managerId") && !last.contains("managerId"), "{text}");
        }
        let mut secrets = vec![bob.token.clone(), PASSWORD.to_owned(), scene.service.token.clone()];
        for select in SECRETS {
            let found = app.db.values(select).await;
            assert!(found.iter().any(Option::is_some), "{select}");
            secrets.extend(found.into_iter().flatten());
        }
        for secret in secrets {
            assert!(!text.contains(&secret), "{secret} in {text}");
        }
    }

    async fn long_lists_are_read_in_pages_without_a_gap(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let before = ada.get(PATH).await.expect(200);
        let count = |file: &Value, list: &str| file[list].as_array().unwrap().len();
        fills(&app, &ada, 750).await;
        let file = ada.get(PATH).await.expect(200);
        // One of the actions is the first export.
        assert_eq!(count(&file, "actions"), count(&before, "actions") + 400 + 1);
        assert_eq!(count(&file, "actionsByOthers"), count(&before, "actionsByOthers") + 350);
        assert_eq!(count(&file, "sessions"), count(&before, "sessions") + 750);
        for list in ["actions", "actionsByOthers", "sessions"] {
            let ids = values(&file[list], "id");
            let distinct: BTreeSet<_> = ids.iter().collect();
            assert_eq!(distinct.len(), ids.len(), "{list}");
        }
        let order = values(&file["actions"], "id");
        assert!(order.is_sorted());
    }

    async fn an_address_that_is_not_verified_shows_nothing_sent_to_it(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        let eve = app.signs_up("Evil", "bob@other.example").await;
        ada.invites("bob@other.example", "manager").await.expect(201);
        let seen = async || {
            let file = eve.get(PATH).await.expect(200);
            let invited = values(&file["emails"], "kind").contains(&"invitation".to_owned());
            (values(&file["invitations"], "organizationName"), invited)
        };
        assert_eq!(seen().await, (vec![], false));
        app.verifies_address("bob@other.example").await;
        assert_eq!(seen().await, (vec!["Acme".to_owned()], true));
    }

    async fn a_person_without_an_organization_exports_what_is_left(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let member = app.joins(ada.organization_id(), "bob@acme.example").await;
        ada.changes(&member, json!({"role": "manager"})).await.expect(200);
        member.leaves().await;
        let bob = member.signs_in_again().await;
        let file = bob.get(PATH).await.expect(200);
        assert_eq!(file["memberships"], json!([]));
        // The log of the organization that they left is about them still.
        assert!(values(&file["actionsByOthers"], "action").contains(&"user.role_changed".to_owned()));
        assert!(values(&file["actions"], "action").contains(&"membership.left".to_owned()));
    }

    async fn each_file_leaves_one_audit_row_and_a_look_none(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let rows = "select count(*) from audit where action = 'user.exported' and outcome = 'ok'";
        ada.client.call(Method::HEAD, PATH).bearer(&ada.token).await;
        assert_eq!(app.db.count(rows).await, 0);
        ada.get(PATH).await.expect(200);
        assert_eq!(app.db.count(rows).await, 1);
    }
}

/// Whatever is stored to be compared with a secret, or sealed.
const SECRETS: [&str; 11] = [
    "select hash as v from join_links",
    "select secret as v from webhooks",
    "select password_hash as v from users",
    "select secret as v from totp",
    "select hash as v from recovery_codes",
    "select hash as v from api_tokens",
    "select token_hash as v from sessions",
    "select hash as v from one_time_tokens",
    "select letter as v from outbox",
    "select account as v from failed_attempts",
    "select account as v from failures_in_a_row",
];

/// Bob, and others with whom he has to do.
struct Scene {
    ada: Actor,
    bob: Actor,
    dan: Actor,
    eve: Actor,
    service: Actor,
}

impl Scene {
    async fn of(app: &TestApp) -> Self {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        let eve = app.signs_up_verified("Beta", "eve@beta.example").await;
        let bob = app.joins_invited(&ada, "bob@acme.example", "admin").await;
        let dan = app.joins(ada.organization_id(), "dan@acme.example").await;
        let named = json!({"name": "Dan Dolmen"});
        dan.patch("/api/auth/me").json(&named).await.expect(200);
        let place = json!({"managerId": ada.id()});
        ada.changes(&bob, place).await.expect(200);
        ada.changes(&bob, json!({"role": "manager"}))
            .await
            .expect(200);
        ada.changes(&bob, json!({"role": "admin"}))
            .await
            .expect(200);
        bob.changes(&dan, json!({"managerId": bob.id()}))
            .await
            .expect(200);
        eve.invites(&bob.email, "employee").await.expect(201);
        bob.post(&bob.organization_path("/join-links"))
            .json(&json!({"role": "employee"}))
            .await
            .expect(201);
        let hook = json!({"url": "http://127.0.0.1:9/", "events": ["user.deleted"]});
        bob.post("/api/webhooks").json(&hook).await.expect(201);
        bob.invites("carol@other.example", "employee")
            .await
            .expect(201);
        let login = json!({"name": bob.email, "password": PASSWORD, "returnToken": true});
        let begun = app.post("/api/v1/login").json(&login).await.expect(200);
        let ended = format!("/api/v1/logout?token={}", begun["token"].as_str().unwrap());
        app.post(&ended).await.expect(200);
        let service = bob.as_a_service("employee").await;
        bob.enrols(app).await;
        // Later, because an enrolment ends links.
        app.forgets_password(&bob.email).await.expect(200);
        let wrong = app.tries_to_log_in(&bob.email, "wrong").await;
        wrong.refused(401, "Invalid credentials");
        app.db.execute(&identities(&bob.email)).await;
        Self {
            ada,
            bob,
            dan,
            eve,
            service,
        }
    }

    fn of_others(&self) -> Vec<(&'static str, String)> {
        let mut theirs = vec![
            ("the name of a colleague", "Dolmen".to_owned()),
            ("a given name", "Byron".to_owned()),
            ("the invited one", "carol".to_owned()),
        ];
        for person in [&self.ada, &self.dan, &self.eve] {
            theirs.push(("an address", person.email.clone()));
        }
        for person in [&self.dan, &self.eve] {
            theirs.push(("an id", person.id().to_owned()));
        }
        theirs
    }
}

/// An account at Slack that leads to the person, one that did until they were removed, and an id elsewhere.
fn identities(email: &str) -> String {
    let of = format!("from users where email = '{email}'");
    format!(
        "insert into identities (provider, team_id, external_id, user_id, created_at, is_workspace_admin)
             select 'slack', 'T1', 'U1', id, created_at, true {of};
         insert into detached_identities (provider, team_id, external_id, user_id, detached_at)
             select 'slack', 'T2', 'U2', id, created_at {of};
         insert into removed_identities (provider, team_id, external_id, organization_id, removed_at)
             select 'slack', 'T2', 'U2', id, created_at from organizations where name = 'Acme';
         insert into external_ids (source, external_id, user_id, imported_at, fingerprint)
             select 'acme-app', 'clx2z9v0w0000', id, created_at, '' {of};"
    )
}

/// Adds sessions, 400 actions of the person, and then what others did, by SQL.
async fn fills(app: &TestApp, person: &Actor, count: u32) {
    let id = app.db.id(person.id());
    let mut rows = String::new();
    for n in 0..count {
        let row = app.db.id(&Uuid::from_u128(u128::from(n) + 1).to_string());
        let actor = if n < 400 { &id } else { "null" };
        rows.push_str(&format!(
            "insert into audit (id, at, action, outcome, actor_id, subject_id, request_id)
                 select {row}, created_at, 'session.login', 'ok', {actor}, {id}, 'x' from users where id = {id};
             insert into sessions (id, user_id, created_at, last_used_at, expires_at, revoked_at, kind, locked, ver)
                 select {row}, id, created_at, created_at, created_at, created_at, 'jwt', false, 0
                 from users where id = {id};"
        ));
    }
    app.db.execute(&rows).await;
}

/// The texts of a field in all rows.
fn values(rows: &Value, field: &str) -> Vec<String> {
    let text = |row: &Value| match &row[field] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    rows.as_array().unwrap().iter().map(text).collect()
}

/// As [`values`], sorted, since rows of one time have no order that a test could know.
fn sorted(rows: &Value, field: &str) -> Vec<String> {
    let mut values = values(rows, field);
    values.sort_unstable();
    values
}

/// The fields of the file and of the first row of each list, which has some, are those of the OpenAPI document.
#[track_caller]
fn is_as_documented(file: &Value) {
    let document: Value = serde_json::from_str(&openapi_json()).unwrap();
    let properties = |schema: &Value| {
        let name = schema["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
        document["components"]["schemas"][name]["properties"].clone()
    };
    let keys = |of: &Value| -> Vec<String> { of.as_object().unwrap().keys().cloned().collect() };
    let documented = &document["components"]["schemas"]["AccountExport"]["properties"];
    assert_eq!(keys(file), keys(documented));
    assert_eq!(
        keys(&file["account"]),
        keys(&properties(&documented["account"]))
    );
    for (name, list) in documented.as_object().unwrap() {
        if list["type"] == "array" {
            let row = file[name]
                .get(0)
                .unwrap_or_else(|| panic!("{name} is empty: {file}"));
            assert_eq!(keys(row), keys(&properties(&list["items"])), "{name}");
        }
    }
}
