//! Every way into an organization that requires a second factor.

use hallpass::service::mfa;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::mfa::is_to_enrol;
use crate::support::test_app::{found, operator_context};
use crate::support::{
    Actor, Answer, Browser, Db, OTHER_PASSWORD, PASSWORD, SESSION_COOKIE, TestApp, eventually,
    member_body, on_both_databases,
};

const ADA: &str = "ada@acme.example";
const BOB: &str = "bob@acme.example";
const SESSIONS: &str = "select count(*) from sessions where revoked_at is null";

on_both_databases! {
    async fn an_accepted_invitation_gives_a_membership_but_no_token_without_mfa(app: TestApp) {
        let ada = strict(&app).await;
        let bob = app.signs_up("Beta", BOB).await;
        let invitation = is_invited(&app, &ada, BOB).await;
        is_to_enrol(&bob.accepts(&invitation).await.expect(200));
        // To accept again asks for the same.
        let again = bob.accepts(&invitation).await.expect(200);
        let token = is_to_enrol(&again);
        switches(&bob, ada.organization_id()).await.refused(403, "MFA enrolment required");
        // His other session continues, because that organization requires no second factor.
        assert_eq!(bob.me().await.expect(200), bob.user);
        assert_eq!(bob.refreshes().await.expect(200)["user"], bob.user);

        let (_, signed_in) = app.enrols_with(token).await;
        assert_eq!(signed_in["user"]["organizationId"], ada.organization_id());
        assert_eq!(signed_in["user"]["role"], "manager");
        app.get("/api/auth/me").bearer(signed_in["accessToken"].as_str().unwrap()).await.expect(200);
        bob.me().await.refused(401, "Token revoked");
    }

    async fn an_api_token_is_refused_while_its_creator_is_not_enrolled(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        let bob = app.joins(ada.organization_id(), BOB).await;
        let (of_ada, of_bob) = (ada.as_a_service("admin").await, bob.as_a_service("employee").await);
        of_bob.me().await.expect(200);
        ada.requires_mfa(&app).await;
        is_refused_without_mfa(&of_bob.me().await);
        is_refused_without_mfa(&of_bob.get("/api/users").await);
        // A service cannot enrol.
        is_refused_without_mfa(&of_bob.get("/api/auth/mfa").await);
        is_refused_without_mfa(&of_bob.begins_enrolment().await);
        of_ada.me().await.expect(200);

        bob.enrols(&app).await;
        of_bob.me().await.expect(200);
    }

    async fn an_api_token_is_refused_once_its_creator_is_no_longer_enrolled(app: TestApp) {
        let ada = strict(&app).await;
        let mut bob = app.signs_up("Beta", BOB).await;
        let authenticator = bob.enrols(&app).await;
        let of_beta = bob.as_a_service("admin").await;
        let invitation = is_invited(&app, &ada, BOB).await;
        bob.takes_token(&bob.accepts(&invitation).await.expect(200));
        let of_acme = bob.as_a_service("manager").await;
        of_acme.me().await.expect(200);
        // He cannot do it himself.
        bob.delete("/api/auth/mfa/totp")
            .json(&json!({"password": PASSWORD, "code": authenticator.code(&app)}))
            .await
            .refused(409, "MFA required");

        let operator_app = app.operator_app().await;
        let id = found(&operator_app, BOB).await.unwrap().id;
        mfa::reset(operator_app.services(), &operator_context(), id).await.unwrap();
        eventually("the API token is refused", async || of_acme.me().await.status == 403).await;
        is_refused_without_mfa(&of_acme.me().await);
        bob.me().await.refused(401, "Token revoked");
        // Where it is not required, the token keeps working.
        of_beta.me().await.expect(200);
    }

    async fn a_factor_removed_before_it_was_required_is_missed_once_it_is(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        let bob = app.joins(ada.organization_id(), BOB).await;
        let authenticator = bob.enrols(&app).await;
        let service = bob.as_a_service("employee").await;
        let removes = bob.delete("/api/auth/mfa/totp");
        removes.json(&json!({"password": PASSWORD, "code": authenticator.code(&app)})).await.expect(200);
        service.me().await.expect(200);
        ada.requires_mfa(&app).await;
        is_refused_without_mfa(&service.me().await);
        is_refused_without_mfa(&bob.me().await);
    }

    async fn a_new_password_does_not_bypass_it(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        app.joins(ada.organization_id(), BOB).await;
        ada.requires_mfa(&app).await;
        let pending = app.takes_first_step(BOB).await;
        app.begins_enrolment_with(&pending).await.expect(200);
        // Else the reset would end the membership, and no one would ask.
        app.verifies(&app.mailed_token(BOB, "verify_email").await).await.expect(200);
        let sessions = app.db.count(SESSIONS).await;
        app.forgets_password(BOB).await.expect(200);
        let link = app.mailed_token(BOB, "reset_password").await;
        let reset = app.resets_password(&link, OTHER_PASSWORD).await;
        assert_eq!(reset.expect(200), json!({"success": true}));
        assert!(reset.header("set-cookie").is_none());

        // Whatever began with the old password has ended, including Bob's session from before the rule.
        app.begins_enrolment_with(&pending).await.refused(400, "Invalid or expired token");
        assert_eq!(app.db.count(SESSIONS).await, sessions - 1);
        let asked = app.tries_to_log_in(BOB, OTHER_PASSWORD).await.expect(200);
        gets_no_cookie(&app, BOB, OTHER_PASSWORD).await;
        gets_a_locked_session(&app, BOB, OTHER_PASSWORD).await;
        let (_, signed_in) = app.enrols_with(is_to_enrol(&asked)).await;
        assert_eq!(signed_in["user"]["email"], BOB);
    }

    async fn a_verified_address_does_not_bypass_it(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        let bob = app.joins(ada.organization_id(), BOB).await;
        ada.requires_mfa(&app).await;
        let verified = app.verifies(&app.mailed_token(BOB, "verify_email").await).await;
        assert_eq!(verified.expect(200), json!({"success": true}));
        assert!(verified.header("set-cookie").is_none());
        is_refused_without_mfa(&bob.me().await);
        is_to_enrol(&app.tries_to_log_in(BOB, PASSWORD).await.expect(200));
    }

    async fn verification_and_a_second_factor_can_both_be_required(db: Db) {
        let mut app = TestApp::start(db).await;
        let ada = strict(&app).await;
        app.verifies(&app.mailed_token(ADA, "verify_email").await).await.expect(200);
        app.restart_configured(|config| config.accounts.require_verified_email = true).await;
        let joins = async |email: &str| {
            let join = member_body(ada.organization_id(), email);
            let joined = app.post("/api/auth/register").json(&join).await.expect(201);
            assert!(joined.get("accessToken").is_none() && joined.get("mfaToken").is_none(), "{joined}");
            app.tries_to_log_in(email, PASSWORD).await.refused(403, "Email not verified");
        };
        let sessions = app.db.count(SESSIONS).await;
        joins(BOB).await;
        app.verifies(&app.mailed_token(BOB, "verify_email").await).await.expect(200);
        let asked = app.tries_to_log_in(BOB, PASSWORD).await.expect(200);
        gets_no_cookie(&app, BOB, PASSWORD).await;
        gets_a_locked_session(&app, BOB, PASSWORD).await;

        // The link in the reset e-mail verifies the address as well, and ends the membership. To join again takes it.
        let cy = "cy@acme.example";
        joins(cy).await;
        app.forgets_password(cy).await.expect(200);
        let link = app.mailed_token(cy, "reset_password").await;
        app.resets_password(&link, OTHER_PASSWORD).await.expect(200);
        let cy = app.logs_in(cy, OTHER_PASSWORD).await;
        assert_eq!(cy.user["organizationId"], json!(null));
        is_to_enrol(&cy.post(&ada.organization_path("/join")).await.expect(200));
        let invitation = is_invited(&app, &ada, "dee@acme.example").await;
        is_to_enrol(&app.registers_invited("dee@acme.example", &invitation).await.expect(201));
        let locked = "select count(*) from sessions where kind = 'token' and locked";
        assert_eq!(app.db.count(SESSIONS).await, sessions + 1 + app.db.count(locked).await);

        app.enrols_with(is_to_enrol(&asked)).await;
    }

    async fn the_rule_applies_to_every_carrier_at_once_and_elsewhere_within_1s(app: TestApp) {
        let other = app.second_instance().await;
        let ada = app.signs_up("Acme", ADA).await;
        let bob = app.joins(ada.organization_id(), BOB).await;
        let carriers = Carriers::of(&app, &bob).await;
        for instance in [&app, &other] {
            assert_eq!(carriers.statuses(instance).await, [200; 4]);
        }
        ada.requires_mfa(&app).await;
        is_refused_without_mfa(&bob.me().await);
        assert_eq!(carriers.statuses(&app).await, [403; 4]);
        let took = eventually("the other instance has learned of the rule", async || {
            carriers.statuses(&other).await == [403; 4]
        })
        .await;
        eprintln!("`requireMfa` counts on another instance after {} ms", took.as_millis());
        ada.me().await.expect(200);

        // NextAuth's client sees a signed-out session, and the cookie stays: Bob enrols with it.
        assert_eq!(carriers.browser.session().await, json!({}));
        let begun = carriers.browser.call(Method::POST, "/api/auth/mfa/totp").await;
        begun.expect(200);
        bob.enrols(&app).await;
        bob.me().await.expect(200);
        // Sessions without a second factor have ended; the API token was never one of them.
        assert_eq!(carriers.statuses(&app).await, [200, 401, 401, 200]);
    }

    async fn an_admin_must_enrol_before_requiring_it_and_locks_no_one_out(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        let bob = app.joins(ada.organization_id(), BOB).await;
        let service = ada.as_a_service("admin").await;
        let rule = json!({"requireMfa": true});
        let path = ada.organization_path("");
        for admin in [&ada, &service] {
            admin.patch(&path).json(&rule).await.refused(409, "MFA not enrolled");
        }
        assert_eq!(ada.get(&path).await.expect(200)["requireMfa"], false);
        bob.me().await.expect(200);

        let elsewhere = ada.signs_in_again().await;
        ada.requires_mfa(&app).await;
        for admin in [&ada, &service] {
            admin.me().await.expect(200);
        }
        service.patch(&path).json(&rule).await.refused(403, "Forbidden");
        // Enrolling ended it, as it ends every other session.
        elsewhere.me().await.refused(401, "Token revoked");
        // Lifting the rule restores access for everyone it had locked out.
        is_refused_without_mfa(&bob.me().await);
        ada.sets_rules(&json!({"requireMfa": false})).await;
        bob.me().await.expect(200);
    }

    async fn a_person_without_the_required_factor_may_still_sign_out(app: TestApp) {
        let ada = app.signs_up("Acme", ADA).await;
        let bob = app.joins(ada.organization_id(), BOB).await;
        let (second, third) = (bob.signs_in_again().await, bob.signs_in_again().await);
        let service = bob.as_a_service("employee").await;
        ada.requires_mfa(&app).await;
        bob.logs_out().await.expect(200);
        bob.me().await.refused(401, "Token revoked");
        is_refused_without_mfa(&second.me().await);
        second.post("/api/auth/logout-all").await.expect(200);
        third.me().await.refused(401, "Token revoked");
        is_refused_without_mfa(&service.post("/api/auth/logout").await);
    }

    async fn a_tenant_that_requires_it_locks_sessions_of_people_not_enrolled(app: TestApp) {
        let bob = app.signs_up("Beta", BOB).await;
        let ada = strict(&app).await;
        let invitation = is_invited(&app, &ada, BOB).await;
        bob.accepts(&invitation).await.expect(200);
        gets_a_locked_session(&app, BOB, PASSWORD).await;
        let of_beta = session_token(&app, BOB, PASSWORD, "beta").await;
        assert_eq!(of_beta["isUnlocked"], true);
        let locked = session_token(&app, BOB, PASSWORD, "acme").await;

        let authenticator = bob.enrols(&app).await;
        for ended in [&locked, &of_beta] {
            let token = ended["token"].as_str().unwrap();
            unlocks(&app, token, &authenticator.code(&app)).await.refused(401, "Token revoked");
        }
        let locked = session_token(&app, BOB, PASSWORD, "acme").await;
        assert_eq!(locked["isUnlocked"], false);
        let token = locked["token"].as_str().unwrap();
        searches(&app, token).await.refused(403, "Session locked");
        unlocks(&app, token, &authenticator.code(&app)).await.expect(200);
        searches(&app, token).await.expect(200);
    }

    async fn the_cookie_of_one_organization_does_not_open_another(app: TestApp) {
        let bob = app.signs_up("Beta", BOB).await;
        let ada = strict(&app).await;
        let invitation = is_invited(&app, &ada, BOB).await;
        bob.accepts(&invitation).await.expect(200);
        let browser = Browser::new(&app);
        // NextAuth signs in to the organization that was joined first.
        browser.signs_in(BOB, PASSWORD).await.expect(200);
        let into_acme = json!({"organizationId": ada.organization_id()});
        let switches = || browser.call(Method::POST, "/api/auth/refresh").json(&into_acme);
        let refused = switches().await;
        refused.refused(403, "MFA enrolment required");
        assert!(refused.header("set-cookie").is_none());
        assert_eq!(browser.session().await["user"], bob.user);

        let authenticator = bob.enrols(&app).await;
        let code = authenticator.code(&app);
        let with_code = [("email", BOB), ("password", PASSWORD), ("code", &*code), ("json", "true")];
        browser.post_form("/api/auth/callback/credentials", &with_code).await.expect(200);
        let switched = switches().await.expect(200);
        assert_eq!(switched["user"]["organizationId"], ada.organization_id());
    }
}

/// Ada's organization, which requires a second factor; she has one.
async fn strict(app: &TestApp) -> Actor {
    let ada = app.signs_up("Acme", ADA).await;
    ada.requires_mfa(app).await;
    ada
}

impl Actor {
    /// Requires a second factor of everyone in the organization, as an admin who has one.
    async fn requires_mfa(&self, app: &TestApp) {
        self.enrols(app).await;
        self.sets_rules(&json!({"requireMfa": true})).await;
    }
}

async fn is_invited(app: &TestApp, inviter: &Actor, email: &str) -> String {
    app.verifies_address(&inviter.email).await;
    inviter.invites(email, "manager").await.expect(201);
    app.mailed_token(email, "invitation").await
}

async fn switches(actor: &Actor, organization_id: &str) -> Answer {
    let body = json!({"organizationId": organization_id});
    actor.post("/api/auth/refresh").json(&body).await
}

#[track_caller]
fn is_refused_without_mfa(answer: &Answer) {
    answer.refused(403, "MFA enrolment required");
    assert_eq!(
        answer.header("x-error-code"),
        Some("mfa_enrolment_required")
    );
}

/// NextAuth's client cannot enrol, so it gets an error and no cookie.
async fn gets_no_cookie(app: &TestApp, email: &str, password: &str) {
    let browser = Browser::new(app);
    let refused = browser.signs_in(email, password).await;
    let next = refused.expect(403)["url"].to_string();
    assert!(next.contains("error=MfaEnrolmentRequired"), "{next}");
    assert_eq!(browser.cookie(SESSION_COOKIE), None);
}

/// Clients with session tokens cannot either: their session stays locked.
async fn gets_a_locked_session(app: &TestApp, email: &str, password: &str) {
    let locked = session_token(app, email, password, "acme").await;
    assert_eq!(locked["isUnlocked"], false);
    assert_eq!(locked["settings"]["requireMfa"], true);
    let token = locked["token"].as_str().unwrap();
    searches(app, token).await.refused(403, "Session locked");
    unlocks(app, token, "123456")
        .await
        .refused(409, "MFA not enrolled");
    app.get("/api/auth/me")
        .bearer(token)
        .await
        .refused(401, "Invalid token");
}

async fn session_token(app: &TestApp, email: &str, password: &str, tenant: &str) -> Value {
    let body = json!({"name": email, "password": password, "returnToken": true, "tenant": tenant});
    app.post("/api/v1/login").json(&body).await.expect(200)
}

async fn searches(app: &TestApp, token: &str) -> Answer {
    app.post(&format!("/api/v1/search?token={token}"))
        .json(&json!({"from": 0, "size": 1}))
        .await
}

async fn unlocks(app: &TestApp, token: &str, code: &str) -> Answer {
    app.post(&format!("/api/v1/unlock?token={token}"))
        .json(&json!({"code": code}))
        .await
}

/// All carriers of one person.
struct Carriers {
    bearer: Actor,
    browser: Browser,
    session_token: String,
    service: Actor,
}

impl Carriers {
    async fn of(app: &TestApp, actor: &Actor) -> Self {
        let browser = Browser::new(app);
        browser
            .signs_in(&actor.email, &actor.password)
            .await
            .expect(200);
        let session = session_token(app, &actor.email, &actor.password, "acme").await;
        Self {
            bearer: actor.clone(),
            browser,
            session_token: session["token"].as_str().unwrap().to_owned(),
            service: actor.as_a_service("employee").await,
        }
    }

    /// Bearer, cookie, session token, API token.
    async fn statuses(&self, instance: &TestApp) -> [u16; 4] {
        let cookie = self.browser.cookie(SESSION_COOKIE).unwrap();
        let by_cookie = instance
            .get("/api/auth/me")
            .header("cookie", &format!("{SESSION_COOKIE}={cookie}"));
        [
            self.bearer.at(instance).me().await,
            by_cookie.await,
            searches(instance, &self.session_token).await,
            self.service.at(instance).me().await,
        ]
        .map(|answer| answer.status.as_u16())
    }
}
