//! Linking a Slack identity to a signed-in account.

use chrono::TimeDelta;
use serde_json::{Value, json};
use url::Url;

use crate::support::slack::{CHALLENGE, RETURN_URL, Returned, VERIFIER};
use crate::support::{Actor, Answer, PASSWORD, SlackApp, on_both_databases};

on_both_databases! {
    async fn a_person_with_a_registered_address_links_and_then_uses_slack(app: SlackApp) {
        let ada = app.signs_up("Acme", "ada@example.com").await;
        app.arrives("registered").await.failed_with("account_exists");
        let returned = app.links(&ada.token, "registered").await;
        let linked = app.me(returned.token()).await;
        assert_eq!(linked["id"], ada.user["id"]);
        assert_ne!(linked["organizationId"], ada.user["organizationId"]);
        assert_eq!(linked["role"], "admin");
        let by_slack = app.signs_in("registered").await;
        assert_eq!(by_slack, linked);
        // The old token still acts for the old organization.
        assert_eq!(ada.me().await.expect(200)["organizationId"], ada.user["organizationId"]);
        assert_eq!(app.db.count("select count(*) from audit where action = 'user.identity_linked'").await, 1);
    }

    async fn linking_a_second_workspace_adds_a_membership(app: SlackApp) {
        let first = app.arrives("owner").await;
        let me = app.me(first.token()).await;
        let authorization =
            app.post("/api/auth/slack/link").bearer(first.token()).json(&json!({"returnUrl": RETURN_URL})).await;
        let returned = follows(&app, &authorization, "second-workspace").await;
        let second = app.me(returned.token()).await;
        assert_eq!(second["id"], me["id"]);
        assert_ne!(second["organizationId"], me["organizationId"]);
        assert_eq!(app.db.count("select count(*) from memberships").await, 2);
        assert_eq!(app.db.count("select count(*) from users").await, 1);
        assert_eq!(app.db.count("select count(*) from identities").await, 2);
        assert_eq!(app.db.count("select count(*) from sessions").await, 1);
        assert_eq!(app.signs_in("owner").await["organizationId"], me["organizationId"]);
        assert_eq!(app.signs_in("second-workspace").await["organizationId"], second["organizationId"]);
    }

    async fn linking_twice_changes_nothing(app: SlackApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        app.links(&ada.token, "member").await.token();
        app.links(&ada.token, "member").await.token();
        assert_eq!(app.db.count("select count(*) from identities").await, 1);
        assert_eq!(app.db.count("select count(*) from memberships").await, 2);
    }

    async fn an_identity_linked_to_another_account_is_not_moved(app: SlackApp) {
        let edsger = app.signs_in("member").await;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        app.links(&ada.token, "member").await.failed_with("account_exists");
        assert_eq!(app.signs_in("member").await, edsger);
        assert_eq!(app.db.count("select count(*) from memberships").await, 2);
    }

    async fn following_a_foreign_link_attaches_no_identity_to_its_maker(app: SlackApp) {
        let mallory = app.signs_up("Evil", "mallory@evil.example").await;
        let authorization = ask(&app, &mallory, &json!({"returnUrl": RETURN_URL})).await.expect(200);
        let url: Url = authorization["url"].as_str().unwrap().parse().unwrap();
        let callback = app.consents(&url, "owner").await;
        // The other person's browser has no cookie of ours, or its own.
        let own = app.starts(RETURN_URL, &[]).await.cookie().to_owned();
        app.get(&callback).await.is_page(400, "sign_in_expired");
        app.get(&callback).header("cookie", &own).await.is_page(400, "sign_in_expired");

        let by_code = json!({"returnUrl": RETURN_URL, "codeChallenge": CHALLENGE});
        let authorization = ask(&app, &mallory, &by_code).await.expect(200);
        let url: Url = authorization["url"].as_str().unwrap().parse().unwrap();
        let callback = app.consents(&url, "owner").await;
        assert!(app.follows(&callback).await.query.contains_key("code"));
        assert_eq!(app.db.count("select count(*) from identities").await, 0);
        assert_eq!(app.db.count("select count(*) from memberships").await, 1);
    }

    async fn with_a_challenge_the_link_is_made_when_the_code_is_redeemed(app: SlackApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let authorization = ask(&app, &ada, &json!({"returnUrl": RETURN_URL, "codeChallenge": CHALLENGE})).await;
        assert!(authorization.header("set-cookie").is_none());
        let url: Url = authorization.expect(200)["url"].as_str().unwrap().parse().unwrap();
        let callback = app.consents(&url, "member").await;
        let code = app.follows(&callback).await.query["code"].clone();
        let answer = app.post("/api/auth/slack/token")
            .json(&json!({"code": code, "codeVerifier": VERIFIER}))
            .await
            .expect(200);
        assert_eq!(answer["user"]["id"], ada.user["id"]);
        assert_eq!(app.db.count("select count(*) from identities").await, 1);
    }

    async fn linking_needs_a_session_that_lasts_until_its_end(app: SlackApp) {
        app.post("/api/auth/slack/link").json(&json!({"returnUrl": RETURN_URL}))
            .await.refused(401, "Authentication required");
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let authorization = ask(&app, &ada, &json!({"returnUrl": RETURN_URL})).await;
        ada.logs_out().await;
        follows(&app, &authorization, "member").await.failed_with("sign_in_expired");
        assert_eq!(app.db.count("select count(*) from identities").await, 0);
        assert_eq!(app.db.count("select count(*) from organizations").await, 1);
    }

    async fn a_session_too_old_for_the_workspace_is_not_linked_to_it(app: SlackApp) {
        let owner = app.arrives("owner").await;
        let organization = app.me(owner.token()).await["organizationId"].as_str().unwrap().to_owned();
        let path = format!("/api/organizations/{organization}");
        let rule = json!({"sessionLifetime": 1800});
        app.client.patch(&path).bearer(owner.token()).json(&rule).await.expect(200);
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        app.advance(TimeDelta::minutes(40));
        ada.reauthenticates(&json!({"password": PASSWORD})).await.expect(200);
        app.links(&ada.token, "member").await.failed_with("sign_in_expired");
        ada.me().await.expect(200);
        ada.refreshes().await.expect(200);
        app.links(&ada.signs_in_again().await.token, "member").await.token();
    }

    async fn linking_obeys_the_same_rules(app: SlackApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        ask(&app, &ada, &json!({"returnUrl": "https://evil.example/"})).await.refused_fields(&["returnUrl"]);
        ask(&app, &ada, &json!({"returnUrl": RETURN_URL, "type": "signin"})).await.refused_fields(&["type"]);
        app.links(&ada.token, "guest").await.failed_with("not_allowed");
        app.links(&ada.token, "deny").await.failed_with("access_denied");
        assert_eq!(app.db.count("select count(*) from identities").await, 0);
    }
}

async fn ask(app: &SlackApp, actor: &Actor, body: &Value) -> Answer {
    app.post("/api/auth/slack/link")
        .bearer(&actor.token)
        .json(body)
        .await
}

async fn follows(app: &SlackApp, authorization: &Answer, persona: &str) -> Returned {
    assert_eq!(authorization.expect(200)["type"], "link");
    app.consents_to(authorization, persona).await
}
