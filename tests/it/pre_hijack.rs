//! Account pre-hijacking: registering someone else's address in advance gains nothing.

use hallpass::domain::EmailMessage;
use serde_json::json;

use crate::support::slack::{CHALLENGE, RETURN_URL, VERIFIER};
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
        app.links(&attacker.token, "member").await.token();
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
        app.links(&ada.token, "member").await.token();
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
        app.links(&owner.token, "member").await.token();
        assert_eq!(app.signs_in("member").await["id"], owner.id());
    }

    async fn an_unverified_account_gains_nothing_from_a_slack_sign_in(app: SlackApp) {
        let attacker = app.signs_up("Evil", "edsger@example.com").await;
        app.arrives("member").await.failed_with("account_exists");
        assert_eq!(app.db.count("select count(*) from identities").await, 0);
        assert_eq!(app.db.count("select count(*) from memberships").await, 1);
        attacker.me().await.expect(200);
    }

    async fn a_claim_ends_memberships_beside_other_admins(app: TestApp) {
        let evil = app.signs_up("Evil", "evil@evil.example").await;
        let squatter = app.joins(evil.organization_id(), VICTIM).await;
        let report = app.joins(evil.organization_id(), "report@evil.example").await;
        for role in ["manager", "admin"] {
            evil.changes(&squatter, json!({"role": role, "managerId": evil.id()})).await.expect(200);
        }
        evil.changes(&report, json!({"managerId": squatter.id()})).await.expect(200);
        let service = squatter.as_a_service("admin").await;
        claims(&app, VICTIM).await;

        assert_eq!(service.me().await.status, 401);
        let victim = app.logs_in(VICTIM, OTHER_PASSWORD).await;
        assert_eq!(victim.id(), squatter.id());
        assert_eq!(victim.user["organizationId"], json!(null));
        let path = format!("/api/users/{}", victim.id());
        evil.get(&path).await.refused(404, "User not found");
        for how in [json!({"name": "Eve"}), json!({"disabled": true}), json!({"role": "employee"})] {
            evil.changes(&victim, how).await.refused(404, "User not found");
        }
        evil.delete(&path).await.refused(404, "User not found");
        evil.delete(&evil.organization_path(&format!("/members/{}", victim.id()))).await.refused(404, "User not found");
        assert_eq!(evil.changes(&report, json!({})).await.expect(200)["managerId"], json!(null));
        victim.me().await.expect(200);
        // The owner may join of their own free will.
        victim.post(&evil.organization_path("/join")).await.expect(200);
    }

    async fn after_a_claim_other_admins_read_nothing_of_the_owner(app: TestApp) {
        let evil = app.signs_up("Evil", "evil@evil.example").await;
        let squatter = app.joins(evil.organization_id(), VICTIM).await;
        let read = async || {
            let path = format!("/api/audit?subjectId={}", squatter.id());
            evil.get(&path).await.expect(200)["entries"].as_array().unwrap().clone()
        };
        let before = read().await;
        claims(&app, VICTIM).await;
        app.logs_in(VICTIM, OTHER_PASSWORD).await;
        app.tries_to_log_in(VICTIM, PASSWORD).await.refused(401, "Invalid credentials");
        let mut after = read().await;
        after.retain(|row| !before.contains(row));
        // What they learn is that the membership ended, not from where.
        let seen: Vec<_> = after.iter().map(|row| (&row["action"], &row["address"])).collect();
        assert_eq!(seen, [(&json!("membership.left"), &json!(null))]);
        let own = app.db.count("select count(*) from audit where action = 'user.password_reset'").await;
        assert_eq!(own, 1);
    }

    async fn a_founder_who_resets_before_verifying_keeps_the_organization(app: TestApp) {
        let ada = app.signs_up("Acme", VICTIM).await;
        let bob = app.joins(ada.organization_id(), "bob@acme.example").await;
        bob.me().await.expect(200);
        claims(&app, VICTIM).await;
        let again = app.logs_in(VICTIM, OTHER_PASSWORD).await;
        assert_eq!((&again.user["role"], again.organization_id()), (&json!("admin"), ada.organization_id()));
        assert_eq!(app.db.count("select count(*) from memberships").await, 2);
        assert_eq!(app.db.count("select count(*) from organizations").await, 1);
    }

    async fn a_claim_takes_rights_that_were_laid_in_a_kept_organization(app: TestApp) {
        let squatter = app.signs_up("Evil", VICTIM).await;
        let friend = app.joins(squatter.organization_id(), "friend@evil.example").await;
        squatter.changes(&friend, json!({"role": "manager"})).await.expect(200);
        squatter.changes(&squatter, json!({"managerId": friend.id()})).await.expect(200);
        app.verifies_address(VICTIM).await;
        squatter.invites("accomplice@evil.example", "admin").await.expect(201);
        // As a workspace's admin, who may invite without a verified address.
        app.db.execute("update users set email_verified_at = null").await;
        let invitation = app.mailed_token("accomplice@evil.example", "invitation").await;
        claims(&app, VICTIM).await;
        friend.get(&format!("/api/users/{}", squatter.id())).await.refused(403, "Forbidden");
        app.registers_invited("accomplice@evil.example", &invitation).await.refused(400, "Invalid or expired token");
    }

    async fn a_verified_account_keeps_its_memberships_through_a_reset(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), VICTIM).await;
        app.verifies(&app.mailed_token(VICTIM, "verify_email").await).await.expect(200);
        claims(&app, VICTIM).await;
        assert_eq!(app.logs_in(VICTIM, OTHER_PASSWORD).await.organization_id(), ada.organization_id());
        assert_eq!(ada.changes(&bob, json!({"name": "Bob"})).await.expect(200)["name"], "Bob");
    }

    async fn two_admins_who_claim_at_once_leave_the_organization_an_admin(app: TestApp) {
        for round in 0..4 {
            let (one, two) = (format!("one{round}@acme.example"), format!("two{round}@acme.example"));
            let ada = app.signs_up("Acme", &one).await;
            let bob = app.joins(ada.organization_id(), &two).await;
            ada.changes(&bob, json!({"role": "admin"})).await.expect(200);
            app.forgets_password(&one).await.expect(200);
            app.forgets_password(&two).await.expect(200);
            let (first, second) = (
                app.mailed_token(&one, "reset_password").await, app.mailed_token(&two, "reset_password").await,
            );
            let (first, second) = tokio::join!(
                app.resets_password(&first, OTHER_PASSWORD), app.resets_password(&second, OTHER_PASSWORD)
            );
            first.expect(200);
            second.expect(200);
            let admins = format!(
                "select count(*) from memberships where role = 'admin' and organization_id = {}",
                app.db.id(ada.organization_id())
            );
            assert_eq!(app.db.count(&admins).await, 1);
        }
    }

    async fn a_reset_says_that_it_unlinks_slack_and_how_to_link_again(app: SlackApp) {
        app.signs_in("owner").await;
        let member = app.signs_in("member").await;
        let email = member["email"].as_str().unwrap();
        app.forgets_password(email).await.expect(200);
        let token = app.mailed_token(email, "reset_password").await;
        let page = app.get(&format!("/reset-password?token={token}")).await.text();
        for promised in ["unlinks Sign in with Slack", "leaves those organizations"] {
            assert!(page.contains(promised), "{promised}: {page}");
        }
        let fields = [("token", token.as_str()), ("password", OTHER_PASSWORD)];
        let page = app.post("/reset-password").form(&fields).header("origin", "http://localhost").await;
        assert_eq!(page.status, 200, "{}", page.text());
        for said in ["no longer linked", "sign in with the new password first", "has left the organizations"] {
            assert!(page.text().contains(said), "{said}: {}", page.text());
        }
        let notices = app.emails_to(email).await;
        let is_told = |message: &EmailMessage| matches!(
            message,
            EmailMessage::PasswordChanged { detached_slack: true, left_organizations: true, .. }
        );
        assert!(notices.iter().any(is_told), "{notices:?}");
        let rows = format!(
            "select count(*) from audit where action = 'user.identity_unlinked' and subject_id = {}",
            app.db.id(member["id"].as_str().unwrap())
        );
        assert_eq!(app.db.count(&rows).await, 1);

        app.arrives("member").await.failed_with("account_exists");
        let owner = app.logs_in(email, OTHER_PASSWORD).await;
        app.links(&owner.token, "member").await.token();
        let again = app.signs_in("member").await;
        assert_eq!((&again["id"], &again["organizationId"]), (&member["id"], &member["organizationId"]));
    }

    async fn a_reset_that_ends_nothing_else_says_nothing_else(app: TestApp) {
        app.registers("Acme", VICTIM).await;
        app.forgets_password(VICTIM).await.expect(200);
        let token = app.mailed_token(VICTIM, "reset_password").await;
        let page = app.get(&format!("/reset-password?token={token}")).await.text();
        assert!(!page.contains("Slack") && !page.contains("organizations"), "{page}");
        app.resets_password(&token, OTHER_PASSWORD).await.expect(200);
        assert_eq!(app.db.count("select count(*) from audit where action = 'user.identity_unlinked'").await, 0);
    }

    async fn a_pending_code_is_void_after_the_reset(app: SlackApp) {
        let attacker = app.signs_up("Evil", VICTIM).await;
        app.links(&attacker.token, "member").await.token();
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

/// Resets the password, as the owner of the mailbox.
async fn claims(app: &TestApp, email: &str) {
    app.forgets_password(email).await.expect(200);
    let token = app.mailed_token(email, "reset_password").await;
    app.resets_password(&token, OTHER_PASSWORD)
        .await
        .expect(200);
}
