//! Each act causes its events, for the organizations that are concerned, and no others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use chrono::TimeDelta;
use hallpass::config::LegacySessions;
use hallpass::crypto::legacy_session::Format;
use hallpass::domain::{Email, PersonName, Role};
use hallpass::service::operations::operator::{self, CreateUser};
use serde_json::json;

use super::{arrive, hook, makes};
use crate::process::{hallpass_on, stderr};
use crate::support::receiver::Receiver;
use crate::support::test_app::{found, operator_context};
use crate::support::{
    Actor, Db, OTHER_PASSWORD, OTHER_SECRET, PASSWORD, TestApp, eventually, jwt, on_both_databases,
    scratch,
};

/// Every audit action, and the events that it comes with; or why it comes with none.
enum Causes {
    /// These.
    All(&'static [&'static str]),
    /// The first, and perhaps the second.
    AllAndPerhaps(&'static [&'static str], &'static [&'static str]),
    /// One or several of these, according to what there was to end or to change.
    Some(&'static [&'static str]),
    Nothing(&'static str),
}

use Causes::{All, AllAndPerhaps, Nothing, Some as Perhaps};

const MOST_SESSIONS: u32 = 3;

const SIGN_IN: &str = "a sign-in tells nobody anything new";
const NO_STATE: &str = "nothing changes of what events say";
const BY_SLACK: &str = "what a sign-in with Slack changes is announced where it is written";
const ABOUT_OTHERS: &str = "is not about a person";

const EXPECTED: &[(&str, Causes)] = &[
    ("session.login", Perhaps(&["session.ended"])),
    ("session.exchanged", Perhaps(&["session.ended"])),
    ("session.logout", All(&["session.ended"])),
    ("session.logout_all", All(&["session.ended"])),
    ("session.ended", All(&["session.ended"])),
    ("session.reauthenticated", Nothing(SIGN_IN)),
    ("session.organization_switched", Nothing(SIGN_IN)),
    (
        "user.registered",
        AllAndPerhaps(&["user.created", "member.added"], &["user.updated"]),
    ),
    (
        "user.created",
        All(&["user.created", "member.added", "user.updated"]),
    ),
    ("user.password_changed", Perhaps(&["session.ended"])),
    (
        "user.password_reset",
        Perhaps(&["session.ended", "user.updated", "member.removed"]),
    ),
    ("user.password_reset_requested", Nothing(NO_STATE)),
    ("user.verification_requested", Nothing(NO_STATE)),
    ("user.email_verified", All(&["user.updated"])),
    ("user.email_change_requested", Nothing(NO_STATE)),
    (
        "user.email_changed",
        Perhaps(&["user.updated", "session.ended"]),
    ),
    ("user.profile_updated", All(&["user.updated"])),
    (
        "user.disabled",
        Perhaps(&["user.disabled", "session.ended"]),
    ),
    ("user.enabled", All(&["user.enabled"])),
    (
        "user.deleted",
        Perhaps(&["user.deleted", "member.removed", "session.ended"]),
    ),
    ("user.exported", Nothing(NO_STATE)),
    (
        "user.imported",
        Perhaps(&[
            "user.created",
            "member.added",
            "user.updated",
            "member.updated",
        ]),
    ),
    ("user.role_changed", All(&["member.updated"])),
    ("user.manager_changed", All(&["member.updated"])),
    ("membership.joined", All(&["member.added"])),
    (
        "membership.left",
        Perhaps(&["member.removed", "session.ended", "member.updated"]),
    ),
    (
        "membership.removed",
        Perhaps(&["member.removed", "session.ended", "member.updated"]),
    ),
    (
        "invitation.accepted",
        Perhaps(&["member.added", "user.updated", "user.created"]),
    ),
    (
        "organization.founded",
        Nothing("a new organization has no webhook yet"),
    ),
    ("organization.updated", Perhaps(&["session.ended"])),
    (
        "organization.deleted",
        Nothing("its webhooks are deleted with it"),
    ),
    ("user.identity_linked", Nothing(BY_SLACK)),
    ("user.identity_unlinked", Nothing(NO_STATE)),
    ("account.locked_for_address", Nothing("ends after minutes")),
    ("account.locked", Nothing("ends after minutes")),
    ("account.unlocked", Nothing("ends after minutes")),
    ("address.locked", Nothing(ABOUT_OTHERS)),
    ("address.limited", Nothing(ABOUT_OTHERS)),
    ("mfa.enabled", Perhaps(&["session.ended"])),
    ("mfa.disabled", Perhaps(&["session.ended"])),
    ("mfa.locked", Nothing("ends after minutes")),
    ("mfa.recovery_code_used", Nothing(SIGN_IN)),
    ("mfa.recovery_codes_renewed", Nothing(NO_STATE)),
    ("invitation.sent", Nothing("nobody has joined yet")),
    ("invitation.revoked", Nothing("nobody has joined")),
    ("invitation.declined", Nothing("nobody has joined")),
    ("join_link.created", Nothing("nobody has joined yet")),
    ("join_link.revoked", Nothing("nobody has joined")),
    ("join_link.taken_over", Nothing("nobody has joined")),
    ("webhook.created", Nothing(ABOUT_OTHERS)),
    ("webhook.updated", Nothing(ABOUT_OTHERS)),
    ("webhook.taken_over", Nothing(ABOUT_OTHERS)),
    ("webhook.secret_rotated", Nothing(ABOUT_OTHERS)),
    (
        "webhook.tested",
        Nothing("`webhook.test` is an event of the test itself"),
    ),
    ("webhook.deleted", Nothing(ABOUT_OTHERS)),
    ("webhook.switched_off", Nothing(ABOUT_OTHERS)),
    ("api_token.created", Nothing("an API token is no session")),
    ("api_token.revoked", Nothing("an API token is no session")),
    ("service.key_added", Nothing(ABOUT_OTHERS)),
    ("service.key_removed", Nothing(ABOUT_OTHERS)),
    ("service.removed", Nothing(ABOUT_OTHERS)),
    ("keys.rotated", Nothing(ABOUT_OTHERS)),
    (
        "audit.counted",
        Nothing("counts rows of other actions, which have their events"),
    ),
];

#[test]
fn the_table_has_every_audit_action() {
    let source = include_str!("../../../src/domain/audit.rs");
    let names = source.split("fn as_str(self)").nth(1).unwrap();
    let names = names.split('}').next().unwrap();
    let in_code: BTreeSet<&str> = names.split('"').skip(1).step_by(2).collect();
    assert!(in_code.len() > 40);
    let in_table: BTreeSet<&str> = EXPECTED.iter().map(|(action, _)| *action).collect();
    assert_eq!(in_table, in_code);
}

/// The names of events of Ada's organization, by the time of their act.
async fn events_by_time(app: &TestApp) -> BTreeMap<String, BTreeSet<String>> {
    let select = "select cast(at as text) || ' ' || event as v from webhook_deliveries";
    grouped(app.db.values(select).await)
}

async fn actions_by_time(app: &TestApp) -> BTreeMap<String, BTreeSet<String>> {
    let select = "select cast(at as text) || ' ' || action as v from audit where outcome = 'ok'";
    grouped(app.db.values(select).await)
}

fn grouped(rows: Vec<Option<String>>) -> BTreeMap<String, BTreeSet<String>> {
    let mut by_time: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows.into_iter().flatten() {
        let (time, name) = row.rsplit_once(' ').unwrap();
        by_time
            .entry(time.to_owned())
            .or_default()
            .insert(name.to_owned());
    }
    by_time
}

on_both_databases! {
    async fn every_act_causes_its_events_and_no_others(db: Db) {
        let app = TestApp::configured(db, |config| {
            config.accounts.sessions_per_user = MOST_SESSIONS;
            config.legacy_sessions = Some(LegacySessions {
                format: Format::ALL.into_iter().find(|(name, _)| *name == "jwt").unwrap().1,
                source: "jwt".to_owned(),
                secrets: vec![OTHER_SECRET.into()],
                cookie: None,
                issuer: None,
                until: "2027-03-01T00:00:00Z".parse().unwrap(),
                cut_over: None,
            });
        })
        .await;
        let receiver = Receiver::start().await;
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        hook(&ada, &receiver).await;
        // What nobody has tried to deliver yet is replaced by what follows.
        let tried = "select count(*) from webhook_deliveries where delivered_at is null";
        let next = async || {
            eventually("all is delivered", async || app.db.count(tried).await == 0).await;
            app.advance(TimeDelta::seconds(1));
        };
        lives(&app, &ada, &next).await;
        let mut faults = Vec::new();
        let events = events_by_time(&app).await;
        let actions = actions_by_time(&app).await;
        let mut seen = BTreeSet::new();
        for (time, actions) in &actions {
            let (mut must, mut may): (BTreeSet<&str>, BTreeSet<&str>) = Default::default();
            let mut but = Vec::new();
            for action in actions {
                seen.insert(action.as_str());
                match EXPECTED.iter().find(|(name, _)| name == action).unwrap().1 {
                    All(events) => must.extend(events),
                    AllAndPerhaps(events, others) => {
                        must.extend(events);
                        may.extend(others);
                    }
                    Perhaps(events) => may.extend(events),
                    Nothing(why) => but.push(why),
                }
            }
            // What happened before the webhook was made, or in another organization, has no events.
            let Some(told) = events.get(time) else { continue };
            let told: BTreeSet<&str> = told.iter().map(String::as_str).collect();
            let missing: Vec<_> = must.difference(&told).collect();
            if !missing.is_empty() {
                faults.push(format!("{actions:?} lack {missing:?}"));
            }
            let more: Vec<_> = told.difference(&must).filter(|it| !may.contains(*it)).collect();
            if !more.is_empty() && !actions.contains("webhook.tested") {
                faults.push(format!("{actions:?} also cause {more:?}, but: {but:?}"));
            }
        }
        for (action, causes) in EXPECTED {
            let must_be_seen = !matches!(causes, Nothing(_));
            if must_be_seen && !seen.contains(action) {
                faults.push(format!("{action} has not happened"));
            }
            let with_events = actions.iter().any(|(time, all)| all.contains(*action) && events.contains_key(time));
            if must_be_seen && seen.contains(action) && !with_events {
                faults.push(format!("{action} has never had an event"));
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    async fn an_event_says_what_is_true_after_the_act_and_no_secret(app: TestApp) {
        let receiver = Receiver::start().await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let hook = hook(&ada, &receiver).await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        arrive(&receiver, 2).await;
        assert_eq!(receiver.events(), ["member.added", "user.created"]);
        for told in receiver.told() {
            assert_eq!(told.line, "POST /hooks?from=hallpass");
            assert_eq!(told.header("content-type"), "application/json");
            assert_eq!(told.json(), json!({
                "type": told.event(),
                "timestamp": "2027-01-15T12:00:00.654Z",
                "data": {
                    "userId": bob.id(),
                    "organizationId": ada.organization_id(),
                    "email": "bob@acme.example",
                    "emailVerified": false,
                    "name": "Bob Byte",
                    "disabled": false,
                    "role": "employee",
                    "managerId": null,
                },
            }));
            assert!(!told.body.contains(&hook.secret) && !told.body.contains(PASSWORD));
        }
        let place = json!({"role": "manager", "managerId": ada.id()});
        ada.changes(&bob, place).await.expect(200);
        arrive(&receiver, 3).await;
        let updated = receiver.told()[2].json();
        assert_eq!(updated["type"], "member.updated");
        assert_eq!((&updated["data"]["role"], &updated["data"]["managerId"]), (&json!("manager"), &json!(ada.id())));
        bob.signs_in_again().await.logs_out().await.expect(200);
        arrive(&receiver, 4).await;
        let ended = receiver.told()[3].json();
        let names: Vec<_> = ended["data"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(names, ["userId", "organizationId", "sessionId"]);
        // Once it is delivered, the name and the address are forgotten.
        assert_eq!(app.db.count("select count(*) from webhook_deliveries where person is not null").await, 0);
    }

    async fn organizations_of_before_and_after_are_told_and_no_others(app: TestApp) {
        let [acme, bolt, evil] = [Receiver::start().await, Receiver::start().await, Receiver::start().await];
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let ben = app.signs_up("Bolt", "ben@bolt.example").await;
        let eve = app.signs_up("Evil", "eve@evil.example").await;
        hook(&ada, &acme).await;
        hook(&ben, &bolt).await;
        hook(&eve, &evil).await;
        let mut bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        arrive(&acme, 2).await;
        let join = format!("/api/organizations/{}/join", ben.organization_id());
        bob.takes_token(&bob.post(&join).await.expect(200));
        // Only where the person has joined.
        arrive(&bolt, 1).await;
        bob.patch("/api/auth/me").json(&json!({"name": "Robert"})).await.expect(200);
        arrive(&acme, 3).await;
        arrive(&bolt, 2).await;
        for (receiver, role) in [(&acme, "employee"), (&bolt, "employee")] {
            let told = receiver.told().pop().unwrap().json();
            assert_eq!((&told["type"], &told["data"]["name"]), (&json!("user.updated"), &json!("Robert")));
            assert_eq!(told["data"]["role"], role);
        }
        // One that they left is told of that, and of what happened with it.
        bob.delete("/api/auth/account").await.expect(200);
        for receiver in [&acme, &bolt] {
            eventually("the deletion has arrived", async || {
                receiver.events().contains(&"user.deleted".to_owned())
                    && receiver.events().contains(&"member.removed".to_owned())
            }).await;
            for told in receiver.told().iter().filter(|told| told.event() == "user.deleted") {
                let names: Vec<_> = told.json()["data"].as_object().unwrap().keys().cloned().collect();
                assert_eq!(names, ["userId", "organizationId"]);
            }
        }
        let others: BTreeSet<_> = bolt.told().iter().map(|told| told.json()["data"]["organizationId"].clone().to_string()).collect();
        assert_eq!(others, BTreeSet::from([json!(ben.organization_id()).to_string()]));
        assert_eq!(evil.told().len(), 0);
    }

    async fn a_webhook_is_told_only_of_the_events_it_wants(app: TestApp) {
        let receiver = Receiver::start().await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        makes(&ada, &json!({"url": receiver.url(), "events": ["member.removed"]})).await.expect(201);
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        ada.changes(&bob, json!({"role": "manager"})).await.expect(200);
        bob.leaves().await;
        arrive(&receiver, 1).await;
        assert_eq!(receiver.events(), ["member.removed"]);
        assert_eq!(app.db.count("select count(*) from webhook_deliveries").await, 1);
    }

    async fn a_refused_act_has_no_event(app: TestApp) {
        let receiver = Receiver::start().await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        hook(&ada, &receiver).await;
        let own = format!("/api/users/{}", ada.id());
        ada.patch(&own).json(&json!({"role": "employee"})).await.refused_with(409, "last_admin");
        app.tries_to_log_in("ada@acme.example", "wrong").await.refused(401, "Invalid credentials");
        assert_eq!(app.db.count("select count(*) from webhook_deliveries").await, 0);
    }

    async fn the_deletion_of_an_account_takes_undelivered_events_about_it_along(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        makes(&ada, &json!({"url": "http://127.0.0.1:9/"})).await.expect(201);
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        bob.delete("/api/auth/account").await.expect(200);
        let named = "select count(*) from webhook_deliveries where person is not null";
        assert_eq!(app.db.count(named).await, 0);
        let left = "select event as v from webhook_deliveries order by event";
        let left: Vec<_> = app.db.values(left).await.into_iter().flatten().collect();
        assert_eq!(left, ["member.removed", "session.ended", "user.deleted"]);
    }
}

/// Everything that people and operators do, each at a second of its own.
async fn lives(app: &TestApp, ada: &Actor, next: &impl AsyncFn()) {
    next().await;
    let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
    next().await;
    app.verifies_address(&bob.email).await;
    next().await;
    let second = bob.signs_in_again().await;
    next().await;
    second.logs_out().await.expect(200);
    next().await;
    let other = bob.signs_in_again().await;
    let sessions = bob.sessions().await;
    let newest = sessions.iter().find(|it| it["current"] != true).unwrap();
    next().await;
    bob.delete(&format!(
        "/api/auth/sessions/{}",
        newest["id"].as_str().unwrap()
    ))
    .await
    .expect(200);
    drop(other);
    next().await;
    bob.patch("/api/auth/me")
        .json(&json!({"name": "Robert"}))
        .await
        .expect(200);
    next().await;
    ada.changes(&bob, json!({"name": "Bob"})).await.expect(200);
    next().await;
    ada.changes(&bob, json!({"role": "manager"}))
        .await
        .expect(200);
    next().await;
    ada.changes(&bob, json!({"managerId": ada.id()}))
        .await
        .expect(200);
    next().await;
    bob.signs_in_again().await;
    next().await;
    bob.changes_password(PASSWORD, OTHER_PASSWORD)
        .await
        .expect(200);
    next().await;
    app.forgets_password(&bob.email).await.expect(200);
    let token = app.mailed_token(&bob.email, "reset_password").await;
    next().await;
    app.resets_password(&token, PASSWORD).await.expect(200);
    next().await;
    let bob = app.logs_in(&bob.email, PASSWORD).await;
    next().await;
    bob.changes_email("robert@acme.example", PASSWORD)
        .await
        .expect(200);
    let token = app
        .mailed_token("robert@acme.example", "confirm_new_email")
        .await;
    next().await;
    app.verifies(&token).await.expect(200);
    next().await;
    let bob = app.logs_in("robert@acme.example", PASSWORD).await;
    next().await;
    bob.post("/api/auth/logout-all").await.expect(200);
    next().await;
    ada.changes(&bob, json!({"disabled": true}))
        .await
        .expect(200);
    next().await;
    ada.changes(&bob, json!({"disabled": false}))
        .await
        .expect(200);
    next().await;
    let cy = app.joins_invited(ada, "cy@acme.example", "employee").await;
    next().await;
    cy.signs_in_again().await;
    next().await;
    let authenticator = cy.enrols(app).await;
    app.advance(TimeDelta::seconds(30));
    let token = app.takes_first_step(&cy.email).await;
    let code = authenticator.code(app);
    app.shows_code(&token, &code).await.expect(200);
    next().await;
    let code = json!({"password": PASSWORD, "code": authenticator.recovery_codes[0]});
    cy.delete("/api/auth/mfa/totp")
        .json(&code)
        .await
        .expect(200);
    next().await;
    let dan = app.signs_up_verified("Bolt", "dan@bolt.example").await;
    ada.invites(&dan.email, "employee").await.expect(201);
    let token = app.mailed_token(&dan.email, "invitation").await;
    next().await;
    dan.accepts(&token).await.expect(200);
    next().await;
    let eve = app.signs_up("Evil", "eve@evil.example").await;
    next().await;
    eve.post(&format!(
        "/api/organizations/{}/join",
        ada.organization_id()
    ))
    .await
    .expect(200);
    next().await;
    ada.delete(&format!("/api/users/{}", dan.id()))
        .await
        .expect(200);
    next().await;
    let fay = app.joins(ada.organization_id(), "fay@acme.example").await;
    next().await;
    fay.leaves().await;
    next().await;
    let kim = app.joins(ada.organization_id(), "kim@acme.example").await;
    next().await;
    // Undelivered events about her go as well.
    ada.delete(&format!("/api/users/{}", kim.id()))
        .await
        .expect(200);
    next().await;
    // A stricter lifetime ends sessions that are older.
    let gus = app.joins(ada.organization_id(), "gus@acme.example").await;
    app.advance(TimeDelta::hours(2));
    let ada = ada.signs_in_again().await;
    next().await;
    ada.sets_rules(&json!({"sessionLifetime": 3600})).await;
    next().await;
    ada.sets_rules(&json!({"sessionLifetime": null})).await;
    next().await;
    app.logs_in(&gus.email, PASSWORD).await;
    for _ in 0..app.config.accounts.sessions_per_user {
        next().await;
        gus.signs_in_again().await;
    }
    next().await;
    let operator_app = app.operator_app().await;
    let found = found(&operator_app, &gus.email).await.unwrap();
    operator::disable_user(
        operator_app.services(),
        &operator_context(),
        found.id,
        false,
    )
    .await
    .unwrap();
    next().await;
    let organization_id = ada.organization_id().parse().unwrap();
    let create = CreateUser {
        email: Email::parse("hal@acme.example").unwrap(),
        password: PASSWORD,
        name: PersonName::parse("Hal").unwrap(),
        organization_id,
        role: Role::Employee,
        manager_id: None,
    };
    let services = operator_app.services();
    let hal = operator::create_user(services, &operator_context(), create)
        .await
        .unwrap();
    next().await;
    let email = Email::parse("hal2@acme.example").unwrap();
    operator::set_email(services, &operator_context(), hal.id, email, true)
        .await
        .unwrap();
    next().await;
    ada.get("/api/audit").await.expect(200);
    next().await;
    keeps_the_session_of_an_earlier_system(app, ada.organization_id()).await;
    next().await;
    imports(&app.db, "from.elsewhere@acme.example");
    next().await;
}

/// It is one session more than a person may have.
async fn keeps_the_session_of_an_earlier_system(app: &TestApp, organization_id: &str) {
    let dan = app.joins(organization_id, "dan@acme.example").await;
    for _ in 1..MOST_SESSIONS {
        dan.signs_in_again().await;
    }
    app.db
        .execute(&format!(
            "insert into external_ids (source, external_id, user_id, imported_at, fingerprint)
             select 'jwt', '4711', id, created_at, '' from users where email = '{}'",
            dan.email
        ))
        .await;
    let now = app.clock.timestamp();
    let claims = json!({"sub": "4711", "iat": now - 3600, "exp": now + 3600});
    let header = json!({"alg": "HS256", "typ": "JWT"});
    let token = jwt::sign(&header, &claims, OTHER_SECRET);
    app.advance(TimeDelta::seconds(1));
    let exchange = app.post("/api/auth/session/exchange").bearer(&token);
    exchange.await.expect(200);
}

fn imports(db: &Db, email: &str) {
    let (people, mapping) = (
        scratch::fresh_path("people.csv"),
        scratch::fresh_path("acme.toml"),
    );
    fs::write(&people, format!("id,email,name\n1,{email},Eve\n")).unwrap();
    let text = "source = \"old\"\n[person]\nexternal_id = \"id\"\nemail = \"email\"\nname = \"name\"\n\
                [membership]\norganization = { value = \"acme\" }\n";
    fs::write(&mapping, text).unwrap();
    let [people, mapping] = [&people, &mapping].map(|path| path.to_str().unwrap());
    let mut import = hallpass_on(db, &["import", people, "--map", mapping, "--yes"]);
    let output = import.output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
}
