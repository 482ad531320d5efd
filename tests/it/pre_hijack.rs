//! Account pre-hijacking: registering someone else's address in advance gains nothing.

use serde_json::json;

use crate::support::slack::RETURN_URL;
use crate::support::{
    OTHER_PASSWORD, PASSWORD, SlackApp, TestApp, on_both_databases, organization_body,
};

const VICTIM: &str = "victim@acme.example";

on_both_databases! {
    async fn the_owner_of_the_mailbox_takes_the_account_over(app: TestApp) {
        let attacker = app.signs_up("Evil", VICTIM).await;
        let elsewhere = attacker.signs_in_again().await;
        attacker.changes_email("attacker@evil.example", PASSWORD).await.expect(200);
        let waiting = app.mailed_token("attacker@evil.example", "confirm_new_email").await;
        app.forgets_password(VICTIM).await.expect(200);
        let token = app.mailed_token(VICTIM, "reset_password").await;
        app.resets_password(&token, OTHER_PASSWORD).await.expect(200);

        attacker.me().await.refused(401, "Token revoked");
        elsewhere.refreshes().await.refused(401, "Token revoked");
        app.tries_to_log_in(VICTIM, PASSWORD).await.refused(401, "Invalid credentials");
        app.verifies(&waiting).await.refused(400, "Invalid or expired token");
        let victim = app.logs_in(VICTIM, OTHER_PASSWORD).await;
        assert_eq!(victim.id(), attacker.id());
        assert_eq!(victim.user["role"], "admin");
        assert!(app.is_verified(VICTIM).await);
    }

    async fn the_address_stays_registered_and_a_reset_gives_access(app: TestApp) {
        app.registers("Evil", VICTIM).await;
        app.post("/api/auth/register").json(&organization_body("Acme", VICTIM))
            .await.refused(409, "Email already registered");
        app.forgets_password(VICTIM).await.expect(200);
        app.resets_password(&app.mailed_token(VICTIM, "reset_password").await, OTHER_PASSWORD).await.expect(200);
        app.logs_in(VICTIM, OTHER_PASSWORD).await;
    }

    async fn an_identity_linked_before_verification_no_longer_signs_in(app: SlackApp) {
        let attacker = app.signs_up("Evil", VICTIM).await;
        links(&app, &attacker.token, "member").await;
        assert_eq!(app.signs_in("member").await["id"], attacker.id());
        app.forgets_password(VICTIM).await.expect(200);
        app.resets_password(&app.mailed_token(VICTIM, "reset_password").await, OTHER_PASSWORD).await.expect(200);

        assert_eq!(app.db.count("select count(*) from identities").await, 0);
        let newcomer = app.signs_in("member").await;
        assert_ne!(newcomer["id"], attacker.id());
        assert_eq!(app.logs_in(VICTIM, OTHER_PASSWORD).await.id(), attacker.id());
    }

    async fn a_verified_account_keeps_its_identities_through_a_reset(app: SlackApp) {
        let ada = app.signs_up("Acme", VICTIM).await;
        app.verifies(&app.mailed_token(VICTIM, "verify_email").await).await.expect(200);
        links(&app, &ada.token, "member").await;
        app.forgets_password(VICTIM).await.expect(200);
        app.resets_password(&app.mailed_token(VICTIM, "reset_password").await, OTHER_PASSWORD).await.expect(200);
        assert_eq!(app.signs_in("member").await["id"], ada.id());
    }

    async fn an_address_reported_by_slack_belongs_to_the_mailbox_owner(app: SlackApp) {
        let reported = app.signs_in("member").await;
        let email = reported["email"].as_str().unwrap();
        app.post("/api/auth/register").json(&organization_body("Acme", email))
            .await.refused(409, "Email already registered");
        app.forgets_password(email).await.expect(200);
        app.resets_password(&app.mailed_token(email, "reset_password").await, OTHER_PASSWORD).await.expect(200);
        let owner = app.logs_in(email, OTHER_PASSWORD).await;
        assert_eq!(owner.id(), reported["id"]);
        // The reset unlinked the Slack identity, and its address now belongs to the account.
        app.arrives("member").await.failed_with("account_exists");
        // The owner of both can link them again.
        links(&app, &owner.token, "member").await;
        assert_eq!(app.signs_in("member").await["id"], owner.id());
    }

    async fn an_unverified_account_gains_nothing_from_a_slack_sign_in(app: SlackApp) {
        let attacker = app.signs_up("Evil", "edsger@example.com").await;
        app.arrives("member").await.failed_with("account_exists");
        assert_eq!(app.db.count("select count(*) from identities").await, 0);
        assert_eq!(app.db.count("select count(*) from memberships").await, 1);
        attacker.me().await.expect(200);
    }

    async fn a_pending_code_is_void_after_the_reset(app: SlackApp) {
        const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let attacker = app.signs_up("Evil", VICTIM).await;
        links(&app, &attacker.token, "member").await;
        let authorization = app.asks_for_url(RETURN_URL, &[("codeChallenge", CHALLENGE)]).await.expect(200);
        let callback = app.consents(&authorization["url"].as_str().unwrap().parse().unwrap(), "member").await;
        let code = app.follows(&callback).await.query["code"].clone();
        app.forgets_password(VICTIM).await.expect(200);
        app.resets_password(&app.mailed_token(VICTIM, "reset_password").await, OTHER_PASSWORD).await.expect(200);
        app.post("/api/auth/slack/token")
            .json(&json!({"code": code, "codeVerifier": VERIFIER}))
            .await
            .refused(400, "Sign-in expired");
    }
}

/// Links a persona's identity to the account of the token.
async fn links(app: &SlackApp, token: &str, persona: &str) {
    let authorization = app
        .post("/api/auth/slack/link")
        .bearer(token)
        .json(&json!({"returnUrl": RETURN_URL}))
        .await;
    let url = authorization.expect(200)["url"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let callback = app.consents(&url, persona).await;
    let answer = app
        .get(&callback)
        .header("cookie", authorization.cookie())
        .await;
    assert_eq!(answer.status, 302, "{}", answer.text());
    crate::support::slack::Returned::of(answer).token();
}
