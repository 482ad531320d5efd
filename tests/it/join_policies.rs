//! Who may join an organization without an invitation.

use hallpass::domain::EmailMessage;
use serde_json::json;

use crate::support::{Actor, Answer, TestApp, member_body, on_both_databases};

async fn joins(who: &Actor, organization_id: &str) -> Answer {
    who.post(&format!("/api/organizations/{organization_id}/join"))
        .await
}

async fn prove(app: &TestApp, email: &str) {
    let proved = format!("update users set email_verified_at = created_at where email = '{email}'");
    app.db.execute(&proved).await;
}

on_both_databases! {
    async fn an_existing_account_joins_an_open_organization_as_an_employee(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let mut bob = app.signs_up("Beta", "bob@beta.example").await;
        let joined = bob
            .post(&format!("/api/organizations/{}/join", ada.organization_id()))
            .header("x-request-id", "joins")
            .await
            .expect(200);
        assert_eq!(joined["user"]["organizationId"], ada.organization_id());
        assert_eq!(joined["user"]["role"], "employee");
        let row = "select count(*) from audit where request_id = 'joins' and action = 'membership.joined'";
        assert_eq!(app.db.count(row).await, 1);
        let beta = bob.organization_id().to_owned();
        bob.me().await.expect(200);
        bob.takes_token(&joined);
        assert_eq!(bob.me().await.expect(200), joined["user"]);
        joins(&bob, ada.organization_id()).await.refused(409, "Already a member");
        let back = bob.post("/api/auth/refresh").json(&json!({"organizationId": beta})).await.expect(200);
        assert_eq!(back["user"]["role"], "admin");
    }

    async fn an_unknown_organization_cannot_be_joined(app: TestApp) {
        let bob = app.signs_up("Beta", "bob@beta.example").await;
        for id in ["01939f2e-0000-7000-8000-000000000000", "beta"] {
            joins(&bob, id).await.refused(404, "Organization not found");
        }
        app.post(&format!("/api/organizations/{}/join", bob.organization_id()))
            .await
            .refused(401, "Authentication required");
    }

    async fn only_invited_people_join_under_the_invitation_policy(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.signs_up("Beta", "bob@acme.example").await;
        prove(&app, "bob@acme.example").await;
        for policy in ["invite", "closed"] {
            ada.sets_rules(&json!({"joinPolicy": policy, "allowedDomains": ["acme.example"]})).await;
            joins(&bob, ada.organization_id()).await.refused(403, "Invitation required");
            let register = member_body(ada.organization_id(), "eve@acme.example");
            app.post("/api/auth/register").json(&register).await.refused(403, "Invitation required");
        }
        assert!(app.emails_to("eve@acme.example").await.is_empty());
        assert_eq!(app.db.count("select count(*) from memberships").await, 2);
    }

    async fn only_a_verified_address_of_an_allowed_domain_joins(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        ada.sets_rules(&json!({"joinPolicy": "domain", "allowedDomains": ["acme.example"]})).await;
        let acme = ada.organization_id();
        let bob = app.signs_up("Beta", "bob@acme.example").await;
        joins(&bob, acme).await.refused(403, "Invitation required");
        for email in ["eve@evil.example", "eve@sub.acme.example", "eve@evil-acme.example"] {
            let eve = app.signs_up("Evil", email).await;
            prove(&app, email).await;
            joins(&eve, acme).await.refused(403, "Invitation required");
        }
        prove(&app, "bob@acme.example").await;
        assert_eq!(joins(&bob, acme).await.expect(200)["user"]["role"], "employee");
    }

    async fn a_new_person_of_an_allowed_domain_is_sent_an_invitation(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        ada.sets_rules(&json!({"joinPolicy": "domain", "allowedDomains": ["acme.example"]})).await;
        let register = member_body(ada.organization_id(), "bob@acme.example");
        app.post("/api/auth/register").json(&register).await.refused(403, "Invitation required");
        assert_eq!(app.db.count("select count(*) from users").await, 1);

        let emails = app.emails_to("bob@acme.example").await;
        let [EmailMessage::Invitation { organization, inviter: None, .. }] = emails.as_slice() else {
            panic!("{emails:?}")
        };
        assert_eq!(organization, "Acme");
        let token = app.mailed_token("bob@acme.example", "invitation").await;
        let bob = app.registers_invited("bob@acme.example", &token).await.expect(201);
        assert_eq!(bob["user"]["role"], "employee");
        assert_eq!(bob["user"]["organizationId"], ada.organization_id());
    }

    async fn registering_reveals_nothing_and_voids_no_link(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        app.signs_up("Beta", "grace@acme.example").await;
        ada.sets_rules(&json!({"joinPolicy": "domain", "allowedDomains": ["acme.example"]})).await;
        ada.invites("bob@acme.example", "manager").await.expect(201);
        let token = app.mailed_token("bob@acme.example", "invitation").await;
        let mut answers = Vec::new();
        for email in [
            "bob@acme.example",
            "bob@acme.example",
            "ada@acme.example",
            "grace@acme.example",
            "new@acme.example",
            "eve@evil.example",
        ] {
            let body = member_body(ada.organization_id(), email);
            let answer = app.post("/api/auth/register").json(&body).await;
            answer.refused(403, "Invitation required");
            answers.push(answer.body);
        }
        answers.dedup();
        assert_eq!(answers.len(), 1);
        // The invited person keeps one e-mail, a member gets none, and other organizations are not consulted.
        let count = async |email: &str| {
            let emails = app.emails_to(email).await;
            emails.iter().filter(|message| message.kind() == "invitation").count()
        };
        assert_eq!(count("bob@acme.example").await, 1);
        assert_eq!(count("ada@acme.example").await, 0);
        assert_eq!(count("grace@acme.example").await, 1);
        assert_eq!(count("new@acme.example").await, 1);
        assert_eq!(count("eve@evil.example").await, 0);
        let bob = app.registers_invited("bob@acme.example", &token).await.expect(201);
        assert_eq!(bob["user"]["role"], "manager");
    }

    async fn members_and_invited_people_take_as_many_rows_as_others(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        ada.sets_rules(&json!({"joinPolicy": "domain", "allowedDomains": ["acme.example"]})).await;
        ada.invites("bob@acme.example", "manager").await.expect(201);
        let token = app.mailed_token("bob@acme.example", "invitation").await;
        let written = async |email: &str| {
            let rows = async || {
                let mut rows = Vec::new();
                for table in ["outbox", "one_time_tokens", "audit"] {
                    rows.push(app.db.count(&format!("select count(*) from {table}")).await);
                }
                rows
            };
            let before = rows().await;
            let body = member_body(ada.organization_id(), email);
            app.post("/api/auth/register").json(&body).await.refused(403, "Invitation required");
            let after = rows().await;
            after.iter().zip(before).map(|(after, before)| after - before).collect::<Vec<i64>>()
        };
        for email in ["new@acme.example", "new@acme.example", "bob@acme.example", "ada@acme.example"] {
            for _ in 0..2 {
                assert_eq!(written(email).await, [1, 1, 1], "{email}");
            }
        }
        let sent = "select count(*) from invitations where revoked_at is null";
        assert_eq!(app.db.count(sent).await, 2);
        let refused = "select count(*) from audit where action = 'invitation.sent' and outcome = 'refused'
            and reason in ('already_member', 'already_invited')";
        assert_eq!(app.db.count(refused).await, 7);
        let bob = app.registers_invited("bob@acme.example", &token).await.expect(201);
        assert_eq!(bob["user"]["role"], "manager");
    }

    async fn an_automatic_invitation_ends_with_its_policy(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let rule = json!({"joinPolicy": "domain", "allowedDomains": ["acme.example"]});
        ada.sets_rules(&rule).await;
        let body = member_body(ada.organization_id(), "bob@acme.example");
        app.post("/api/auth/register").json(&body).await.refused(403, "Invitation required");
        let token = app.mailed_token("bob@acme.example", "invitation").await;
        for other in [json!({"joinPolicy": "invite"}), json!({"joinPolicy": "domain", "allowedDomains": []})] {
            ada.sets_rules(&other).await;
            app.registers_invited("bob@acme.example", &token)
                .await
                .refused(400, "Invalid or expired token");
        }
        ada.sets_rules(&rule).await;
        app.registers_invited("bob@acme.example", &token).await.expect(201);
    }

    async fn a_closed_organization_admits_no_one(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        ada.invites("bob@acme.example", "employee").await.expect(201);
        let token = app.mailed_token("bob@acme.example", "invitation").await;
        ada.sets_rules(&json!({"joinPolicy": "closed"})).await;
        ada.invites("eve@acme.example", "employee").await.refused(409, "Organization closed");
        app.registers_invited("bob@acme.example", &token).await.refused(409, "Organization closed");
        ada.sets_rules(&json!({"joinPolicy": "invite"})).await;
        app.registers_invited("bob@acme.example", &token).await.expect(201);
    }
}
