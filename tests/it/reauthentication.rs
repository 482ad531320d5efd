//! A token alone makes no change that stays: those want a proof of identity from the last fifteen minutes.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use hallpass::ports::Clock as _;
use serde_json::{Value, json};
use url::Url;

use crate::role_matrix::{everything, routes};
use crate::support::mfa::Authenticator;
use crate::support::slack::{CHALLENGE, RETURN_URL, Returned, VERIFIER};
use crate::support::{
    Actor, Answer, Db, OTHER_PASSWORD, PASSWORD, SlackApp, TestApp, on_both_databases,
};

/// How long a proof counts.
const FRESH: TimeDelta = TimeDelta::minutes(15);

/// What the admin who calls has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Has {
    Password,
    NoPassword,
    /// Its recovery code is sent as `code`.
    AuthenticatorOnly,
}

/// Calls that want one only if they would give the account its address or its first authenticator.
const SOMETIMES: [&str; 6] = [
    "post /api/auth/refresh",
    "post /api/invitations/{id}/accept",
    "post /api/invitations/accept",
    "post /api/organizations/join",
    "post /api/organizations/{id}/join",
    "post /join",
];

/// Every call that always wants a fresh session: route, caller, body, and what a fresh caller gets.
fn gated() -> Vec<(&'static str, &'static str, Has, Value, u16)> {
    use Has::{AuthenticatorOnly, NoPassword, Password};
    let organization = "/api/organizations/{id}";
    vec![
        ("post", "/api/tokens", Password, json!({"name": "x"}), 201),
        ("post", "/api/users/{id}/unlock", Password, json!({}), 200),
        ("post", "/api/auth/mfa/totp", Password, json!({}), 200),
        (
            "post",
            "/api/auth/mfa/totp/confirm",
            Password,
            json!({"code": "123456"}),
            409,
        ),
        (
            "post",
            "/api/auth/slack/link",
            Password,
            json!({"returnUrl": RETURN_URL}),
            200,
        ),
        (
            "patch",
            "/api/users/{id}",
            Password,
            json!({"role": "admin"}),
            200,
        ),
        (
            "post",
            "/api/organizations/{id}/invitations",
            Password,
            json!({"email": "next@acme.example", "role": "admin"}),
            201,
        ),
        (
            "post",
            "/api/organizations/{id}/join-links",
            Password,
            json!({"role": "admin"}),
            201,
        ),
        (
            "post",
            "/api/organizations/{id}/join-links/{linkId}/take-over",
            Password,
            json!({}),
            404,
        ),
        (
            "post",
            "/api/webhooks",
            Password,
            json!({"url": "http://127.0.0.1:9/"}),
            201,
        ),
        (
            "patch",
            "/api/webhooks/{id}",
            Password,
            json!({"events": null}),
            404,
        ),
        (
            "post",
            "/api/webhooks/{id}/rotate-secret",
            Password,
            json!({}),
            404,
        ),
        (
            "post",
            "/api/webhooks/{id}/take-over",
            Password,
            json!({}),
            404,
        ),
        (
            "patch",
            organization,
            Password,
            json!({"joinPolicy": "invite"}),
            200,
        ),
        (
            "patch",
            organization,
            Password,
            json!({"allowedDomains": ["evil.example"]}),
            200,
        ),
        (
            "patch",
            organization,
            Password,
            json!({"requireMfa": false}),
            200,
        ),
        (
            "delete",
            organization,
            Password,
            json!({"name": "Not its name"}),
            400,
        ),
        ("delete", "/api/auth/account", Password, json!({}), 200),
        ("get", "/api/auth/account/export", Password, json!({}), 200),
        (
            "patch",
            organization,
            Password,
            json!({"sessionIdle": 3600}),
            200,
        ),
        (
            "post",
            "/api/auth/change-email",
            NoPassword,
            json!({"email": "new@acme.example"}),
            200,
        ),
        (
            "post",
            "/api/auth/change-password",
            NoPassword,
            json!({"newPassword": OTHER_PASSWORD}),
            200,
        ),
        (
            "post",
            "/api/auth/set-password",
            NoPassword,
            json!({"newPassword": OTHER_PASSWORD}),
            200,
        ),
        // Of somebody else.
        (
            "delete",
            "/api/auth/identities/{id}",
            Password,
            json!({}),
            404,
        ),
        (
            "delete",
            "/api/auth/mfa/totp",
            AuthenticatorOnly,
            json!({}),
            200,
        ),
        (
            "post",
            "/api/auth/mfa/recovery-codes",
            AuthenticatorOnly,
            json!({}),
            200,
        ),
    ]
}

on_both_databases! {
    async fn changes_that_stay_want_a_fresh_session(app: SlackApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        for (method, route, has, body, expected) in gated() {
            let what = format!("{method} {route} {body}");
            let stale = Caller::of(&app, &ada, has).await;
            let service = Caller { actor: stale.actor.as_a_service("admin").await, ..stale.clone() };
            app.advance(FRESH);
            let fresh = Caller::of(&app, &ada, has).await;
            let before = content(&app).await;
            asks_to_reauthenticate(&stale.calls(method, route, &body).await);
            service.calls(method, route, &body).await.refused(403, "Forbidden");
            assert_eq!(content(&app).await, before, "{what}");
            let answer = fresh.calls(method, route, &body).await;
            assert_eq!(answer.status, expected, "{what}: {}", answer.text());
        }
    }

    async fn other_changes_want_no_fresh_session(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        app.advance(FRESH);
        ada.sets_rules(&json!({"name": "Acme & Sons"})).await;
        ada.changes(&bob, json!({"role": "manager", "name": "Bob"})).await.expect(200);
        ada.invites("eve@acme.example", "manager").await.expect(201);
        let codes = json!({"password": PASSWORD, "email": "new@acme.example"});
        ada.post("/api/auth/change-email").json(&codes).await.expect(200);
        ada.changes_password(PASSWORD, OTHER_PASSWORD).await.expect(200);
    }

    async fn the_password_makes_a_session_fresh_for_fifteen_minutes(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let other = ada.signs_in_again().await;
        app.advance(FRESH);
        let answer = ada.reauthenticates(&json!({"password": PASSWORD})).await.expect(200);
        assert_eq!(answer["success"], true);
        let until: DateTime<Utc> = answer["until"].as_str().unwrap().parse().unwrap();
        assert_eq!(until, app.clock.now() + FRESH);
        makes_a_token(&ada).await.expect(201);
        asks_to_reauthenticate(&makes_a_token(&other).await);
        app.advance(FRESH - TimeDelta::microseconds(1));
        makes_a_token(&ada).await.expect(201);
        app.advance(TimeDelta::microseconds(1));
        asks_to_reauthenticate(&makes_a_token(&ada).await);
        ada.signs_in_again().await.as_a_service("employee").await;
        let rows = "select method || ' ' || outcome as v from audit where action = 'session.reauthenticated'";
        assert_eq!(app.db.values(rows).await, [Some("password ok".to_owned())]);
    }

    async fn a_refresh_makes_no_session_fresh(app: TestApp) {
        let mut ada = app.signs_up("Acme", "ada@acme.example").await;
        app.advance(FRESH);
        ada.takes_token(&ada.refreshes().await.expect(200));
        asks_to_reauthenticate(&makes_a_token(&ada).await);
    }

    async fn a_stale_session_joins_nothing_that_has_it_enrol_first(app: TestApp) {
        let eve = app.signs_up_verified("Evil", "eve@evil.example").await;
        eve.enrols(&app).await;
        eve.sets_rules(&json!({"joinPolicy": "open", "requireMfa": true})).await;
        eve.invites("ada@acme.example", "employee").await.expect(201);
        let invitation = app.mailed_token("ada@acme.example", "invitation").await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        app.advance(FRESH);
        let join = format!("/api/organizations/{}/join", eve.organization_id());
        asks_to_reauthenticate(&ada.post(&join).await);
        asks_to_reauthenticate(&ada.accepts(&invitation).await);
        assert_eq!(app.db.count("select count(*) from memberships").await, 2);
        let fresh = ada.signs_in_again().await;
        let challenge = fresh.post(&join).await.expect(200);
        assert_eq!(challenge["enrolmentRequired"], true);
        ada.post("/api/auth/logout-all").await.expect(200);
        let enrol = json!({"mfaToken": challenge["mfaToken"]});
        app.post("/api/auth/mfa/totp").json(&enrol).await.refused(400, "Invalid or expired token");
    }

    async fn a_stale_session_takes_no_address_from_an_invitation(app: TestApp) {
        let eve = app.signs_up_verified("Evil", "eve@evil.example").await;
        eve.invites("another@evil.example", "employee").await.expect(201);
        let invitation = app.mailed_token("another@evil.example", "invitation").await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        app.db.execute(&format!("update users set email = null where id = {}", app.db.id(ada.id()))).await;
        app.advance(FRESH);
        asks_to_reauthenticate(&ada.accepts(&invitation).await);
        assert_eq!(app.db.count("select count(*) from users where email is null").await, 1);
    }

    async fn a_stale_session_enables_no_admin(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        ada.changes(&bob, json!({"role": "admin"})).await.expect(200);
        ada.changes(&bob, json!({"disabled": true})).await.expect(200);
        app.advance(FRESH);
        asks_to_reauthenticate(&ada.changes(&bob, json!({"disabled": false})).await);
        ada.signs_in_again().await.changes(&bob, json!({"disabled": false})).await.expect(200);
    }

    async fn wrong_passwords_and_codes_count_as_at_sign_in(db: Db) {
        let app = TestApp::configured(db, |config| config.server.rate_limits = true).await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        for _ in 0..10 {
            ada.reauthenticates(&json!({"password": "wrong"})).await.refused(401, "Invalid credentials");
        }
        ada.reauthenticates(&json!({"password": PASSWORD})).await.refused(429, "Too many attempts");
        let authenticator = ada.enrols(&app).await;
        for _ in 0..5 {
            let wrong = json!({"code": authenticator.wrong_code(&app)});
            ada.reauthenticates(&wrong).await.refused(401, "Invalid code");
        }
        let right = json!({"code": authenticator.code(&app)});
        ada.reauthenticates(&right).await.refused(429, "Too many attempts");
    }

    async fn with_an_authenticator_only_its_code_counts(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        ada.reauthenticates(&json!({"code": "123456"})).await.refused(409, "MFA not enrolled");
        ada.reauthenticates(&json!({})).await.refused_fields(&["password"]);
        ada.reauthenticates(&json!({"password": PASSWORD, "code": "123456"})).await.refused_fields(&["password"]);
        let authenticator = ada.enrols(&app).await;
        app.advance(FRESH);
        ada.reauthenticates(&json!({"password": PASSWORD})).await.refused_fields(&["code"]);
        let recovery = json!({"code": authenticator.recovery_codes[0]});
        ada.reauthenticates(&recovery).await.refused(401, "Invalid code");
        assert_eq!(ada.get("/api/auth/mfa").await.expect(200)["recoveryCodesLeft"], 10);
        asks_to_reauthenticate(&makes_a_token(&ada).await);
        let code = json!({"code": authenticator.code(&app)});
        ada.reauthenticates(&code).await.expect(200);
        makes_a_token(&ada).await.expect(201);
        // A code counts once.
        ada.reauthenticates(&code).await.refused(401, "Invalid code");
    }

    async fn a_code_is_the_proof_for_replacing_the_authenticator(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let old = ada.enrols(&app).await;
        app.advance(FRESH);
        let recovery = json!({"code": old.recovery_codes[0]});
        asks_to_reauthenticate(&ada.begins_enrolment().json(&recovery).await);
        let begun = ada.begins_enrolment().json(&json!({"code": old.code(&app)})).await.expect(200);
        ada.confirms(&Authenticator::from_enrolment(&begun).code(&app)).await.expect(200);
    }

    async fn a_member_who_must_enrol_can_reauthenticate_for_it(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        app.requires_mfa(ada.organization_id()).await;
        app.advance(FRESH);
        asks_to_reauthenticate(&ada.begins_enrolment().await);
        ada.reauthenticates(&json!({"password": PASSWORD})).await.expect(200);
        ada.enrols(&app).await;
    }

    async fn a_slack_identity_of_the_account_makes_its_session_fresh(app: SlackApp) {
        proves_by_slack(&app).await;
    }

    async fn another_slack_identity_makes_no_session_fresh(app: SlackApp) {
        let owner = app.person("owner").await;
        app.signs_in("member").await;
        app.advance(FRESH);
        let begun = begins(&owner, &json!({"returnUrl": RETURN_URL})).await;
        follows(&app, &begun, "member").await.failed_with("not_allowed");
        // Nor does one that has no account, and it gets none.
        let begun = begins(&owner, &json!({"returnUrl": RETURN_URL})).await;
        follows(&app, &begun, "second-workspace").await.failed_with("not_allowed");
        asks_to_reauthenticate(&makes_a_token(&owner).await);
        assert_eq!(app.db.count("select count(*) from identities").await, 2);
        let rows = "select subject_id is not null as v from audit
                    where action = 'session.reauthenticated' and reason = 'another_identity'";
        assert_eq!(app.db.values(rows).await.len(), 2);
    }

    async fn slack_in_another_browser_makes_no_session_fresh(app: SlackApp) {
        let owner = app.person("owner").await;
        app.advance(FRESH);
        // The token's thief begins, and has its owner follow the link.
        let begun = begins(&owner, &json!({"returnUrl": RETURN_URL})).await.expect(200);
        let url: Url = begun["url"].as_str().unwrap().parse().unwrap();
        let callback = app.consents(&url, "owner").await;
        app.get(&callback).await.is_page(400, "sign_in_expired");
        asks_to_reauthenticate(&makes_a_token(&owner).await);
    }

    async fn with_an_authenticator_slack_makes_no_session_fresh(app: SlackApp) {
        let owner = app.person("owner").await;
        let begun = begins(&owner, &json!({"returnUrl": RETURN_URL})).await;
        owner.enrols(&app).await;
        follows(&app, &begun, "owner").await.failed_with("not_allowed");
        begins(&owner, &json!({"returnUrl": RETURN_URL})).await.refused_fields(&["code"]);
        app.advance(FRESH);
        asks_to_reauthenticate(&makes_a_token(&owner).await);
    }

    async fn an_ended_session_is_not_reauthenticated_by_slack(app: SlackApp) {
        let owner = app.person("owner").await;
        let begun = begins(&owner, &json!({"returnUrl": RETURN_URL})).await;
        owner.logs_out().await.expect(200);
        follows(&app, &begun, "owner").await.failed_with("sign_in_expired");
    }
}

#[actix_web::test]
async fn the_openid_connect_flow_makes_a_session_fresh_too() {
    proves_by_slack(&SlackApp::oidc(Db::sqlite()).await).await;
}

#[test]
fn the_document_names_exactly_the_calls_that_want_a_fresh_session() {
    let document: Value = serde_json::from_str(&hallpass::http::openapi_json()).unwrap();
    let documented: BTreeSet<_> = routes(&document)
        .into_iter()
        .filter(|(method, path, _)| {
            let codes = &document["paths"][path][method]["x-error-codes"];
            let mut codes = codes.as_array().unwrap().iter();
            codes.any(|code| code == "reauthentication_required")
        })
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect();
    let tried: BTreeSet<_> = gated()
        .into_iter()
        .map(|(method, path, ..)| format!("{method} {path}"))
        .chain(SOMETIMES.map(str::to_owned))
        .collect();
    assert_eq!(documented, tried);
}

/// An admin of Acme, and a person to make one.
#[derive(Clone)]
struct Caller {
    actor: Actor,
    person: Actor,
    recovery_code: Option<String>,
}

impl Caller {
    async fn of(app: &TestApp, ada: &Actor, has: Has) -> Self {
        let joins = async || {
            let ada = ada.signs_in_again().await;
            ada.sets_rules(&json!({"joinPolicy": "open"})).await;
            let email = format!("{}@acme.example", uuid::Uuid::now_v7());
            let person = app.joins(ada.organization_id(), &email).await;
            app.verifies_address(&email).await;
            person
        };
        let (actor, person) = (joins().await, joins().await);
        let admin = json!({"role": "admin"});
        let ada = ada.signs_in_again().await;
        ada.changes(&actor, admin).await.expect(200);
        let recovery_code = match has {
            Has::Password | Has::NoPassword => None,
            Has::AuthenticatorOnly => {
                let authenticator = actor.enrols(app).await;
                Some(authenticator.recovery_codes[0].clone())
            }
        };
        if has != Has::Password {
            let id = app.db.id(actor.id());
            app.db
                .execute(&format!(
                    "update users set password_hash = null where id = {id}"
                ))
                .await;
        }
        Self {
            actor,
            person,
            recovery_code,
        }
    }

    async fn calls(&self, method: &str, route: &str, body: &Value) -> Answer {
        let id = if route.starts_with("/api/organizations") {
            self.actor.organization_id()
        } else {
            self.person.id()
        };
        let mut body = body.clone();
        if let Some(code) = &self.recovery_code {
            body["code"] = json!(code);
        }
        let method = method.to_uppercase().parse().unwrap();
        let call = self.actor.client.call(method, &route.replace("{id}", id));
        call.bearer(&self.actor.token).json(&body).await
    }
}

/// What a refusal must not change.
async fn content(app: &TestApp) -> (Vec<Option<String>>, i64, i64) {
    (
        everything(app).await,
        app.db.count("select count(*) from totp").await,
        app.db.count("select count(*) from recovery_codes").await,
    )
}

#[track_caller]
fn asks_to_reauthenticate(answer: &Answer) {
    answer.refused(
        403,
        "Reauthentication required: please confirm your password or code",
    );
    assert_eq!(
        answer.header("x-error-code"),
        Some("reauthentication_required")
    );
    assert_eq!(
        answer.header("www-authenticate"),
        Some("Bearer error=\"insufficient_user_authentication\", max_age=\"900\"")
    );
}

async fn makes_a_token(actor: &Actor) -> Answer {
    actor
        .post("/api/tokens")
        .json(&json!({"name": "a service"}))
        .await
}

async fn proves_by_slack(app: &SlackApp) {
    let mut owner = app.person("owner").await;
    app.advance(FRESH);
    let begun = begins(&owner, &json!({"returnUrl": RETURN_URL})).await;
    let returned = follows(app, &begun, "owner").await;
    makes_a_token(&owner).await.expect(201);
    assert_eq!(app.me(returned.token()).await["id"], owner.id());
    assert_eq!(app.db.count("select count(*) from sessions").await, 1);

    app.advance(FRESH);
    asks_to_reauthenticate(&makes_a_token(&owner).await);
    let by_code = json!({"returnUrl": RETURN_URL, "codeChallenge": CHALLENGE});
    let begun = begins(&owner, &by_code).await.expect(200);
    let url: Url = begun["url"].as_str().unwrap().parse().unwrap();
    let callback = app.consents(&url, "owner").await;
    let code = app.follows(&callback).await.query["code"].clone();
    asks_to_reauthenticate(&makes_a_token(&owner).await);
    let redeems = json!({"code": code, "codeVerifier": VERIFIER});
    let answer = app.post("/api/auth/slack/token").json(&redeems).await;
    let answer = answer.expect(200);
    assert_eq!(answer["type"], "reauthenticate");
    owner.takes_token(&answer);
    makes_a_token(&owner).await.expect(201);
    let rows =
        "select method as v from audit where action = 'session.reauthenticated' and outcome = 'ok'";
    assert_eq!(app.db.values(rows).await, vec![Some("slack".to_owned()); 2]);
}

async fn begins(actor: &Actor, body: &Value) -> Answer {
    let call = actor.post("/api/auth/slack/reauthenticate");
    call.json(body).await
}

async fn follows(app: &SlackApp, begun: &Answer, persona: &str) -> Returned {
    assert_eq!(begun.expect(200)["type"], "reauthenticate");
    app.consents_to(begun, persona).await
}
