//! The invitations of one's own address, without their e-mails.

use chrono::TimeDelta;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::support::{Actor, Answer, TestApp, on_both_databases};

const BOB: &str = "bob@acme.example";

async fn own(who: &Actor) -> Vec<Value> {
    let list = who.get("/api/invitations").await.expect(200);
    list["invitations"].as_array().unwrap().clone()
}

fn path(invitation: &Value, verb: &str) -> String {
    format!(
        "/api/invitations/{}/{verb}",
        invitation["id"].as_str().unwrap()
    )
}

async fn accepts(who: &Actor, invitation: &Value) -> Answer {
    who.post(&path(invitation, "accept")).await
}

async fn declines(who: &Actor, invitation: &Value) -> Answer {
    who.post(&path(invitation, "decline")).await
}

async fn open_invitations(admin: &Actor) -> usize {
    let list = admin
        .get(&admin.organization_path("/invitations"))
        .await
        .expect(200);
    list["invitations"].as_array().unwrap().len()
}

async fn actions(app: &TestApp, action: &str) -> i64 {
    app.db
        .count(&format!(
            "select count(*) from audit where action = '{action}' and outcome = 'ok'"
        ))
        .await
}

on_both_databases! {
    async fn a_person_lists_what_waits_for_their_verified_address(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        let eve = app.signs_up_verified("Evil", "eve@evil.example").await;
        let bob = app.signs_up_verified("Bolt", BOB).await;
        assert!(own(&bob).await.is_empty());
        let invited = ada.invites("Bob@Acme.example", "manager").await.expect(201);
        app.advance(TimeDelta::seconds(1));
        let second = eve.invites(BOB, "employee").await.expect(201);
        ada.invites("other@acme.example", "employee").await.expect(201);
        assert_eq!(
            own(&bob).await,
            [
                json!({
                    "id": second["id"],
                    "organization": {"id": eve.organization_id(), "name": "Evil"},
                    "role": "employee",
                    "inviter": "Ada Byron",
                    "createdAt": second["createdAt"],
                    "expiresAt": second["expiresAt"],
                }),
                json!({
                    "id": invited["id"],
                    "organization": {"id": ada.organization_id(), "name": "Acme"},
                    "role": "manager",
                    "inviter": "Ada Byron",
                    "createdAt": invited["createdAt"],
                    "expiresAt": invited["expiresAt"],
                }),
            ]
        );
        assert!(own(&ada).await.is_empty());
        // Only what can be accepted now is listed.
        eve.sets_rules(&json!({"joinPolicy": "closed"})).await;
        assert_eq!(own(&bob).await.len(), 1);
        let this = ada.organization_path(&format!("/invitations/{}", invited["id"].as_str().unwrap()));
        ada.delete(&this).await.expect(200);
        assert!(own(&bob).await.is_empty());
        eve.sets_rules(&json!({"joinPolicy": "open"})).await;
        assert_eq!(own(&bob).await.len(), 1);
        app.advance(TimeDelta::days(7));
        assert!(own(&bob.signs_in_again().await).await.is_empty());
    }

    async fn an_unverified_address_sees_accepts_and_declines_nothing(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        let squatter = app.signs_up("Bolt", BOB).await;
        let invited = ada.invites(BOB, "admin").await.expect(201);
        for refused in [
            squatter.get("/api/invitations").await,
            accepts(&squatter, &invited).await,
            declines(&squatter, &invited).await,
        ] {
            refused.refused(403, "Email not verified");
            assert_eq!(refused.header("x-error-code"), Some("email_not_verified"));
        }
        assert_eq!(open_invitations(&ada).await, 1);
        app.verifies_address(BOB).await;
        assert_eq!(own(&squatter).await.len(), 1);
    }

    async fn an_invitation_is_accepted_once_and_again_is_success(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        ada.sets_rules(&json!({"joinPolicy": "invite"})).await;
        let mut bob = app.signs_up_verified("Bolt", BOB).await;
        let invited = ada.invites(BOB, "manager").await.expect(201);
        let token = app.mailed_token(BOB, "invitation").await;
        for answer in join_all((0..10).map(|_| accepts(&bob, &invited))).await {
            let user = &answer.expect(200)["user"];
            assert_eq!(user["organizationId"], ada.organization_id());
            assert_eq!(user["role"], "manager");
        }
        bob.takes_token(&accepts(&bob, &invited).await.expect(200));
        assert_eq!(bob.me().await.expect(200), bob.user);
        assert!(own(&bob).await.is_empty());
        assert_eq!(open_invitations(&ada).await, 0);
        assert_eq!(actions(&app, "invitation.accepted").await, 1);
        // So is the link in the e-mail.
        bob.accepts(&token).await.expect(200);
        declines(&bob, &invited).await.refused(404, "Invitation not found");
        bob.delete(&bob.organization_path("/members/me")).await.expect(200);
        accepts(&bob.signs_in_again().await, &invited).await.refused(404, "Invitation not found");
    }

    async fn a_declined_invitation_is_gone_for_both_sides(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        let bob = app.signs_up_verified("Bolt", BOB).await;
        let invited = ada.invites(BOB, "manager").await.expect(201);
        let token = app.mailed_token(BOB, "invitation").await;
        let declined = bob.post(&path(&invited, "decline")).header("x-request-id", "declines").await;
        assert_eq!(declined.expect(200), json!({"success": true}));
        assert!(own(&bob).await.is_empty());
        assert_eq!(open_invitations(&ada).await, 0);
        for answer in [accepts(&bob, &invited).await, declines(&bob, &invited).await] {
            answer.refused(404, "Invitation not found");
        }
        bob.accepts(&token).await.refused(400, "Invalid or expired token");
        let row = format!(
            "select count(*) from audit where request_id = 'declines' and action = 'invitation.declined'
             and outcome = 'ok' and actor_id = {} and organization_id = {} and address is null and device is null",
            app.db.id(bob.id()),
            app.db.id(ada.organization_id())
        );
        assert_eq!(app.db.count(&row).await, 1);
        // Inviting again is a new offer.
        app.advance(TimeDelta::seconds(1));
        let again = ada.invites(BOB, "employee").await.expect(201);
        assert_ne!(again["id"], invited["id"]);
        assert_eq!(accepts(&bob, &again).await.expect(200)["user"]["role"], "employee");
    }

    async fn an_invitation_is_either_accepted_or_declined(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        for round in 0..5 {
            let email = format!("bob{round}@acme.example");
            let bob = app.signs_up_verified("Bolt", &email).await;
            let invited = ada.invites(&email, "employee").await.expect(201);
            let (accepted, declined) = join(accepts(&bob, &invited), declines(&bob, &invited)).await;
            match (accepted.status.as_u16(), declined.status.as_u16()) {
                (200, 404) | (404, 200) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    async fn an_invitation_of_another_address_is_not_found(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        let eve = app.signs_up_verified("Evil", "eve@evil.example").await;
        app.signs_up_verified("Bolt", BOB).await;
        let invited = ada.invites(BOB, "admin").await.expect(201);
        for who in [&eve, &ada] {
            for id in [invited.clone(), json!({"id": "nonsense"})] {
                accepts(who, &id).await.refused(404, "Invitation not found");
                declines(who, &id).await.refused(404, "Invitation not found");
            }
        }
        let service = eve.as_a_service("admin").await;
        service.get("/api/invitations").await.refused(403, "Forbidden");
        accepts(&service, &invited).await.refused(403, "Forbidden");
        declines(&service, &invited).await.refused(403, "Forbidden");
        assert_eq!(open_invitations(&ada).await, 1);
    }

    async fn an_invitation_that_nobody_backs_is_not_accepted(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        let grace = app.joins_invited(&ada, "grace@acme.example", "manager").await;
        let bob = app.signs_up_verified("Bolt", BOB).await;
        let invited = grace.invites(BOB, "manager").await.expect(201);
        ada.changes(&grace, json!({"role": "employee"})).await.expect(200);
        assert!(own(&bob).await.is_empty());
        accepts(&bob, &invited).await.refused(404, "Invitation not found");
        ada.changes(&grace, json!({"role": "manager"})).await.expect(200);
        app.joins(ada.organization_id(), "emmy@acme.example").await;
        accepts(&bob, &invited).await.expect(200);
    }

    async fn a_member_accepts_no_other_invitation_and_a_stale_one_enrols(app: TestApp) {
        let eve = app.signs_up_verified("Evil", "eve@evil.example").await;
        let bob = app.signs_up_verified("Bolt", BOB).await;
        let invited = eve.invites(BOB, "employee").await.expect(201);
        bob.post(&format!("/api/organizations/{}/join", eve.organization_id())).await.expect(200);
        accepts(&bob, &invited).await.refused(409, "Already a member");
        eve.sets_rules(&json!({"joinPolicy": "closed"})).await;
        accepts(&bob, &invited).await.refused(409, "Organization closed");
        eve.sets_rules(&json!({"joinPolicy": "invite"})).await;
        eve.enrols(&app).await;
        eve.sets_rules(&json!({"requireMfa": true})).await;
        let grace = app.signs_up_verified("Bolt", "grace@acme.example").await;
        let invited = eve.invites("grace@acme.example", "employee").await.expect(201);
        app.advance(TimeDelta::minutes(15));
        let refused = accepts(&grace, &invited).await;
        assert_eq!(refused.header("x-error-code"), Some("reauthentication_required"));
        let challenge = accepts(&grace.signs_in_again().await, &invited).await.expect(200);
        assert_eq!(challenge["enrolmentRequired"], true);
    }
}
