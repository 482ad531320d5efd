//! How long tokens and sessions last: the settings, and the shorter lifetimes of an organization.

use chrono::TimeDelta;
use hallpass::config::Config;
use hallpass::service::sessions::housekeeping;
use serde_json::{Value, json};

use crate::support::slack::use_sandbox;
use crate::support::{
    Actor, Answer, Browser, Db, OTHER_PASSWORD, PASSWORD, SESSION_COOKIE, SlackApp, TestApp,
    eventually, jwt, member_body, on_both_databases,
};

const ADA: &str = "ada@acme.example";
const BOB: &str = "bob@beta.example";

/// Settings as they are written in the environment; `""` for no idle time.
fn set(token: &str, session: &str, idle: &str) -> impl FnOnce(&mut Config) {
    move |config| {
        let lifetimes = &mut config.tokens.lifetimes;
        lifetimes.token = token.parse().unwrap();
        lifetimes.session = session.parse().unwrap();
        lifetimes.idle = idle.parse().ok();
    }
}

/// The life that the answer names, which is also that of its token.
#[track_caller]
fn life(answer: &Value) -> i64 {
    let claims = jwt::claims(answer["accessToken"].as_str().unwrap());
    let life = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert_eq!(answer["expiresIn"], life);
    life
}

async fn session_token(app: &TestApp, email: &str) -> String {
    let body = json!({"name": email, "password": PASSWORD, "returnToken": true});
    let answer = app.post("/api/v1/login").json(&body).await.expect(200);
    answer["token"].as_str().unwrap().to_owned()
}

async fn searches(app: &TestApp, token: &str) -> Answer {
    let body = json!({"from": 0, "size": 10});
    app.post(&format!("/api/v1/search?token={token}"))
        .json(&body)
        .await
}

async fn switches(actor: &Actor, organization_id: &str) -> Answer {
    let body = json!({"organizationId": organization_id});
    actor.post("/api/auth/refresh").json(&body).await
}

fn is_expired(answer: &Answer) {
    answer.refused(401, "Token expired");
    assert_eq!(answer.header("x-error-code"), Some("token_expired"));
}

#[track_caller]
fn is_too_old(answer: &Answer) {
    answer.refused_with(403, "session_too_old");
    assert_eq!(answer.header("www-authenticate"), None);
}

#[track_caller]
fn has_max_age(answer: &Answer, seconds: i64) {
    let cookies = answer.headers.get_all("set-cookie").iter();
    let part = format!("; Max-Age={seconds};");
    let cookies: Vec<&str> = cookies.map(|cookie| cookie.to_str().unwrap()).collect();
    assert!(
        cookies.iter().any(|cookie| cookie.contains(&part)),
        "{part}: {cookies:?}"
    );
}

impl Browser {
    /// Reads the session as a page does, and returns when the token expires after now.
    async fn expires_in(&self, app: &TestApp) -> i64 {
        let session = self.session().await;
        let expires = session["expires"]
            .as_str()
            .unwrap_or_else(|| panic!("{session}"));
        let claims = jwt::claims(&self.cookie(SESSION_COOKIE).unwrap());
        let expires = chrono::DateTime::parse_from_rfc3339(expires)
            .unwrap()
            .timestamp();
        assert_eq!(claims["exp"], expires);
        expires - app.clock.timestamp()
    }
}

on_both_databases! {
    async fn every_answer_and_cookie_follows_the_token_lifetime(db: Db) {
        let app = TestApp::configured(db, set("1h", "90d", "")).await;
        let ada = app.signs_up("Acme", ADA).await;
        let join = member_body(ada.organization_id(), "eve@acme.example");
        assert_eq!(life(&app.post("/api/auth/register").json(&join).await.expect(201)), 3600);
        let login = json!({"email": ADA, "password": PASSWORD});
        assert_eq!(life(&app.post("/api/auth/login").json(&login).await.expect(200)), 3600);
        assert_eq!(life(&ada.refreshes().await.expect(200)), 3600);
        let beta = app.registers("Beta", BOB).await;
        let joined = ada.post(&format!("/api/organizations/{}/join", beta.id)).await.expect(200);
        assert_eq!(life(&joined), 3600);

        let browser = Browser::new(&app);
        has_max_age(&browser.signs_in(ADA, PASSWORD).await, 3600);
        assert_eq!(browser.expires_in(&app).await, 3600);
        app.advance(TimeDelta::minutes(8));
        assert_eq!(browser.expires_in(&app).await, 3600 - 480);
        app.advance(TimeDelta::minutes(1));
        has_max_age(&browser.get("/api/auth/session").await, 3600);
        assert_eq!(browser.expires_in(&app).await, 3600);
        app.advance(TimeDelta::minutes(51));
        is_expired(&ada.me().await);
    }

    async fn a_lower_session_lifetime_ends_existing_sessions(db: Db) {
        let mut app = TestApp::start(db).await;
        let mut ada = app.signs_up("Acme", ADA).await;
        let token = session_token(&app, ADA).await;
        let browser = Browser::new(&app);
        browser.signs_in(ADA, PASSWORD).await.expect(200);
        app.advance(TimeDelta::days(2));
        ada.takes_token(&ada.refreshes().await.expect(200));
        browser.expires_in(&app).await;
        app.restart_configured(set("7d", "3d", "")).await;
        ada.me().await.expect(200);
        assert_eq!(life(&ada.refreshes().await.expect(200)), 86_400);
        assert_eq!(ada.sessions().await.len(), 3);

        app.advance(TimeDelta::days(1));
        is_expired(&ada.me().await);
        is_expired(&ada.refreshes().await);
        is_expired(&searches(&app, &token).await);
        assert_eq!(browser.session().await, json!({}));
        let again = ada.signs_in_again().await;
        assert_eq!(life(&again.refreshes().await.expect(200)), 3 * 86_400);
        let sessions = again.sessions().await;
        assert_eq!((sessions.len(), &sessions[0]["current"]), (1, &json!(true)));
    }

    async fn an_idle_session_ends_and_a_used_one_does_not(db: Db) {
        let app = TestApp::configured(db, set("7d", "1d", "30m")).await;
        let idle = app.signs_up("Acme", ADA).await;
        let mut used = idle.signs_in_again().await;
        for _ in 0..3 {
            app.advance(TimeDelta::minutes(29));
            let answer = used.refreshes().await.expect(200);
            assert_eq!(life(&answer), 1800);
            used.takes_token(&answer);
        }
        is_expired(&idle.me().await);
        is_expired(&idle.refreshes().await);
        assert_eq!(used.sessions().await.len(), 1);
        // A refresh soon after the last stored use counts from that.
        app.advance(TimeDelta::minutes(3));
        assert_eq!(life(&used.refreshes().await.expect(200)), 1800 - 180);
        app.advance(TimeDelta::minutes(27));
        is_expired(&used.me().await);
    }

    async fn a_cookie_in_use_outlives_its_idle_time(db: Db) {
        let app = TestApp::configured(db, set("7d", "1h", "14m")).await;
        app.signs_up("Acme", ADA).await;
        let browser = Browser::new(&app);
        has_max_age(&browser.signs_in(ADA, PASSWORD).await, 840);
        for _ in 0..4 {
            app.advance(TimeDelta::minutes(13));
            browser.session().await;
        }
        assert_eq!(browser.expires_in(&app).await, 480);
        app.advance(TimeDelta::minutes(8));
        assert_eq!(browser.session().await, json!({}));
        browser.signs_in(ADA, PASSWORD).await;
        app.advance(TimeDelta::minutes(14));
        assert_eq!(browser.session().await, json!({}));
    }

    async fn a_session_token_follows_the_settings_and_lives_by_its_use(db: Db) {
        let app = TestApp::configured(db, set("7d", "1h", "14m")).await;
        app.registers("Acme", ADA).await;
        let used = session_token(&app, ADA).await;
        let idle = session_token(&app, ADA).await;
        // Requests do not renew the cookie, so it lives as long as a session in use.
        let login = app.post("/api/v1/login").json(&json!({"name": ADA, "password": PASSWORD}));
        has_max_age(&login.await, 3600);
        for _ in 0..4 {
            app.advance(TimeDelta::minutes(12));
            searches(&app, &used).await.expect(200);
        }
        is_expired(&searches(&app, &idle).await);
        app.advance(TimeDelta::minutes(12));
        is_expired(&searches(&app, &used).await);
    }

    async fn an_admin_shortens_lifetimes_and_never_above_the_instance(db: Db) {
        let app = TestApp::configured(db, set("1d", "30d", "")).await;
        let ada = app.signs_up("Acme", ADA).await;
        let path = ada.organization_path("");
        let none = json!({"tokenLifetime": null, "sessionLifetime": null, "sessionIdle": null});
        let of = |organization: Value| json!({
            "tokenLifetime": organization["tokenLifetime"],
            "sessionLifetime": organization["sessionLifetime"],
            "sessionIdle": organization["sessionIdle"],
        });
        assert_eq!(of(ada.get(&path).await.expect(200)), none);
        let rule = json!({"tokenLifetime": 3600, "sessionLifetime": 86_400, "sessionIdle": 7200});
        assert_eq!(of(ada.patch(&path).json(&rule).await.expect(200)), rule);
        assert_eq!(of(ada.get(&path).await.expect(200)), rule);
        let audited = "select detail as v from audit where action = 'organization.updated'";
        let detail = app.db.values(audited).await.remove(0).unwrap();
        let detail: Value = serde_json::from_str(&detail).unwrap();
        assert_eq!(detail["tokenLifetime"], json!([null, 3600]));
        assert_eq!(detail["sessionLifetime"], json!([null, 86_400]));
        assert_eq!(detail["sessionIdle"], json!([null, 7200]));

        let part = json!({"sessionIdle": null, "name": "Beta"});
        ada.patch(&path).json(&part).await.expect(200);
        let kept = json!({"tokenLifetime": 3600, "sessionLifetime": 86_400, "sessionIdle": null});
        assert_eq!(of(ada.get(&path).await.expect(200)), kept);
        let above = json!({"tokenLifetime": 86_401, "sessionLifetime": 2_592_001, "sessionIdle": 7200});
        ada.patch(&path).json(&above).await.refused_fields(&["tokenLifetime", "sessionLifetime"]);
        for bad in [json!(299), json!(0), json!(-1), json!(31_536_001), json!(600.5), json!("1h"), json!(true)] {
            let all = json!({"tokenLifetime": bad, "sessionLifetime": bad, "sessionIdle": bad});
            let refused = ada.patch(&path).json(&all).await;
            refused.refused_fields(&["tokenLifetime", "sessionLifetime", "sessionIdle"]);
        }
        assert_eq!(of(ada.get(&path).await.expect(200)), kept);
        assert_eq!(of(ada.patch(&path).json(&none).await.expect(200)), none);
    }

    async fn every_sign_in_follows_the_stricter_of_setting_and_rule(app: SlackApp) {
        let mut ada = app.signs_up("Acme", ADA).await;
        ada.sets_rules(&json!({"tokenLifetime": 3600, "sessionLifetime": 1800})).await;
        ada.takes_token(&ada.refreshes().await.expect(200));
        let login = json!({"email": ADA, "password": PASSWORD});
        assert_eq!(life(&app.post("/api/auth/login").json(&login).await.expect(200)), 1800);
        let join = member_body(ada.organization_id(), "eve@acme.example");
        assert_eq!(life(&app.post("/api/auth/register").json(&join).await.expect(201)), 1800);
        has_max_age(&Browser::new(&app).signs_in(ADA, PASSWORD).await, 1800);
        has_max_age(&app.post("/api/v1/login").json(&json!({"name": ADA, "password": PASSWORD})).await, 1800);

        // A workspace is an organization with rules of its own.
        let owner = app.signs_in("owner").await;
        let first = app.arrives("owner").await;
        assert_eq!(first.fragment["expiresIn"], "604800");
        let path = format!("/api/organizations/{}", owner["organizationId"].as_str().unwrap());
        app.client.patch(&path).bearer(first.token()).json(&json!({"sessionIdle": 600})).await.expect(200);
        let second = app.arrives("owner").await;
        assert_eq!(second.fragment["expiresIn"], "600");
        app.advance(TimeDelta::minutes(10));
        is_expired(&app.get("/api/auth/me").bearer(second.token()).await);
    }

    async fn a_shorter_rule_counts_at_once_for_existing_sessions(app: TestApp) {
        let other = app.second_instance().await;
        let ada = app.signs_up("Acme", ADA).await;
        let eve = app.joins(ada.organization_id(), "eve@acme.example").await;
        let token = session_token(&app, "eve@acme.example").await;
        let bob = app.signs_up("Beta", BOB).await;
        app.advance(TimeDelta::hours(2));
        eve.me().await.expect(200);
        let admin = ada.signs_in_again().await;
        admin.sets_rules(&json!({"sessionIdle": 3600})).await;
        is_expired(&eve.me().await);
        is_expired(&searches(&app, &token).await);
        bob.me().await.expect(200);
        eventually("the other instance knows", async || {
            eve.at(&other).me().await.status == 401
        })
        .await;
        is_expired(&eve.at(&other).me().await);

        admin.sets_rules(&json!({"sessionIdle": null, "sessionLifetime": 3600})).await;
        eve.me().await.refused(401, "Token revoked");
        eve.refreshes().await.refused(401, "Token revoked");
        let eve = eve.signs_in_again().await;
        admin.sets_rules(&json!({"sessionLifetime": null, "tokenLifetime": 300})).await;
        // A shorter life of tokens is for new ones: no one is signed out.
        assert_eq!(life(&eve.refreshes().await.expect(200)), 300);
    }

    async fn a_switch_follows_the_organization_that_it_leads_to(app: TestApp) {
        let bob = app.signs_up("Beta", BOB).await;
        bob.sets_rules(&json!({"sessionIdle": 3600, "sessionLifetime": 86_400})).await;
        let mut ada = app.signs_up("Acme", ADA).await;
        let (acme, beta) = (ada.organization_id().to_owned(), bob.organization_id().to_owned());
        app.advance(TimeDelta::hours(2));
        switches(&ada, &beta).await.refused(404, "Organization not found");
        let join = format!("/api/organizations/{beta}/join");
        ada.post(&join).await.refused(403, "Reauthentication required: please confirm your password or code");
        ada.takes_token(&ada.refreshes().await.expect(200));
        assert_eq!(life(&ada.post(&join).await.expect(200)), 3600);
        assert_eq!(life(&switches(&ada, &acme).await.expect(200)), 604_800);

        app.advance(TimeDelta::hours(2));
        let refused = switches(&ada, &beta).await;
        assert_eq!(refused.header("x-error-code"), Some("reauthentication_required"));
        ada.me().await.expect(200);
        ada.reauthenticates(&json!({"password": PASSWORD})).await.expect(200);
        assert_eq!(life(&switches(&ada, &beta).await.expect(200)), 3600);
        assert_eq!(life(&switches(&ada, &acme).await.expect(200)), 604_800);
        app.advance(TimeDelta::hours(21));
        ada.takes_token(&ada.refreshes().await.expect(200));
        is_too_old(&switches(&ada, &beta).await);
        assert_eq!(life(&ada.refreshes().await.expect(200)), 604_800);
    }

    async fn a_session_too_old_for_another_organization_goes_on_in_its_own(app: TestApp) {
        let ada = app.signs_up_verified("Acme", ADA).await;
        ada.sets_rules(&json!({"sessionLifetime": 1800})).await;
        let acme = ada.organization_id().to_owned();
        let link = ada.post(&ada.organization_path("/join-links")).json(&json!({"role": "employee"})).await;
        let link = link.expect(201)["token"].clone();
        ada.invites(BOB, "employee").await.expect(201);
        let invitation = app.mailed_token(BOB, "invitation").await;
        let bob = app.signs_up_verified("Beta", BOB).await;
        let elsewhere = app.signs_up("Gamma", "eve@gamma.example").await;
        elsewhere.also_belongs_to(&app, &acme, "employee").await;
        app.advance(TimeDelta::minutes(40));

        is_too_old(&switches(&elsewhere, &acme).await);
        is_too_old(&elsewhere.post("/api/organizations/join").json(&json!({"token": link})).await);
        for by in [json!({"token": link}), json!({"slug": "acme"})] {
            is_too_old(&bob.post("/api/organizations/join").json(&by).await);
        }
        is_too_old(&bob.post(&format!("/api/organizations/{acme}/join")).await);
        is_too_old(&bob.accepts(&invitation).await);
        let own = bob.get("/api/invitations").await.expect(200);
        let id = own["invitations"][0]["id"].as_str().unwrap();
        is_too_old(&bob.post(&format!("/api/invitations/{id}/accept")).await);
        let page = app.post("/join").header("cookie", &format!("{SESSION_COOKIE}={}", bob.token));
        let page = page.header("origin", "http://localhost").form(&[("token", link.as_str().unwrap())]).await;
        assert_eq!(page.status, 403);
        assert!(page.text().contains("asks you to sign in again"), "{}", page.text());
        assert_eq!(app.db.count("select count(*) from memberships").await, 4);
        for live in [&bob, &elsewhere] {
            live.me().await.expect(200);
            live.refreshes().await.expect(200);
        }
        let again = bob.signs_in_again().await;
        assert_eq!(life(&again.accepts(&invitation).await.expect(200)), 1800);
    }

    async fn a_session_too_old_for_the_usual_organization_stays_without(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        app.joins(ada.organization_id(), BOB).await.leaves().await;
        let bob = app.logs_in(BOB, PASSWORD).await;
        ada.sets_rules(&json!({"sessionLifetime": 1800})).await;
        app.advance(TimeDelta::minutes(40));
        let again = bob.signs_in_again().await;
        again.post(&ada.organization_path("/join")).await.expect(200);
        assert_eq!(bob.refreshes().await.expect(200)["user"]["organizationId"], json!(null));
        is_too_old(&switches(&bob, ada.organization_id()).await);
    }

    async fn sessions_that_have_ended_stay_so_under_longer_rules(app: TestApp) {
        for (rule, longer) in [
            (json!({"sessionIdle": 600}), json!({"sessionIdle": 1800})),
            (json!({"sessionIdle": 600}), json!({"sessionIdle": null})),
            (json!({"sessionLifetime": 900}), json!({"sessionLifetime": 3600})),
            (json!({"sessionLifetime": 900}), json!({"sessionLifetime": null})),
            (json!({"sessionIdle": 600, "sessionLifetime": 900}), json!({"sessionIdle": null, "sessionLifetime": null})),
        ] {
            let email = format!("{}@acme.example", app.db.count("select count(*) from users").await);
            let ended = app.signs_up("Acme", &email).await;
            let token = session_token(&app, &email).await;
            let browser = Browser::new(&app);
            browser.signs_in(&email, PASSWORD).await.expect(200);
            ended.sets_rules(&rule).await;
            app.advance(TimeDelta::minutes(20));
            let admin = ended.signs_in_again().await;
            let live = ended.signs_in_again().await;
            assert_eq!(admin.sessions().await.len(), 2);
            admin.sets_rules(&longer).await;
            assert_eq!(admin.sessions().await.len(), 2);
            ended.me().await.refused(401, "Token revoked");
            ended.refreshes().await.refused(401, "Token revoked");
            searches(&app, &token).await.refused(401, "Token revoked");
            assert_eq!(browser.session().await, json!({}));
            for live in [&admin, &live] {
                live.me().await.expect(200);
                live.refreshes().await.expect(200);
            }
        }
        let without = "select count(*) from audit where action = 'session.ended' and organization_id is null";
        assert_eq!(app.db.count(without).await, 0);
        let with = "select count(*) from audit where action = 'session.ended'";
        assert_eq!(app.db.count(with).await, 5);
    }

    async fn a_longer_rule_for_other_things_ends_no_session(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        ada.sets_rules(&json!({"tokenLifetime": 600, "sessionIdle": 900})).await;
        let other = ada.signs_in_again().await;
        app.advance(TimeDelta::minutes(10));
        let admin = ada.signs_in_again().await;
        admin.sets_rules(&json!({"tokenLifetime": null, "sessionIdle": null})).await;
        admin.sets_rules(&json!({"sessionIdle": 600})).await;
        assert_eq!(admin.sessions().await.len(), 1);
        admin.sets_rules(&json!({"name": "Acme Works"})).await;
        assert_eq!(app.db.count("select count(*) from sessions where revoked_at is not null").await, 0);
        is_expired(&other.me().await);
    }

    async fn housekeeping_ends_for_good_what_rules_and_settings_have_ended(db: Db) {
        let mut app = TestApp::start(db).await;
        let idle = app.signs_up("Acme", ADA).await;
        let mut live = idle.signs_in_again().await;
        let old = app.signs_up("Beta", BOB).await;
        old.sets_rules(&json!({"sessionLifetime": 3600})).await;
        app.restart_configured(set("7d", "90d", "90m")).await;
        for _ in 0..2 {
            app.advance(TimeDelta::hours(1));
            live.takes_token(&live.refreshes().await.expect(200));
        }
        let operator = app.operator_app().await;
        housekeeping::close_ended(operator.services()).await.unwrap();
        app.db.execute("update organizations set session_lifetime = null").await;
        app.restart_configured(set("7d", "90d", "")).await;
        live.me().await.expect(200);
        for ended in [&idle, &old] {
            ended.me().await.refused(401, "Token revoked");
            ended.refreshes().await.refused(401, "Token revoked");
        }
        assert_eq!(live.sessions().await.len(), 1);
    }

    async fn ended_sessions_lose_tokens_of_longer_lifetimes_too(app: TestApp) {
        let bob = app.signs_up("Beta", BOB).await;
        bob.sets_rules(&json!({"sessionIdle": 300})).await;
        let ada = app.signs_up("Acme", ADA).await;
        ada.post(&format!("/api/organizations/{}/join", bob.organization_id())).await.expect(200);
        app.advance(TimeDelta::hours(1));
        ada.me().await.expect(200);
        let body = json!({"email": ADA, "password": PASSWORD, "organizationId": ada.organization_id()});
        let mut other = ada.clone();
        other.takes_token(&app.post("/api/auth/login").json(&body).await.expect(200));
        other.changes_password(PASSWORD, OTHER_PASSWORD).await.expect(200);
        ada.me().await.refused(401, "Token revoked");
    }
}

#[actix_web::test]
async fn a_slack_sign_in_follows_the_settings() {
    let app = TestApp::with_slack(Db::sqlite(), |config| {
        use_sandbox(config);
        set("2h", "90d", "")(config);
    });
    let app = SlackApp(app.await);
    assert_eq!(app.arrives("owner").await.fragment["expiresIn"], "7200");
}
