//! Every state of an account has a way on: `docs/account-states.md`, walked.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use chrono::TimeDelta;
use hallpass::domain::{Email, Role};
use hallpass::service::Services;
use hallpass::service::mfa;
use hallpass::service::operations::operator;
use serde_json::json;

use crate::support::mfa::Authenticator;
use crate::support::test_app::{found, operator_context};
use crate::support::{
    Actor, Db, OTHER_PASSWORD, OTHER_SECRET, PASSWORD, SlackApp, TestApp, on_both_databases,
};

const ADA: &str = "ada@acme.example";
const BOB: &str = "bob@acme.example";

on_both_databases! {
    async fn an_unverified_account_with_a_dead_mailbox_gets_another_address(db: Db) {
        let app = TestApp::configured(db, |config| config.accounts.require_verified_email = true).await;
        app.registers("Acme", ADA).await;
        app.tries_to_log_in(ADA, PASSWORD).await.refused(403, "Email not verified");
        let operator_app = app.operator_app().await;
        let services = operator_app.services();
        let user = found(&operator_app, ADA).await.unwrap();
        let new = Email::parse("ada@elsewhere.example").unwrap();
        operator::set_email(services, &operator_context(), user.id, new, false).await.unwrap();
        app.advance(TimeDelta::seconds(1));
        app.resends_verification("ada@elsewhere.example").await.expect(200);
        app.verifies_address("ada@elsewhere.example").await;
        app.logs_in("ada@elsewhere.example", PASSWORD).await;

        // Where they may sign in, they change it themselves.
        let mut app = app;
        app.restart_configured(|config| config.accounts.require_verified_email = false).await;
        app.registers("Beta", "eve@dead.example").await;
        let eve = app.logs_in("eve@dead.example", PASSWORD).await;
        eve.changes_email("eve@beta.example", PASSWORD).await.expect(200);
        app.verifies(&app.mailed_token("eve@beta.example", "confirm_new_email").await).await.expect(200);
        assert!(app.is_verified("eve@beta.example").await);
    }

    async fn an_active_account_ends_by_itself(app: TestApp) {
        let ada = app.signs_up_verified("Acme", ADA).await;
        let bob = app.joins(ada.organization_id(), BOB).await;
        bob.leaves().await;
        app.logs_in(BOB, PASSWORD).await.delete("/api/auth/account").await.expect(200);
        ada.delete("/api/auth/account").await.expect(200);
        assert_eq!(app.db.count("select count(*) from users").await, 0);
    }

    async fn a_locked_account_is_unlocked(db: Db) {
        let app = TestApp::configured(db, |config| config.server.rate_limits = true).await;
        let ada = app.signs_up_verified("Acme", ADA).await;
        app.joins(ada.organization_id(), BOB).await;
        let locks = async |password: &str| {
            // A lock spares the addresses from which the owner has signed in.
            app.db.execute("delete from known_addresses").await;
            for _ in 0..10 {
                app.tries_to_log_in(BOB, "wrong").await.refused(401, "Invalid credentials");
            }
            app.tries_to_log_in(BOB, password).await.refused_with(429, "too_many_attempts");
        };
        locks(PASSWORD).await;
        app.advance(TimeDelta::minutes(16));
        app.logs_in(BOB, PASSWORD).await;

        locks(PASSWORD).await;
        app.forgets_password(BOB).await.expect(200);
        let link = app.mailed_token(BOB, "reset_password").await;
        app.resets_password(&link, OTHER_PASSWORD).await.expect(200);
        app.logs_in(BOB, OTHER_PASSWORD).await;

        locks(OTHER_PASSWORD).await;
        let operator_app = app.operator_app().await;
        let user = found(&operator_app, BOB).await.unwrap();
        operator::unlock_user(operator_app.services(), &operator_context(), user.id).await.unwrap();
        app.logs_in(BOB, OTHER_PASSWORD).await;
    }

    async fn a_forgotten_password_is_replaced_without_a_mail_server(app: TestApp) {
        app.signs_up("Acme", ADA).await;
        let operator_app = app.operator_app().await;
        let services = operator_app.services();
        let user = found(&operator_app, ADA).await.unwrap();
        let url = "https://app.example".parse().unwrap();
        let (link, _) = operator::reset_link(services, &operator_context(), user.id, &url).await.unwrap();
        let token = link.split_once("token=").unwrap().1;
        app.resets_password(token, OTHER_PASSWORD).await.expect(200);
        app.logs_in(ADA, OTHER_PASSWORD).await;
        operator::set_password(services, &operator_context(), &user, PASSWORD).await.unwrap();
        app.logs_in(ADA, PASSWORD).await;
    }

    async fn a_person_without_an_organization_gets_another(app: TestApp) {
        let ada = app.signs_up_verified("Acme", ADA).await;
        let mut bob = app.joins(ada.organization_id(), BOB).await;
        app.verifies_address(BOB).await;
        let leaves = async |bob: &mut Actor| {
            bob.leaves().await;
            *bob = bob.signs_in_again().await;
            let mine = bob.get("/api/organizations").await.expect(200);
            assert_eq!(mine, json!({"organizations": []}));
        };
        leaves(&mut bob).await;
        bob.takes_token(&bob.post("/api/organizations/join").json(&json!({"slug": "acme"})).await.expect(200));

        leaves(&mut bob).await;
        ada.invites(BOB, "manager").await.expect(201);
        let waiting = bob.get("/api/invitations").await.expect(200);
        let accept = format!("/api/invitations/{}/accept", waiting["invitations"][0]["id"].as_str().unwrap());
        bob.takes_token(&bob.post(&accept).await.expect(200));
        assert_eq!(bob.user["role"], "manager");

        leaves(&mut bob).await;
        bob.post("/api/organizations").json(&json!({"name": "Bob's"})).await.expect(201);
        bob.takes_token(&bob.refreshes().await.expect(200));
        assert_eq!(bob.user["role"], "admin");
        let own = json!({"name": "Bob's"});
        bob.delete(&bob.organization_path("")).json(&own).await.expect(200);

        let user = found(&app.operator_app().await, BOB).await.unwrap();
        let (services, acme) = (app.operator_app().await, ada.organization_id().parse().unwrap());
        operator::join(services.services(), &operator_context(), user.id, acme, Role::Employee).await.unwrap();
        assert_eq!(bob.signs_in_again().await.organization_id(), ada.organization_id());
    }

    async fn who_must_enrol_an_authenticator_enrols_it(app: TestApp) {
        let ada = app.signs_up_verified("Acme", ADA).await;
        let bob = app.joins(ada.organization_id(), BOB).await;
        ada.enrols(&app).await;
        ada.sets_rules(&json!({"requireMfa": true})).await;
        bob.get("/api/users").await.refused_with(403, "mfa_enrolment_required");
        bob.enrols(&app).await;
        bob.get("/api/users").await.expect(200);
    }

    async fn a_lost_second_factor_is_replaced(app: TestApp) {
        app.signs_up("Acme", ADA).await;
        let ada = app.logs_in(ADA, PASSWORD).await;
        let lost = ada.enrols(&app).await;
        let token = app.takes_first_step(ADA).await;
        app.shows_code(&token, &lost.recovery_codes[0]).await.expect(200);
        resets_second_factor(app.operator_app().await.services(), &ada).await;
        app.logs_in(ADA, PASSWORD).await;
    }

    async fn an_authenticator_under_a_lost_secret_is_replaced(app: TestApp) {
        let mut app = app;
        let ada = app.signs_up("Acme", ADA).await;
        let lost = ada.enrols(&app).await;
        app.restart_configured(|config| config.tokens.secrets = vec![OTHER_SECRET.into()]).await;
        let token = app.takes_first_step(ADA).await;
        app.shows_code(&token, &lost.code(&app)).await.refused_with(403, "authenticator_unusable");
        let signed_in = app.shows_code(&token, &lost.recovery_codes[0]).await.expect(200);
        let mut ada = ada;
        ada.takes_token(&signed_in);
        let enrolment = ada.begins_enrolment().await.expect(200);
        let new = Authenticator::from_enrolment(&enrolment);
        ada.confirms(&new.code(&app)).await.expect(200);
        resets_second_factor(app.operator_app().await.services(), &ada).await;
        app.logs_in(ADA, PASSWORD).await;
    }

    async fn a_person_of_slack_gets_an_address_and_a_password(app: SlackApp) {
        app.signs_in("owner").await;
        let person = app.person("no-email").await;
        let email = "margaret@example.com";
        person.post("/api/auth/change-email").json(&json!({"email": email})).await.expect(200);
        app.verifies(&app.mailed_token(email, "confirm_new_email").await).await.expect(200);
        person.post("/api/auth/set-password").json(&json!({"newPassword": PASSWORD})).await.expect(200);
        let person = app.logs_in(email, PASSWORD).await;
        person.delete("/api/auth/account").await.expect(200);
        app.person("member").await.delete("/api/auth/account").await.expect(200);
    }

    async fn a_person_removed_from_slack_signs_in_without_an_organization(app: SlackApp) {
        let owner = app.person("owner").await;
        let person = app.person("member").await;
        owner.delete(&owner.organization_path(&format!("/members/{}", person.id()))).await.expect(200);
        let person = app.person("member").await;
        assert_eq!(person.user["organizationId"], json!(null));
        person.delete("/api/auth/account").await.expect(200);
    }

    async fn a_disabled_account_is_enabled(app: TestApp) {
        let ada = app.signs_up_verified("Acme", ADA).await;
        let bob = app.joins(ada.organization_id(), BOB).await;
        for disabled in [true, false] {
            ada.changes(&bob, json!({"disabled": disabled})).await.expect(200);
            let status = if disabled { 401 } else { 200 };
            assert_eq!(app.tries_to_log_in(BOB, PASSWORD).await.status, status);
        }
        app.logs_in(BOB, PASSWORD).await.leaves().await;
        app.disables(BOB).await;
        let operator_app = app.operator_app().await;
        let user = found(&operator_app, BOB).await.unwrap();
        operator::enable_user(operator_app.services(), &operator_context(), user.id).await.unwrap();
        app.logs_in(BOB, PASSWORD).await;
    }
}

#[test]
fn every_state_has_a_way_on() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/account-states.md")).unwrap();
    let code = fs::read_to_string(root.join("tests/it/account_states.rs")).unwrap();
    let arrows: Vec<(&str, &str)> = page
        .lines()
        .filter_map(|line| line.split_once(':')?.0.trim().split_once(" --> "))
        .collect();
    let drawn = |pick: fn(&(&str, &str)) -> String| -> BTreeSet<String> {
        let states = arrows.iter().map(pick);
        states.filter(|state| state != "[*]").collect()
    };
    let (left, entered) = (
        drawn(|(from, _)| (*from).to_owned()),
        drawn(|(_, to)| (*to).to_owned()),
    );
    assert_eq!(left, entered, "each state is entered and left");

    let mut described = BTreeSet::new();
    for section in page.split("\n## ").skip(1) {
        let (state, rest) = section.split_once('\n').unwrap();
        let test = rest.split_once("`account_states::").unwrap().1;
        let test = test.split_once('`').unwrap().0;
        assert!(
            code.contains(&format!("async fn {test}(")),
            "{state}: {test}"
        );
        described.insert(state.to_owned());
    }
    assert_eq!(described, left, "each state is described");
}

async fn resets_second_factor(services: &Services, person: &Actor) {
    let id = person.id().parse().unwrap();
    mfa::reset(services, &operator_context(), id).await.unwrap();
}
