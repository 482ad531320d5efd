//! A person's own account: what it says, a first password, and identities that are unlinked.

use chrono::TimeDelta;
use hallpass::domain::EmailMessage;
use serde_json::{Value, json};
use url::Url;

use crate::support::slack::{CHALLENGE, RETURN_URL, VERIFIER, use_sandbox};
use crate::support::{
    Actor, Answer, Db, OTHER_PASSWORD, PASSWORD, SlackApp, TestApp, on_both_databases,
};

const EDSGER: &str = "edsger@example.com";

on_both_databases! {
    async fn the_account_says_what_the_user_does_not(app: SlackApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        // The one joined first comes first.
        app.advance(TimeDelta::seconds(1));
        let beta = app.registers("Beta", "bob@beta.example").await;
        ada.also_belongs_to(&app, &beta.id, "employee").await;
        let before = account(&ada).await;
        let created_at = before["createdAt"].clone();
        assert!(created_at.as_str().unwrap().ends_with('Z'));
        assert_eq!(before, json!({
            "user": ada.user, "emailVerified": false, "hasPassword": true, "secondFactor": false, "identities": [],
            "createdAt": created_at, "organizations": [
                {"id": ada.organization_id(), "name": "Acme", "slug": "acme", "role": "admin", "current": true},
                {"id": beta.id, "name": "Beta", "slug": "beta", "role": "employee", "current": false},
            ],
        }));
        app.verifies_address(&ada.email).await;
        ada.enrols(&app).await;
        app.links(&ada.token, "second-workspace").await.token();
        let after = account(&ada).await;
        assert_eq!((&after["emailVerified"], &after["secondFactor"]), (&json!(true), &json!(true)));
        assert_eq!(after["organizations"].as_array().unwrap().len(), 3);
        let identity = &after["identities"][0];
        assert_eq!(identity["provider"], "slack");
        assert!(identity["team"].as_str().unwrap().starts_with('T'), "{identity}");
        assert_eq!(uuid::Uuid::parse_str(identity["id"].as_str().unwrap()).unwrap().get_version_num(), 7);
        ada.as_a_service("employee").await.get("/api/auth/account").await.refused(403, "Forbidden");
    }

    async fn somebody_from_slack_ends_with_an_address_and_a_password(app: SlackApp) {
        let margaret = app.person("no-email").await;
        let other = app.person("no-email").await;
        let (email, id) = ("margaret@example.com", only_identity(&margaret).await);
        is_last_way_in(&unlinks(&margaret, &id).await);
        sets_password(&margaret, "short").await.refused_fields(&["newPassword"]);
        sets_password(&margaret, PASSWORD).await.expect(200);
        other.me().await.refused(401, "Token revoked");
        let again = sets_password(&margaret, OTHER_PASSWORD).await;
        again.refused(409, "Password already set: use /api/auth/change-password");
        assert_eq!(again.header("x-error-code"), Some("password_already_set"));
        // Without an address nobody can sign in with a password.
        is_last_way_in(&unlinks(&margaret, &id).await);

        let wanted = margaret.post("/api/auth/change-email").json(&json!({"email": email})).await;
        wanted.refused_fields(&["password"]);
        margaret.changes_email(email, PASSWORD).await.expect(200);
        app.verifies(&app.mailed_token(email, "confirm_new_email").await).await.expect(200);
        let other = app.logs_in(email, PASSWORD).await;
        unlinks(&margaret, &id).await.expect(200);
        unlinks(&margaret, &id).await.refused(404, "Identity not found");
        other.me().await.refused(401, "Token revoked");
        let account = account(&margaret).await;
        assert_eq!((&account["identities"], &account["hasPassword"]), (&json!([]), &json!(true)));
        let told = EmailMessage::SlackLinkChanged { name: "Margaret Hamilton".to_owned(), linked: false };
        assert!(app.emails_to(email).await.contains(&told));
        let rows = "select action || coalesce(detail, '') as v from audit where action in
            ('user.password_changed', 'user.identity_unlinked') order by action";
        let rows = app.db.values(rows).await;
        assert_eq!(rows[1].as_deref(), Some("user.password_changed{\"apiTokensEnded\":0,\"first\":true}"));
        assert!(rows[0].as_deref().unwrap().starts_with("user.identity_unlinked{\"identities\":1,"), "{rows:?}");
        app.logs_in(email, PASSWORD).await;
    }

    async fn an_address_comes_before_a_password_as_well(app: SlackApp) {
        let margaret = app.person("no-email").await;
        let email = "margaret@example.com";
        margaret.post("/api/auth/change-email").json(&json!({"email": email})).await.expect(200);
        app.verifies(&app.mailed_token(email, "confirm_new_email").await).await.expect(200);
        sets_password(&margaret, PASSWORD).await.expect(200);
        let account = account(&app.logs_in(email, PASSWORD).await).await;
        assert_eq!((&account["emailVerified"], &account["hasPassword"]), (&json!(true), &json!(true)));
    }

    async fn signing_in_with_slack_does_not_link_again_what_was_unlinked(app: SlackApp) {
        let edsger = app.person("member").await;
        sets_password(&edsger, PASSWORD).await.expect(200);
        unlinks(&edsger, &only_identity(&edsger).await).await.expect(200);
        app.arrives("member").await.failed_with("account_exists");
        // Without the address, it is another person to us.
        app.slack().change_persona("member", |persona| persona.email = None);
        assert_ne!(app.signs_in("member").await["id"], edsger.id());
        assert_eq!(account(&edsger).await["identities"], json!([]));
        app.links(&edsger.token, "member").await.failed_with("account_exists");
    }

    async fn what_was_unlinked_can_be_linked_again(app: SlackApp) {
        let edsger = app.person("member").await;
        sets_password(&edsger, PASSWORD).await.expect(200);
        let id = only_identity(&edsger).await;
        unlinks(&edsger, &id).await.expect(200);
        app.links(&edsger.token, "member").await.token();
        assert_ne!(only_identity(&edsger).await, id);
        assert_eq!(app.signs_in("member").await["id"], edsger.id());
        let told = EmailMessage::SlackLinkChanged { name: "Edsger Dijkstra".to_owned(), linked: true };
        assert!(app.emails_to(EDSGER).await.contains(&told));
    }

    async fn another_identity_is_a_way_in_where_it_leads_into_an_organization(app: SlackApp) {
        let mut katherine = app.person("owner").await;
        let first = only_identity(&katherine).await;
        katherine.token = app.links(&katherine.token, "second-workspace").await.token().to_owned();
        unlinks(&katherine, &first).await.expect(200);
        let second = only_identity(&katherine).await;
        is_last_way_in(&unlinks(&katherine, &second).await);
        app.links(&katherine.token, "owner").await.token();
        // The other one leads nowhere without a membership.
        let (user, second_id) = (app.db.id(katherine.id()), app.db.id(&second));
        app.db.execute(&format!(
            "delete from memberships where user_id = {user} and organization_id <> (select organization_id from
             workspaces where team_id = (select team_id from identities where id = {second_id}))"
        )).await;
        let katherine = app.person("second-workspace").await;
        is_last_way_in(&unlinks(&katherine, &second).await);
    }

    async fn an_unverified_address_is_no_way_in_where_it_must_be_verified(db: Db) {
        let app = SlackApp(TestApp::with_slack(db, |config| {
            use_sandbox(config);
            config.accounts.require_verified_email = true;
        }).await);
        let edsger = app.person("member").await;
        sets_password(&edsger, PASSWORD).await.expect(200);
        let id = only_identity(&edsger).await;
        is_last_way_in(&unlinks(&edsger, &id).await);
        app.resends_verification(EDSGER).await.expect(200);
        app.verifies_address(EDSGER).await;
        unlinks(&edsger, &id).await.expect(200);
    }

    /// As an instance of the release before does, during an upgrade.
    async fn an_identity_written_without_an_id_gets_one(app: SlackApp) {
        let edsger = app.person("member").await;
        app.db.execute(
            "insert into identities (provider, team_id, external_id, user_id, created_at)
             select provider, 'T0OLD', external_id, user_id, created_at from identities"
        ).await;
        let identities = account(&edsger).await["identities"].clone();
        let old = identities.as_array().unwrap().iter().find(|identity| identity["team"] == "T0OLD").unwrap();
        let id = uuid::Uuid::parse_str(old["id"].as_str().unwrap()).unwrap();
        assert_eq!((id.get_version_num(), id.get_variant()), (4, uuid::Variant::RFC4122));
        unlinks(&edsger, &id.to_string()).await.expect(200);
    }

    async fn only_ones_own_identities_are_unlinked(app: SlackApp) {
        let edsger = app.person("member").await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        unlinks(&ada, &only_identity(&edsger).await).await.refused(404, "Identity not found");
        unlinks(&ada, "x").await.refused(404, "Identity not found");
        assert_eq!(app.db.count("select count(*) from identities").await, 1);
    }

    async fn a_code_issued_before_the_identity_was_unlinked_opens_nothing(app: SlackApp) {
        let edsger = app.person("member").await;
        sets_password(&edsger, PASSWORD).await.expect(200);
        let begun = app.asks_for_url(RETURN_URL, &[("codeChallenge", CHALLENGE)]).await.expect(200);
        let url: Url = begun["url"].as_str().unwrap().parse().unwrap();
        let returned = app.follows(&app.consents(&url, "member").await).await;
        unlinks(&edsger, &only_identity(&edsger).await).await.expect(200);
        let redeem = json!({"code": returned.query["code"], "codeVerifier": VERIFIER});
        app.post("/api/auth/slack/token").json(&redeem).await.refused(400, "Sign-in expired");
    }

    async fn who_is_removed_after_unlinking_stays_out(app: SlackApp) {
        let admin = app.person("owner").await;
        let edsger = app.person("member").await;
        sets_password(&edsger, PASSWORD).await.expect(200);
        unlinks(&edsger, &only_identity(&edsger).await).await.expect(200);
        admin.delete(&format!("/api/users/{}", edsger.id())).await.expect(200);
        stays_out(&app).await;
    }

    async fn who_unlinks_after_a_removal_stays_out(app: SlackApp) {
        let admin = app.person("owner").await;
        let mut ada = app.signs_up("Other", "ada@other.example").await;
        let own = ada.organization_id().to_owned();
        ada.token = app.links(&ada.token, "member").await.token().to_owned();
        admin.delete(&admin.organization_path(&format!("/members/{}", ada.id()))).await.expect(200);
        let ada = app.logs_in(&ada.email, PASSWORD).await;
        assert_eq!(ada.organization_id(), own);
        unlinks(&ada, &only_identity(&ada).await).await.expect(200);
        stays_out(&app).await;
        app.links(&ada.token, "member").await.failed_with("not_allowed");
    }

    async fn an_address_that_slack_confirms_later_fills_an_empty_one(app: SlackApp) {
        let margaret = app.person("no-email").await;
        let now = |email, confirmed| {
            app.slack().change_persona("no-email", |persona| {
                persona.email = Some(email);
                persona.is_email_confirmed = confirmed;
            });
        };
        now("margaret@example.com", false);
        assert_eq!(app.signs_in("no-email").await["email"], Value::Null);
        now("margaret@example.com", true);
        let me = app.signs_in("no-email").await;
        assert_eq!((&me["email"], &me["id"]), (&json!("margaret@example.com"), &margaret.user["id"]));
        assert_eq!(margaret.me().await.expect(200)["email"], "margaret@example.com");
        assert_eq!(account(&margaret).await["emailVerified"], false);
        let rows = "select count(*) from audit where action = 'user.email_changed' and method = 'slack'";
        assert_eq!(app.db.count(rows).await, 1);
        // What is there is not replaced.
        now("hamilton@example.com", true);
        assert_eq!(app.signs_in("no-email").await["email"], "margaret@example.com");
        assert_eq!(app.db.count(rows).await, 1);
    }

    async fn an_address_of_another_account_fills_nothing_and_links_nobody(app: SlackApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let margaret = app.person("no-email").await;
        app.slack().change_persona("no-email", |persona| {
            persona.email = Some(" Ada@Acme.example");
            persona.is_email_confirmed = true;
        });
        let me = app.signs_in("no-email").await;
        assert_eq!((&me["email"], &me["id"]), (&Value::Null, &margaret.user["id"]));
        assert_eq!(account(&ada).await["identities"], json!([]));
    }
}

async fn account(actor: &Actor) -> Value {
    actor.get("/api/auth/account").await.expect(200)
}

async fn only_identity(actor: &Actor) -> String {
    let identities = account(actor).await["identities"].clone();
    let [identity] = identities.as_array().unwrap().as_slice() else {
        panic!("{identities}")
    };
    identity["id"].as_str().unwrap().to_owned()
}

async fn unlinks(actor: &Actor, id: &str) -> Answer {
    let path = format!("/api/auth/identities/{id}");
    actor.delete(&path).await
}

async fn sets_password(actor: &Actor, password: &str) -> Answer {
    let call = actor.post("/api/auth/set-password");
    call.json(&json!({"newPassword": password})).await
}

async fn stays_out(app: &SlackApp) {
    for email in [Some(EDSGER), None, Some("new@example.com")] {
        app.slack()
            .change_persona("member", |persona| persona.email = email);
        app.arrives("member").await.failed_with("not_allowed");
    }
}

#[track_caller]
fn is_last_way_in(answer: &Answer) {
    let message = "The last way to sign in must stay: set a password for your e-mail address first";
    answer.refused(409, message);
    assert_eq!(answer.header("x-error-code"), Some("last_way_in"));
}
