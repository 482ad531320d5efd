//! What people may do without being asked: each setting, with each of its values.

use hallpass::config::Config;
use hallpass::domain::{AllowedDomains, Email, JoinPolicy, OrganizationName, PersonName, Role};
use hallpass::service::invitations::{Invite, invite_by_operator};
use hallpass::service::operations::operator;
use serde_json::json;

use crate::support::test_app::operator_context;
use crate::support::{
    Answer, Db, OTHER_PASSWORD, TestApp, member_body, on_both_databases, organization_body,
};

const POLICIES: [JoinPolicy; 4] = [
    JoinPolicy::Open,
    JoinPolicy::Domain,
    JoinPolicy::Invite,
    JoinPolicy::Closed,
];

/// The domain of the settings.
fn acme() -> AllowedDomains {
    AllowedDomains::parse(["acme.example"]).unwrap()
}

fn registration(policy: JoinPolicy) -> impl FnOnce(&mut Config) {
    move |config| {
        config.self_service.domains = acme();
        config.self_service.registration = policy;
    }
}

async fn registers(app: &TestApp, organization_id: &str, email: &str) -> Answer {
    app.post("/api/auth/register")
        .json(&member_body(organization_id, email))
        .await
}

#[track_caller]
fn is_closed(answer: &Answer) {
    answer.refused(
        403,
        "Registration is not open to everyone: ask the people who run this service",
    );
    assert_eq!(answer.header("x-error-code"), Some("registration_closed"));
}

#[track_caller]
fn no_organization(answer: &Answer, creation: JoinPolicy) {
    let message = match creation {
        JoinPolicy::Domain => {
            "Creating an organization requires a verified e-mail address at an allowed domain"
        }
        _ => "Only the people who run this service create organizations: ask them",
    };
    answer.refused(403, message);
    assert_eq!(answer.header("x-error-code"), Some("registration_closed"));
}

on_both_databases! {
    async fn who_joins_is_up_to_the_stricter_of_setting_and_join_policy(app: TestApp) {
        let mut app = app;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        let acme = ada.organization_id().to_owned();
        for setting in POLICIES {
            app.restart_configured(registration(setting)).await;
            for policy in POLICIES {
                ada.sets_rules(&json!({"joinPolicy": policy, "allowedDomains": ["acme.example"]})).await;
                let inside = format!("{setting}-{policy}@acme.example");
                let answer = registers(&app, &acme, &inside).await;
                let invitations = app.emails_to(&inside).await;
                let is_invited = invitations.iter().any(|message| message.kind() == "invitation");
                match (setting, policy) {
                    (JoinPolicy::Open, JoinPolicy::Open) => assert_eq!(answer.expect(201)["user"]["role"], "employee"),
                    (JoinPolicy::Open, _) | (JoinPolicy::Domain, JoinPolicy::Invite | JoinPolicy::Closed) => {
                        answer.refused(403, "Invitation required");
                    }
                    _ => is_closed(&answer),
                }
                let by_email = matches!(setting, JoinPolicy::Open | JoinPolicy::Domain) && policy == JoinPolicy::Domain
                    || (setting, policy) == (JoinPolicy::Domain, JoinPolicy::Open);
                assert_eq!(is_invited, by_email, "{setting} {policy}");

                let outside = format!("{setting}-{policy}@evil.example");
                let answer = registers(&app, &acme, &outside).await;
                match (setting, policy) {
                    (JoinPolicy::Open, JoinPolicy::Open) => assert_eq!(answer.status, 201),
                    (JoinPolicy::Open, _) => answer.refused(403, "Invitation required"),
                    _ => is_closed(&answer),
                }
                let emails = app.emails_to(&outside).await;
                assert!(emails.iter().all(|message| message.kind() != "invitation"), "{setting} {policy}");
            }
        }
        assert_eq!(app.db.count("select count(*) from users").await, 3);
    }

    async fn an_address_of_a_domain_registers_by_the_emailed_invitation(app: TestApp) {
        let mut app = app;
        let ada = app.signs_up("Acme", "ada@acme.example").await;
        app.restart_configured(registration(JoinPolicy::Domain)).await;
        is_closed(&registers(&app, ada.organization_id(), "bob@acme.example").await);
        let token = app.mailed_token("bob@acme.example", "invitation").await;
        // Anyone can have it sent, so it opens nothing for which an invitation by a person is required.
        for stricter in [JoinPolicy::Invite, JoinPolicy::Closed] {
            app.restart_configured(registration(stricter)).await;
            is_closed(&app.registers_invited("bob@acme.example", &token).await);
        }
        app.restart_configured(registration(JoinPolicy::Domain)).await;
        let bob = app.registers_invited("bob@acme.example", &token).await.expect(201);
        assert_eq!(bob["user"]["organizationId"], ada.organization_id());
    }

    async fn a_closed_registration_answers_the_same_whatever_exists(app: TestApp) {
        let mut app = app;
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        app.signs_up("Beta", "eve@evil.example").await;
        ada.invites("bob@acme.example", "employee").await.expect(201);
        let acme = ada.organization_id().to_owned();
        let unknown = "01939f2e-0000-7000-8000-000000000000";
        for setting in [JoinPolicy::Domain, JoinPolicy::Invite, JoinPolicy::Closed] {
            app.restart_configured(registration(setting)).await;
            let mut answers = Vec::new();
            let addresses: &[&str] = match setting {
                JoinPolicy::Domain => &["eve@evil.example", "new@evil.example"],
                _ => &["ada@acme.example", "bob@acme.example", "eve@evil.example", "new@evil.example"],
            };
            for organization_id in [acme.as_str(), unknown] {
                for email in addresses {
                    // A weak password, too, is not looked at.
                    for password in ["Correct-Horse-7-Battery", "password"] {
                        let mut body = member_body(organization_id, email);
                        body["password"] = json!(password);
                        answers.push(app.post("/api/auth/register").json(&body).await.as_bytes());
                        let mut body = organization_body("Evil", email);
                        body["password"] = json!(password);
                        answers.push(app.post("/api/auth/register").json(&body).await.as_bytes());
                    }
                }
            }
            assert!(answers.len() >= 16);
            answers.dedup();
            assert_eq!(answers.len(), 1, "{answers:?}");
        }
        app.restart_configured(registration(JoinPolicy::Domain)).await;
        let known = registers(&app, &acme, "ada@acme.example").await;
        is_closed(&known);
        assert_eq!(known.as_bytes(), registers(&app, &acme, "new@acme.example").await.as_bytes());
        assert_eq!(app.db.count("select count(*) from users").await, 2);
    }

    async fn an_invited_person_registers_unless_registration_is_closed(app: TestApp) {
        let mut app = app;
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        for setting in [JoinPolicy::Open, JoinPolicy::Domain, JoinPolicy::Invite] {
            app.restart_configured(registration(setting)).await;
            let email = format!("{setting}@elsewhere.example");
            ada.invites(&email, "employee").await.expect(201);
            let token = app.mailed_token(&email, "invitation").await;
            assert_eq!(app.get(&format!("/accept-invitation?token={token}")).await.status, 200);
            app.registers_invited(&email, &token).await.expect(201);
        }
        app.restart_configured(registration(JoinPolicy::Closed)).await;
        ada.invites("bob@acme.example", "employee").await.expect(201);
        let token = app.mailed_token("bob@acme.example", "invitation").await;
        is_closed(&app.registers_invited("bob@acme.example", &token).await);
        let page = app.get(&format!("/accept-invitation?token={token}")).await;
        page.is_page(403, "registration_closed");
        assert!(page.text().contains("Ask the people who run this service.") && !page.text().contains("<form"));
        let fields = [("token", token.as_str()), ("name", "Bob"), ("password", OTHER_PASSWORD)];
        app.post("/accept-invitation").form(&fields).await.is_page(403, "registration_closed");
        app.restart_configured(registration(JoinPolicy::Invite)).await;
        app.registers_invited("bob@acme.example", &token).await.expect(201);
    }

    async fn who_has_an_account_joins_although_registration_is_closed(app: TestApp) {
        let mut app = app;
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        let bob = app.signs_up("Beta", "bob@beta.example").await;
        let eve = app.signs_up("Gamma", "eve@gamma.example").await;
        app.restart_configured(registration(JoinPolicy::Closed)).await;
        ada.invites("bob@beta.example", "manager").await.expect(201);
        let token = app.mailed_token("bob@beta.example", "invitation").await;
        assert_eq!(app.get(&format!("/accept-invitation?token={token}")).await.status, 200);
        assert_eq!(bob.accepts(&token).await.expect(200)["user"]["role"], "manager");
        eve.post(&ada.organization_path("/join")).await.expect(200);
    }

    async fn the_operator_creates_and_invites_whatever_is_closed(app: TestApp) {
        let mut app = app;
        app.restart_configured(|config| {
            config.self_service.registration = JoinPolicy::Closed;
            config.self_service.organization_creation = JoinPolicy::Closed;
        })
        .await;
        let operator_app = app.operator_app().await;
        let (services, context) = (operator_app.services(), operator_context());
        let name = OrganizationName::parse("Acme").unwrap();
        let acme = operator::create_organization(services, &context, name).await.unwrap().id;
        let ada = operator::CreateUser {
            email: Email::parse("ada@acme.example").unwrap(),
            password: OTHER_PASSWORD,
            name: PersonName::parse("Ada").unwrap(),
            organization_id: acme,
            role: Role::Admin,
            manager_id: None,
        };
        operator::create_user(services, &context, ada).await.unwrap();
        assert_eq!(app.logs_in("ada@acme.example", OTHER_PASSWORD).await.user["role"], "admin");
        let invite = Invite { email: Email::parse("bob@acme.example").unwrap(), role: Role::Manager };
        let url = "https://app.example".parse().unwrap();
        let (_, link) = invite_by_operator(services, &context, acme, invite, false, &url).await.unwrap();
        let token = link.unwrap().split_once("token=").unwrap().1.to_owned();
        let bob = app.registers_invited("bob@acme.example", &token).await.expect(201);
        assert_eq!(bob["user"]["role"], "manager");
    }

    async fn a_stranger_creates_an_organization_only_if_everyone_may(app: TestApp) {
        let mut app = app;
        for setting in POLICIES {
            for creation in POLICIES {
                app.restart_configured(|config| {
                    config.self_service.domains = acme();
                    config.self_service.registration = setting;
                    config.self_service.organization_creation = creation;
                })
                .await;
                let email = format!("{setting}-{creation}@acme.example");
                let answer = app.post("/api/auth/register").json(&organization_body("Acme", &email)).await;
                match (setting, creation) {
                    (JoinPolicy::Open, JoinPolicy::Open) => assert_eq!(answer.status, 201),
                    (JoinPolicy::Open, _) => no_organization(&answer, creation),
                    _ => is_closed(&answer),
                }
            }
        }
        for table in ["organizations", "users", "memberships"] {
            assert_eq!(app.db.count(&format!("select count(*) from {table}")).await, 1, "{table}");
        }
    }

    async fn who_is_signed_in_is_told_who_creates_organizations(app: TestApp) {
        let mut app = app;
        let eve = app.signs_up_verified("Evil", "eve@evil.example").await;
        for creation in [JoinPolicy::Domain, JoinPolicy::Invite, JoinPolicy::Closed] {
            app.restart_configured(|config| {
                config.self_service.domains = acme();
                config.self_service.organization_creation = creation;
            })
            .await;
            let answer = eve.post("/api/organizations").json(&json!({"name": "Another"})).await;
            no_organization(&answer, creation);
        }
        assert_eq!(app.db.count("select count(*) from organizations").await, 1);
    }

    async fn a_verified_address_of_a_domain_may_create_an_organization(db: Db) {
        let emails = ["ada@acme.example", "eve@sub.acme.example"].map(|email| Email::parse(email).unwrap());
        for (policy, expected) in POLICIES.into_iter().zip([
            [true, true, true],
            [false, true, false],
            [false, false, false],
            [false, false, false],
        ]) {
            let app = TestApp::configured(db.clone(), |config| {
                config.self_service.domains = acme();
                config.self_service.organization_creation = policy;
            })
            .await;
            let operator_app = app.operator_app().await;
            let may = [None, Some(&emails[0]), Some(&emails[1])]
                .map(|verified| operator_app.services().self_service().lets_create_organization(verified));
            assert_eq!(may, expected, "{policy}");
        }
    }

    async fn a_reset_is_no_way_to_an_organization_where_none_may_be_created(app: TestApp) {
        let mut app = app;
        let ada = app.signs_up_verified("Acme", "ada@acme.example").await;
        for email in ["bob@acme.example", "eve@evil.example"] {
            app.joins(ada.organization_id(), email).await;
        }
        app.restart_configured(|config| {
            config.self_service.domains = acme();
            config.self_service.organization_creation = JoinPolicy::Domain;
        })
        .await;
        for (email, status) in [("bob@acme.example", 201), ("eve@evil.example", 403)] {
            app.forgets_password(email).await.expect(200);
            app.resets_password(&app.mailed_token(email, "reset_password").await, OTHER_PASSWORD).await.expect(200);
            let person = app.logs_in(email, OTHER_PASSWORD).await;
            assert_eq!(person.user["organizationId"], json!(null));
            let created = person.post("/api/organizations").json(&json!({"name": "Own"})).await;
            created.expect(status);
        }
        assert_eq!(app.db.count("select count(*) from organizations").await, 2);
    }

    async fn the_options_say_what_is_open(app: TestApp) {
        let mut app = app;
        let credentials = |registration: &str| json!({
            "id": "credentials", "name": "E-mail and password", "type": "credentials", "registration": registration,
        });
        assert_eq!(
            app.get("/api/auth/options").await.expect(200),
            json!({
                "registration": "open",
                "organizations": "open",
                "providers": [credentials("open")],
                "passwordMinLength": 8,
            })
        );
        app.restart_configured(|config| {
            config.self_service.registration = JoinPolicy::Invite;
            config.self_service.organization_creation = JoinPolicy::Closed;
            config.passwords.min_length = 12;
        })
        .await;
        assert_eq!(
            app.get("/api/auth/options").await.expect(200),
            json!({
                "registration": "invite",
                "organizations": "closed",
                "providers": [credentials("invite")],
                "passwordMinLength": 12,
            })
        );
    }
}
