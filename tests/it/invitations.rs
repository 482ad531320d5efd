//! Invitations: who may invite whom, and who may accept.

use chrono::TimeDelta;
use futures_util::future::{join, join_all};
use hallpass::domain::{EmailMessage, Role};
use serde_json::{Value, json};

use crate::support::{Actor, OTHER_PASSWORD, PASSWORD, SlackApp, TestApp, on_both_databases};

const BOB: &str = "bob@acme.example";

async fn invitation_token(app: &TestApp, email: &str) -> String {
    app.mailed_token(email, "invitation").await
}

async fn open_invitations(who: &Actor) -> Vec<Value> {
    let list = who
        .get(&who.organization_path("/invitations"))
        .await
        .expect(200);
    list["invitations"].as_array().unwrap().clone()
}

/// Whether the account with this address has verified it.
async fn is_proved(app: &TestApp, email: &str) -> bool {
    let proved = format!(
        "select count(*) from users where email = '{email}' and email_verified_at is not null"
    );
    app.db.count(&proved).await == 1
}

/// Registers an account with an organization of its own.
async fn has_an_account(app: &TestApp, email: &str) -> Actor {
    app.signs_up("Elsewhere", email).await
}

on_both_databases! {
    async fn an_invitation_is_answered_listed_and_mailed(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        let invited = ada
            .post(&ada.organization_path("/invitations"))
            .header("x-request-id", "invites")
            .json(&json!({"email": "Bob@Acme.example", "role": "manager"}))
            .await
            .expect(201);
        let (created, expires) = (&invited["createdAt"], &invited["expiresAt"]);
        assert_eq!(
            invited,
            json!({
                "id": invited["id"],
                "email": BOB,
                "role": "manager",
                "invitedBy": ada.id(),
                "createdAt": created,
                "expiresAt": expires,
            })
        );
        let instant = |value: &Value| {
            chrono::DateTime::parse_from_rfc3339(value.as_str().unwrap()).unwrap()
        };
        assert_eq!(instant(expires) - instant(created), TimeDelta::days(7));
        assert_eq!(open_invitations(&ada).await, [invited]);
        let emails = app.emails_to(BOB).await;
        let [EmailMessage::Invitation { organization, inviter, role, token }] = emails.as_slice() else {
            panic!("{emails:?}")
        };
        assert_eq!((organization.as_str(), inviter.as_deref(), *role), ("Acme", Some("Ada Byron"), Role::Manager));
        let in_plain =
            format!("select count(*) from one_time_tokens where hash like '%{token}%' or payload like '%{token}%'");
        assert_eq!(app.db.count(&in_plain).await, 0);
        let audited = "select count(*) from audit where request_id = 'invites'";
        assert_eq!(app.db.count(audited).await, 1);
        assert_eq!(app.db.count(&format!("{audited} and action = 'invitation.sent' and outcome = 'ok'")).await, 1);
    }

    async fn only_people_with_a_verified_address_invite(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        for inviter in [&ada, &ada.as_a_service("admin").await] {
            let refused = inviter.invites(BOB, "employee").await;
            refused.refused(403, "Verify your e-mail address first: POST /api/auth/resend-verification");
            assert_eq!(refused.header("x-error-code"), Some("email_not_verified"));
        }
        assert!(app.emails_to(BOB).await.is_empty());
        assert_eq!(app.db.count("select count(*) from invitations").await, 0);
        app.advance(TimeDelta::seconds(1));
        app.resends_verification(&ada.email).await.expect(200);
        app.verifies_address(&ada.email).await;
        ada.invites(BOB, "employee").await.expect(201);
    }

    async fn people_whom_slack_calls_admins_invite_without_a_verified_address(app: SlackApp) {
        let invites = async |persona: &str| {
            let returned = app.arrives(persona).await;
            let me = app.me(returned.token()).await;
            let path = format!("/api/organizations/{}/invitations", me["organizationId"].as_str().unwrap());
            app.post(&path).bearer(returned.token()).json(&json!({"email": BOB})).await
        };
        // The first of the workspace, so an admin here, but not at Slack.
        invites("member").await.refused(
            403, "Verify your e-mail address first: POST /api/auth/resend-verification"
        );
        app.slack().change_persona("member", |persona| persona.is_admin = true);
        invites("member").await.expect(201);
        app.slack().change_persona("member", |persona| persona.is_admin = false);
        assert_eq!(invites("member").await.status, 403);
        // An owner at Slack is a member of another workspace's organization.
        app.slack().change_persona("second-workspace", |persona| persona.is_owner = true);
        invites("second-workspace").await.expect(201);
        assert!(!is_proved(&app, "edsger@example.com").await);
    }

    async fn an_organization_writes_to_an_address_three_times_an_hour(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        let eve = app.signs_up_verified("Evil", "eve@evil.example").await;
        for n in 0..5 {
            app.advance(TimeDelta::seconds(n));
            eve.invites(BOB, "employee").await.expect(201);
        }
        assert_eq!(app.emails_to(BOB).await.len(), 3);
        let newest = invitation_token(&app, BOB).await;
        // Another organization has its own limit.
        app.advance(TimeDelta::seconds(1));
        ada.invites(BOB, "employee").await.expect(201);
        assert_eq!(app.emails_to(BOB).await.len(), 4);
        let bob = has_an_account(&app, BOB).await;
        bob.accepts(&newest).await.expect(200);
    }

    async fn the_default_role_of_an_invitation_is_employee(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        let path = ada.organization_path("/invitations");
        let invited = ada.post(&path).json(&json!({"email": BOB})).await.expect(201);
        assert_eq!(invited["role"], "employee");
        for (field, value) in [
            ("email", json!("bob")), ("role", json!("owner")), ("role", json!(3)), ("id", json!("x")),
        ] {
            let mut body = json!({"email": "eve@acme.example"});
            body[field] = value;
            ada.post(&path).json(&body).await.refused_fields(&[field]);
        }
        assert_eq!(open_invitations(&ada).await.len(), 1);
    }

    async fn the_invited_role_cannot_be_above_the_inviters(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        let grace = app.joins_invited(&ada, "grace@acme.example", "manager").await;
        let emmy = app.joins_invited(&grace, "emmy@acme.example", "employee").await;
        for role in ["employee", "manager", "admin"] {
            emmy.invites(BOB, role).await.refused(403, "Forbidden");
        }
        grace.invites(BOB, "admin").await.refused(403, "Forbidden");
        assert!(app.emails_to(BOB).await.is_empty());
        grace.invites(BOB, "manager").await.expect(201);
        ada.invites("eve@acme.example", "admin").await.expect(201);
        emmy.get(&emmy.organization_path("/invitations")).await.refused(403, "Forbidden");
        assert_eq!(open_invitations(&grace).await.len(), 2);
    }

    async fn lower_roles_cannot_change_invitations_of_higher_ones(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        let grace = app.joins_invited(&ada, "grace@acme.example", "manager").await;
        let offer = ada.invites(BOB, "admin").await.expect(201);
        grace.invites(BOB, "employee").await.refused(403, "Forbidden");
        let path = ada.organization_path(&format!("/invitations/{}", offer["id"].as_str().unwrap()));
        grace.delete(&path).await.refused(403, "Forbidden");
        assert_eq!(open_invitations(&ada).await, [offer]);
        ada.delete(&path).await.expect(200);
        grace.invites(BOB, "employee").await.expect(201);
    }

    async fn another_organizations_invitations_are_not_found(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        let eve = app.signs_up("Evil", "eve@evil.example").await;
        let invited = ada.invites(BOB, "employee").await.expect(201);
        let invitation = format!("/invitations/{}", invited["id"].as_str().unwrap());
        let body = json!({"email": "x@evil.example"});
        let there = |rest: &str| ada.organization_path(rest);
        eve.post(&there("/invitations")).json(&body).await.refused(404, "Organization not found");
        eve.get(&there("/invitations")).await.refused(404, "Organization not found");
        eve.delete(&there(&invitation)).await.refused(404, "Organization not found");
        eve.delete(&eve.organization_path(&invitation)).await.refused(404, "Invitation not found");
        eve.delete(&eve.organization_path("/invitations/nonsense")).await.refused(404, "Invitation not found");
        app.post(&there("/invitations")).json(&body).await.refused(401, "Authentication required");
        assert_eq!(open_invitations(&ada).await, [invited]);
    }

    async fn a_member_cannot_be_invited(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        let bob = app.joins(ada.organization_id(), BOB).await;
        let refused = ada.invites(BOB, "manager").await;
        refused.refused(409, "Already a member");
        ada.delete(&ada.organization_path(&format!("/members/{}", bob.id()))).await.expect(200);
        ada.invites(BOB, "manager").await.expect(201);
    }

    async fn inviting_again_replaces_the_invitation_and_its_link(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        let first = ada.invites(BOB, "admin").await.expect(201);
        let old = invitation_token(&app, BOB).await;
        app.advance(TimeDelta::days(6));
        let ada = ada.signs_in_again().await;
        let second = ada.invites(BOB, "employee").await.expect(201);
        assert_eq!((&second["id"], &second["role"]), (&first["id"], &json!("employee")));
        assert_ne!(second["expiresAt"], first["expiresAt"]);
        assert_eq!(open_invitations(&ada).await, [second]);
        app.registers_invited(BOB, &old).await.refused(400, "Invalid or expired token");
        let new = invitation_token(&app, BOB).await;
        let bob = has_an_account(&app, BOB).await;
        bob.accepts(&old).await.refused(400, "Invalid or expired token");
        app.advance(TimeDelta::days(6));
        let accepted = bob.accepts(&new).await.expect(200);
        assert_eq!(accepted["user"]["role"], "employee");
    }

    async fn a_new_person_registers_with_the_invited_address_verified(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        ada.sets_rules(&json!({"joinPolicy": "invite"})).await;
        ada.invites(BOB, "manager").await.expect(201);
        let token = invitation_token(&app, BOB).await;
        let answer = app.registers_invited(BOB, &token).await.expect(201);
        assert_eq!(
            answer["user"],
            json!({
                "id": answer["user"]["id"],
                "email": BOB,
                "name": "Grace Hopper",
                "role": "manager",
                "organizationId": ada.organization_id(),
            })
        );
        let fields: Vec<&String> = answer.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["accessToken", "expiresIn", "user"]);
        let bob = app.logs_in(BOB, PASSWORD).await;
        assert_eq!(bob.me().await.expect(200), answer["user"]);
        assert!(is_proved(&app, BOB).await);
        assert!(open_invitations(&ada).await.is_empty());
        let audited = "select count(*) from audit where action = 'user.registered' and outcome = 'ok'";
        assert_eq!(app.db.count(audited).await, 1);
        // Nothing is left to verify.
        assert_eq!(app.emails_to(BOB).await.len(), 1);
        app.registers_invited("eve@acme.example", &token).await.refused(400, "Invalid or expired token");
    }

    async fn an_invitation_registers_only_the_invited_address(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        ada.invites(BOB, "admin").await.expect(201);
        let token = invitation_token(&app, BOB).await;
        let refused = app.registers_invited("eve@acme.example", &token).await;
        refused.refused(403, "Invitation for another address");
        assert_eq!(refused.header("x-error-code"), Some("invitation_not_yours"));
        assert_eq!(app.db.count("select count(*) from users").await, 1);
        app.registers_invited("BOB@acme.example", &token).await.expect(201);
    }

    async fn a_registration_names_exactly_one_way_to_join(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        ada.invites(BOB, "admin").await.expect(201);
        let token = invitation_token(&app, BOB).await;
        let body = json!({"email": BOB, "password": PASSWORD, "name": "Bob", "invitationToken": token});
        for (field, value, named) in [
            ("organizationId", json!(ada.organization_id()), &["organizationId"][..]),
            ("role", json!("admin"), &["role"]),
            ("emailVerified", json!(true), &["emailVerified"]),
            ("invitationToken", json!(7), &["invitationToken"]),
            ("invitationToken", json!(""), &["invitationToken"]),
            ("password", json!("short"), &["password"]),
            ("password", json!("bob@acme.example"), &["password"]),
            ("name", json!(""), &["name"]),
        ] {
            let mut invalid = body.clone();
            invalid[field] = value;
            app.post("/api/auth/register").json(&invalid).await.refused_fields(named);
        }
        app.post("/api/auth/register").json(&body).await.expect(201);
    }

    async fn a_signed_in_person_with_the_invited_address_accepts(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        ada.sets_rules(&json!({"joinPolicy": "invite"})).await;
        let mut bob = has_an_account(&app, BOB).await;
        assert!(!is_proved(&app, BOB).await);
        ada.invites(BOB, "manager").await.expect(201);
        let token = invitation_token(&app, BOB).await;
        let accepted = bob
            .post("/api/invitations/accept")
            .header("x-request-id", "accepts")
            .json(&json!({"token": token}))
            .await
            .expect(200);
        assert_eq!(accepted["user"]["organizationId"], ada.organization_id());
        assert_eq!(accepted["user"]["role"], "manager");
        // The link came by e-mail, so whoever presents it reads that mailbox.
        assert!(is_proved(&app, BOB).await);
        assert_eq!(bob.me().await.expect(200)["role"], "admin");
        bob.takes_token(&accepted);
        assert_eq!(bob.me().await.expect(200), accepted["user"]);
        let audited = "select count(*) from audit where request_id = 'accepts'";
        assert_eq!(app.db.count(audited).await, 1);
        let row = format!(
            "{audited} and action = 'invitation.accepted' and outcome = 'ok'
             and actor_id = {} and organization_id = {}",
            app.db.id(bob.id()),
            app.db.id(ada.organization_id())
        );
        assert_eq!(app.db.count(&row).await, 1);
        // Once more is success, and changes nothing but the session's organization.
        assert_eq!(bob.accepts(&token).await.expect(200)["user"], accepted["user"]);
        let again = bob.signs_in_again().await;
        assert_eq!(again.accepts(&token).await.expect(200)["user"], accepted["user"]);
        assert_eq!(app.db.count("select count(*) from audit where action = 'invitation.accepted'").await, 1);
        for other in [&ada, &has_an_account(&app, "eve@evil.example").await] {
            other.accepts(&token).await.refused(400, "Invalid or expired token");
        }
        app.registers_invited(BOB, &token).await.refused(400, "Invalid or expired token");
        // Who has left is not let in by it again.
        bob.delete(&bob.organization_path("/members/me")).await.expect(200);
        bob.signs_in_again().await.accepts(&token).await.refused(400, "Invalid or expired token");
    }

    async fn an_account_with_another_address_cannot_accept(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        ada.invites(BOB, "admin").await.expect(201);
        let token = invitation_token(&app, BOB).await;
        let eve = has_an_account(&app, "eve@evil.example").await;
        eve.accepts(&token).await.refused(403, "Invitation for another address");
        app.db.execute("update users set email_verified_at = created_at where email = 'eve@evil.example'").await;
        eve.accepts(&token).await.refused(403, "Invitation for another address");
        ada.accepts(&token).await.refused(403, "Invitation for another address");
        assert_eq!(app.db.count("select count(*) from memberships").await, 2);
        // The link is as valid as before.
        let bob = has_an_account(&app, BOB).await;
        bob.accepts(&token).await.expect(200);
    }

    async fn a_member_cannot_accept_and_the_link_stays_valid(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        ada.invites(BOB, "admin").await.expect(201);
        let token = invitation_token(&app, BOB).await;
        let bob = app.joins(ada.organization_id(), BOB).await;
        bob.accepts(&token).await.refused(409, "Already a member");
        assert_eq!(bob.me().await.expect(200)["role"], "employee");
        bob.delete(&bob.organization_path("/members/me")).await.expect(200);
        app.registers_invited(BOB, &token).await.refused(409, "Email already registered");
    }

    async fn an_unverified_account_with_the_invited_address_gains_nothing(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        ada.sets_rules(&json!({"joinPolicy": "invite"})).await;
        // The person who registered it never saw the e-mail.
        let squatter = has_an_account(&app, BOB).await;
        ada.invites(BOB, "admin").await.expect(201);
        let again = squatter.signs_in_again().await;
        for session in [&squatter, &again] {
            session
                .post("/api/auth/refresh")
                .json(&json!({"organizationId": ada.organization_id()}))
                .await
                .refused(404, "Organization not found");
            let join = format!("/api/organizations/{}/join", ada.organization_id());
            session.post(&join).await.refused(403, "Invitation required");
        }
        assert!(!is_proved(&app, BOB).await);
        assert_eq!(open_invitations(&ada).await.len(), 1);
        // The owner of the mailbox learns that an account exists, but another password does not give access to it.
        let token = invitation_token(&app, BOB).await;
        app.registers_invited(BOB, &token).await.refused(409, "Email already registered");
        assert_eq!(app.db.count("select count(*) from memberships").await, 2);
    }

    async fn bad_used_expired_and_foreign_tokens_get_one_answer(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        let bob = has_an_account(&app, BOB).await;
        let verification = app.mailed_token(BOB, "verify_email").await;
        let opaque = "A".repeat(43);
        let long = "x".repeat(10_000);
        for token in ["x", opaque.as_str(), verification.as_str(), bob.token.as_str(), &long] {
            bob.accepts(token).await.refused(400, "Invalid or expired token");
            app.registers_invited("new@acme.example", token).await.refused(400, "Invalid or expired token");
        }
        ada.invites(BOB, "employee").await.expect(201);
        let token = invitation_token(&app, BOB).await;
        for garbled in [format!("{token}A"), token.to_lowercase(), token.replacen(|_| true, " ", 1)] {
            bob.accepts(&garbled).await.refused(400, "Invalid or expired token");
        }
        app.post("/api/invitations/accept").json(&json!({"token": token}))
            .await.refused(401, "Authentication required");
        bob.post("/api/invitations/accept").json(&json!({})).await.refused_fields(&["token"]);
        app.advance(TimeDelta::days(7) - TimeDelta::seconds(1));
        let bob = bob.signs_in_again().await;
        let ada = ada.signs_in_again().await;
        assert_eq!(open_invitations(&ada).await.len(), 1);
        app.advance(TimeDelta::seconds(1));
        bob.accepts(&token).await.refused(400, "Invalid or expired token");
        assert!(open_invitations(&ada).await.is_empty());
        // Inviting again makes a valid link again.
        ada.invites(BOB, "employee").await.expect(201);
        bob.accepts(&invitation_token(&app, BOB).await).await.expect(200);
    }

    async fn an_invitation_is_valid_until_the_last_second(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        ada.invites(BOB, "employee").await.expect(201);
        app.advance(TimeDelta::days(7) - TimeDelta::seconds(1));
        app.registers_invited(BOB, &invitation_token(&app, BOB).await).await.expect(201);
    }

    async fn a_revoked_invitation_cannot_be_used(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        let grace = app.joins_invited(&ada, "grace@acme.example", "manager").await;
        let emmy = app.joins_invited(&ada, "emmy@acme.example", "employee").await;
        let invited = ada.invites(BOB, "employee").await.expect(201);
        let token = invitation_token(&app, BOB).await;
        let path = ada.organization_path(&format!("/invitations/{}", invited["id"].as_str().unwrap()));
        emmy.delete(&path).await.refused(403, "Forbidden");
        grace.delete(&path).header("x-request-id", "revokes").await.expect(200);
        app.registers_invited(BOB, &token).await.refused(400, "Invalid or expired token");
        ada.delete(&path).await.refused(404, "Invitation not found");
        assert!(open_invitations(&ada).await.is_empty());
        let row = "select count(*) from audit where request_id = 'revokes' and action = 'invitation.revoked'";
        assert_eq!(app.db.count(row).await, 1);
        app.advance(TimeDelta::seconds(1));
        ada.invites(BOB, "employee").await.expect(201);
        app.registers_invited(BOB, &invitation_token(&app, BOB).await).await.expect(201);
    }

    async fn an_invitation_grants_only_what_its_inviter_still_could(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        let eve = app.joins_invited(&ada, "eve@acme.example", "admin").await;
        eve.invites(BOB, "admin").await.expect(201);
        let token = invitation_token(&app, BOB).await;
        let place = format!("user_id = {}", app.db.id(eve.id()));
        app.db.execute(&format!("update memberships set role = 'manager' where {place}")).await;
        app.registers_invited(BOB, &token).await.refused(400, "Invalid or expired token");
        // Below a manager no one may invite, whatever the role offered.
        eve.invites("emmy@acme.example", "employee").await.expect(201);
        app.db.execute(&format!("update memberships set role = 'employee' where {place}")).await;
        let offer = invitation_token(&app, "emmy@acme.example").await;
        app.registers_invited("emmy@acme.example", &offer).await.refused(400, "Invalid or expired token");
        app.db.execute(&format!("update memberships set role = 'admin' where {place}")).await;
        app.db.execute("update users set disabled_at = created_at where email = 'eve@acme.example'").await;
        app.registers_invited(BOB, &token).await.refused(400, "Invalid or expired token");
        app.db.execute("update users set disabled_at = null").await;
        ada.delete(&ada.organization_path(&format!("/members/{}", eve.id()))).await.expect(200);
        app.registers_invited(BOB, &token).await.refused(400, "Invalid or expired token");
        assert_eq!(app.db.count("select count(*) from memberships").await, 1);
        // An inviter who still may invites again later, so that the newest e-mail is from a later moment.
        app.advance(TimeDelta::seconds(1));
        ada.invites(BOB, "admin").await.expect(201);
        app.registers_invited(BOB, &invitation_token(&app, BOB).await).await.expect(201);
    }

    async fn of_twenty_concurrent_acceptances_one_joins_and_all_succeed(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        let bob = has_an_account(&app, BOB).await;
        ada.invites(BOB, "manager").await.expect(201);
        let token = invitation_token(&app, BOB).await;
        let answers = join_all((0..20).map(|_| bob.accepts(&token))).await;
        for answer in &answers {
            assert_eq!(answer.expect(200)["user"]["organizationId"], ada.organization_id());
        }
        assert_eq!(app.db.count("select count(*) from memberships").await, 3);
        assert_eq!(app.db.count("select count(*) from audit where action = 'invitation.accepted'").await, 1);
    }

    async fn of_twenty_concurrent_registrations_with_one_invitation_one_succeeds(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        ada.invites(BOB, "manager").await.expect(201);
        let token = invitation_token(&app, BOB).await;
        let answers = join_all((0..20).map(|_| app.registers_invited(BOB, &token))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            // Used, already registered, or too many at once for a slow machine: whichever is detected first.
            assert!([400, 409, 503].contains(&answer.status.as_u16()), "{}", answer.text());
        }
        assert_eq!(app.db.count("select count(*) from users").await, 2);
        assert_eq!(app.db.count("select count(*) from memberships").await, 2);
    }

    async fn an_invitation_is_either_accepted_or_revoked(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        for round in 0..10 {
            let email = format!("bob{round}@acme.example");
            let bob = has_an_account(&app, &email).await;
            let invited = ada.invites(&email, "employee").await.expect(201);
            let token = invitation_token(&app, &email).await;
            let path = ada.organization_path(&format!("/invitations/{}", invited["id"].as_str().unwrap()));
            let (accepted, revoked) = join(bob.accepts(&token), ada.delete(&path).into_future()).await;
            match (accepted.status.as_u16(), revoked.status.as_u16()) {
                (200, 404) | (400, 200) => {}
                other => panic!("{other:?}"),
            }
        }
        let both = "select count(*) from invitations where accepted_at is not null and revoked_at is not null";
        assert_eq!(app.db.count(both).await, 0);
        let accepted = app.db.count("select count(*) from invitations where accepted_at is not null").await;
        let members =
            format!("select count(*) from memberships where organization_id = {}", app.db.id(ada.organization_id()));
        assert_eq!(app.db.count(&members).await, accepted + 1);
    }

    async fn inviting_one_address_twice_at_once_creates_one_invitation(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        let answers = join_all((0..10).map(|_| ada.invites(BOB, "employee"))).await;
        for answer in &answers {
            answer.expect(201);
        }
        assert_eq!(app.db.count("select count(*) from invitations").await, 1);
        let mut good = 0;
        for message in app.emails_to(BOB).await {
            let EmailMessage::Invitation { token, .. } = message else { panic!("{message:?}") };
            good += u32::from(app.registers_invited(BOB, &token).await.status == 201);
        }
        assert_eq!(good, 1);
    }

    async fn an_invitation_does_not_bypass_the_second_factor(app: TestApp) {
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        let bob = has_an_account(&app, BOB).await;
        app.db
            .execute(&format!(
                "insert into totp (user_id, secret, created_at, confirmed_at)
                 select id, 'sealed', created_at, created_at from users where id = {}",
                app.db.id(bob.id())
            ))
            .await;
        ada.invites(BOB, "manager").await.expect(201);
        let token = invitation_token(&app, BOB).await;
        app.registers_invited(BOB, &token).await.refused(409, "Email already registered");
        // A signed-in person has shown it already.
        bob.accepts(&token).await.expect(200);
        let half = app.tries_to_log_in(BOB, PASSWORD).await.expect(200);
        assert_eq!(half["mfaRequired"], true);
        assert!(app.tries_to_log_in(BOB, OTHER_PASSWORD).await.status == 401);
    }

    async fn a_slack_user_whose_address_is_the_invited_one_accepts_with_the_link(app: SlackApp) {
        let ada = app.signs_up_verified("Beta", "ada@beta.example").await;
        ada.sets_rules(&json!({"joinPolicy": "invite"})).await;
        let returned = app.arrives("member").await;
        let grace = app.me(returned.token()).await;
        let email = grace["email"].as_str().unwrap();
        ada.invites(email, "manager").await.expect(201);
        // Signing in again with Slack, which reports the address as theirs, accepts nothing.
        assert_eq!(app.signs_in("member").await["organizationId"], grace["organizationId"]);
        assert!(!is_proved(&app, email).await);
        assert_eq!(open_invitations(&ada).await.len(), 1);

        let token = invitation_token(&app, email).await;
        let accepted = app
            .post("/api/invitations/accept")
            .bearer(returned.token())
            .json(&json!({"token": token}))
            .await
            .expect(200);
        assert_eq!(accepted["user"]["organizationId"], ada.organization_id());
        assert_eq!(accepted["user"]["role"], "manager");
        assert!(is_proved(&app, email).await);
    }

    async fn a_slack_user_without_an_address_gets_the_invited_one(app: SlackApp) {
        let ada = app.signs_up_verified("Beta", "ada@beta.example").await;
        ada.sets_rules(&json!({"joinPolicy": "invite"})).await;
        let returned = app.arrives("no-email").await;
        assert_eq!(app.me(returned.token()).await["email"], Value::Null);
        let accept = async |token: &str| {
            app.post("/api/invitations/accept")
                .bearer(returned.token())
                .json(&json!({"token": token}))
                .await
        };
        // An address that has an account belongs to that account.
        has_an_account(&app, "taken@beta.example").await;
        ada.invites("taken@beta.example", "admin").await.expect(201);
        let token = invitation_token(&app, "taken@beta.example").await;
        accept(&token).await.refused(403, "Invitation for another address");
        assert_eq!(app.me(returned.token()).await["email"], Value::Null);

        ada.invites("free@beta.example", "employee").await.expect(201);
        let token = invitation_token(&app, "free@beta.example").await;
        let accepted = accept(&token).await.expect(200);
        assert_eq!(accepted["user"]["email"], "free@beta.example");
        assert!(is_proved(&app, "free@beta.example").await);
    }

    async fn joining_an_organization_that_requires_mfa_gives_no_token(app: TestApp) {
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let bob = app.signs_up("Beta", "bob@beta.example").await;
        app.requires_mfa(ada.organization_id()).await;
        let waits = |answer: serde_json::Value| {
            assert_eq!(answer["mfaRequired"], true, "{answer}");
            assert_eq!(answer["enrolmentRequired"], true, "{answer}");
            assert!(answer.get("accessToken").is_none(), "{answer}");
        };
        let join = format!("/api/organizations/{}/join", ada.organization_id());
        waits(bob.post(&join).await.expect(200));
        let switch = serde_json::json!({"organizationId": ada.organization_id()});
        let switched = bob.post("/api/auth/refresh").json(&switch).await;
        switched.refused(403, "MFA enrolment required");
        assert_eq!(bob.me().await.expect(200), bob.user);
    }
}
